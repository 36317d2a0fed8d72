/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hook tracepoint: the tracepoints that every system call passes. Raw ones are
 * cheaper and need no tracefs; but newer kernels let a program at them be preempted,
 * and leave it out for whatever else makes a system call on that CPU meanwhile. So
 * there pkg/probe attaches through perf events, for which the kernel switches
 * preemption off (include/trace/perf.h).
 */
#ifndef IPCWARDEN_HOOK_TRACEPOINT_H
#define IPCWARDEN_HOOK_TRACEPOINT_H

SEC("?raw_tp/sys_enter")
int sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	return enter((void *)ctx->args[0], ctx->args[1], 0, BY_HELPER);
}

SEC("?raw_tp/sys_enter")
int old_sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	return enter((void *)ctx->args[0], ctx->args[1], 0, BY_TREE);
}

SEC("?raw_tp/sys_exit")
int sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	long index = table_number(number_of((void *)ctx->args[0]));

	if (!lookup_call(index, 0) && !lookup_call(index, 1))
		return 0;
	return leave((void *)ctx->args[0], ctx->args[1]);
}

/* What the perf event gives: /sys/kernel/tracing/events/raw_syscalls/sys_enter/format. */
struct syscall_event {
	__u64 common;
	long number;
	long values[6]; /* arguments, or in the first place what the call returned */
};

SEC("?tp/raw_syscalls/sys_enter")
int perf_sys_enter(struct syscall_event *ctx)
{
	return enter((void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf()), ctx->number, 0, BY_HELPER);
}

SEC("?tp/raw_syscalls/sys_exit")
int perf_sys_exit(struct syscall_event *ctx)
{
	long index = table_number(ctx->number);

	if (!lookup_call(index, 0) && !lookup_call(index, 1))
		return 0;
	return leave((void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf()), ctx->values[0]);
}

/*
 * Every allocation of the kernel. Only attached where the functions that have a copy
 * of the message cannot be; include/trace/events/kmem.h: before 6.1 an argument more
 * came before the size in some kernels.
 */
SEC("?raw_tp/kmalloc")
int kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	note_allocation(ctx->args[1], ctx->args[2], ctx->args[3]);
	return 0;
}

#endif
