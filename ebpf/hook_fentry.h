/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hook fentry: the same functions as hook kprobe, through BPF trampolines. A
 * trampoline takes a program of its own for each function, so those at the entry
 * functions only hand over to the bodies that do the work. A body is verified once
 * for each prototype: the kernel lets a program hand over to one of its own
 * prototype only (kernel/bpf/core.c: bpf_prog_map_compatible), and its type
 * information has functions that differ in no more than the name of an argument.
 */
#ifndef IPCWARDEN_HOOK_FENTRY_H
#define IPCWARDEN_HOOK_FENTRY_H

/* Arguments of the function; at its exit what it returned follows them. */
typedef __u64 function_args;

struct body_table {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};

/*
 * pkg/probe gives each body the prototype of a group of functions.
 *
 * The last line of a body hands over to nobody: its table stays empty. But a kernel
 * since 6.13 gives a program that hands over to no other one stack for each CPU
 * (kernel/bpf/verifier.c: check_max_stack_depth), trusting that it is not run again
 * on a CPU while it is preempted there. That is made sure of for the programs that
 * are attached, and so not for a body: it could be run for another function, and
 * would write over the stack of the first.
 */
#define BODY(group)                                        \
	struct body_table enter_nobody##group SEC(".maps"); \
	struct body_table leave_nobody##group SEC(".maps"); \
	SEC("?fentry")                                     \
	int enter_body##group(function_args *ctx)          \
	{                                                  \
		struct pt_regs *regs = (void *)ctx[0];     \
                                                           \
		enter(regs, number_of(regs), 1, BY_HELPER); \
		bpf_tail_call(ctx, &enter_nobody##group, 0); \
		return 0;                                  \
	}                                                  \
	SEC("?fentry")                                     \
	int old_enter_body##group(function_args *ctx)      \
	{                                                  \
		struct pt_regs *regs = (void *)ctx[0];     \
                                                           \
		enter(regs, number_of(regs), 1, BY_TREE);  \
		bpf_tail_call(ctx, &enter_nobody##group, 0); \
		return 0;                                  \
	}                                                  \
	SEC("?fexit")                                      \
	int leave_body##group(function_args *ctx)          \
	{                                                  \
		leave((void *)ctx[0], ctx[1]);             \
		bpf_tail_call(ctx, &leave_nobody##group, 0); \
		return 0;                                  \
	}

BODY(0)
BODY(1)
BODY(2)

#define AT_ENTRY_FUNCTION(function)                                \
	struct body_table enter_table##function SEC(".maps");      \
	struct body_table leave_table##function SEC(".maps");      \
	SEC("?fentry/" #function)                                  \
	int enter##function(function_args *ctx)                    \
	{                                                          \
		bpf_tail_call(ctx, &enter_table##function, 0);     \
		return 0;                                          \
	}                                                          \
	SEC("?fexit/" #function)                                   \
	int leave##function(function_args *ctx)                    \
	{                                                          \
		bpf_tail_call(ctx, &leave_table##function, 0);     \
		return 0;                                          \
	}

FOR_EACH_ENTRY_FUNCTION(AT_ENTRY_FUNCTION)

SEC("?fentry/ipcperms")
int fentry_permission(function_args *ctx)
{
	keep_permission((void *)ctx[1], ctx[2]);
	return 0;
}

#define AT_OBJECT_FUNCTION(function)                  \
	SEC("?fentry/" #function)                     \
	int fentry_##function(function_args *ctx)     \
	{                                             \
		keep_checked_object((void *)ctx[0]);  \
		return 0;                             \
	}

AT_OBJECT_FUNCTION(security_shm_shmat)
AT_OBJECT_FUNCTION(security_msg_queue_msgctl)
AT_OBJECT_FUNCTION(security_sem_semctl)
AT_OBJECT_FUNCTION(security_shm_shmctl)

SEC("?fentry/security_msg_queue_msgsnd")
int fentry_message(function_args *ctx)
{
	keep_message((void *)ctx[0], (void *)ctx[1]);
	return 0;
}

SEC("?fentry/security_sem_semop")
int fentry_operations(function_args *ctx)
{
	keep_operations((void *)ctx[0], (void *)ctx[1], ctx[2]);
	return 0;
}

SEC("?fentry/ipcctl_obtain_check")
int fentry_settings(function_args *ctx)
{
	keep_settings(ctx[3], (void *)ctx[4]);
	return 0;
}

#endif
