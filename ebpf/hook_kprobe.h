/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hook kprobe: a kprobe and a kretprobe at each entry function of the event table,
 * which takes the caller's registers as its only argument; and kprobes at the
 * functions that have the kernel's own copy. One program serves many functions:
 * the call's number tells which.
 */
#ifndef IPCWARDEN_HOOK_KPROBE_H
#define IPCWARDEN_HOOK_KPROBE_H

/* The arguments and the return value of the function that the probe is at. */
#if defined(__TARGET_ARCH_x86)
#define ARGUMENT1(regs) BPF_CORE_READ(regs, di)
#define ARGUMENT2(regs) BPF_CORE_READ(regs, si)
#define ARGUMENT3(regs) BPF_CORE_READ(regs, dx)
#define ARGUMENT4(regs) BPF_CORE_READ(regs, cx)
#define ARGUMENT5(regs) BPF_CORE_READ(regs, r8)
#define RETURNED(regs)	BPF_CORE_READ(regs, ax)
#elif defined(__TARGET_ARCH_arm64)
#define ARGUMENT1(ctx) BPF_CORE_READ(ctx, regs[0])
#define ARGUMENT2(ctx) BPF_CORE_READ(ctx, regs[1])
#define ARGUMENT3(ctx) BPF_CORE_READ(ctx, regs[2])
#define ARGUMENT4(ctx) BPF_CORE_READ(ctx, regs[3])
#define ARGUMENT5(ctx) BPF_CORE_READ(ctx, regs[4])
#define RETURNED(ctx)  BPF_CORE_READ(ctx, regs[0])
#endif

SEC("?kprobe")
int kprobe_enter(struct pt_regs *ctx)
{
	struct pt_regs *regs = (void *)ARGUMENT1(ctx);

	return enter(regs, number_of(regs), 1, BY_HELPER);
}

SEC("?kprobe")
int old_kprobe_enter(struct pt_regs *ctx)
{
	struct pt_regs *regs = (void *)ARGUMENT1(ctx);

	return enter(regs, number_of(regs), 1, BY_TREE);
}

SEC("?kretprobe")
int kprobe_leave(struct pt_regs *ctx)
{
	return leave(0, RETURNED(ctx));
}

SEC("?kprobe")
int kprobe_permission(struct pt_regs *ctx)
{
	keep_permission((void *)ARGUMENT2(ctx), ARGUMENT3(ctx));
	return 0;
}

SEC("?kprobe")
int kprobe_object(struct pt_regs *ctx)
{
	keep_checked_object((void *)ARGUMENT1(ctx));
	return 0;
}

SEC("?kprobe")
int kprobe_message(struct pt_regs *ctx)
{
	keep_message((void *)ARGUMENT1(ctx), (void *)ARGUMENT2(ctx));
	return 0;
}

SEC("?kprobe")
int kprobe_operations(struct pt_regs *ctx)
{
	keep_operations((void *)ARGUMENT1(ctx), (void *)ARGUMENT2(ctx), ARGUMENT3(ctx));
	return 0;
}

SEC("?kprobe")
int kprobe_settings(struct pt_regs *ctx)
{
	keep_settings(ARGUMENT4(ctx), (void *)ARGUMENT5(ctx));
	return 0;
}

#endif
