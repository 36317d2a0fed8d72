/* SPDX-License-Identifier: GPL-2.0 */
/* Hook tracepoint: the raw tracepoints that every system call passes. */
#ifndef IPCWARDEN_HOOK_TRACEPOINT_H
#define IPCWARDEN_HOOK_TRACEPOINT_H

SEC("?raw_tp/sys_enter")
int sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	return enter((void *)ctx->args[0], ctx->args[1], 0);
}

SEC("?raw_tp/sys_exit")
int sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	long index = table_number(number_of((void *)ctx->args[0]));

	if (!lookup_call(index, 0) && !lookup_call(index, 1))
		return 0;
	return leave(ctx->args[1]);
}

#endif
