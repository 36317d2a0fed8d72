//go:build ignore

// SPDX-License-Identifier: GPL-2.0
/*
 * The probe: every System V IPC call of every process, from entry to exit, as
 * one record in a ring.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "record.h"
#include "table.gen.h"
#include "maps.h"
#include "task.h"
#include "object.h"
#include "memory.h"

char LICENSE[] SEC("license") = "GPL";

/* Wakes the reader once this much waits for it; else it comes by itself. */
#define WAKEUP_BYTES (64 * 1024)

#define EINTR		 4
#define ERESTARTSYS	 512
#define ERESTART_LAST	 516
#define X32_SYSCALL_BIT	 0x40000000
#define MAX_COMPAT_VALUE 0xffffffffULL

static __always_inline __u8 lookup_call(long number, int compat)
{
	if (number < 0 || number >= CALL_NUMBERS)
		return EVENT_NONE;
	return compat ? compat_calls[number] : native_calls[number];
}

/* x32 shares the numbers and the structures of the native table. */
static __always_inline long table_number(long number)
{
#if defined(__TARGET_ARCH_x86)
	if (number & X32_SYSCALL_BIT)
		number &= ~(long)X32_SYSCALL_BIT;
#endif
	return number;
}

/*
 * A compat caller's registers hold what it likes in their upper halves when it
 * runs 64-bit code; the kernel ignores them.
 */
static __always_inline void read_registers(struct pt_regs *regs, int compat, __u64 *raw)
{
#if defined(__TARGET_ARCH_x86)
	if (compat) {
		raw[0] = BPF_CORE_READ(regs, bx) & MAX_COMPAT_VALUE;
		raw[1] = BPF_CORE_READ(regs, cx) & MAX_COMPAT_VALUE;
		raw[2] = BPF_CORE_READ(regs, dx) & MAX_COMPAT_VALUE;
		raw[3] = BPF_CORE_READ(regs, si) & MAX_COMPAT_VALUE;
		raw[4] = BPF_CORE_READ(regs, di) & MAX_COMPAT_VALUE;
		raw[5] = BPF_CORE_READ(regs, bp) & MAX_COMPAT_VALUE;
	} else {
		raw[0] = BPF_CORE_READ(regs, di);
		raw[1] = BPF_CORE_READ(regs, si);
		raw[2] = BPF_CORE_READ(regs, dx);
		raw[3] = BPF_CORE_READ(regs, r10);
		raw[4] = BPF_CORE_READ(regs, r8);
		raw[5] = BPF_CORE_READ(regs, r9);
	}
#elif defined(__TARGET_ARCH_arm64)
	__u64 mask = compat ? MAX_COMPAT_VALUE : ~0ULL;

	raw[0] = BPF_CORE_READ(regs, orig_x0) & mask;
	raw[1] = BPF_CORE_READ(regs, regs[1]) & mask;
	raw[2] = BPF_CORE_READ(regs, regs[2]) & mask;
	raw[3] = BPF_CORE_READ(regs, regs[3]) & mask;
	raw[4] = BPF_CORE_READ(regs, regs[4]) & mask;
	raw[5] = BPF_CORE_READ(regs, regs[5]) & mask;
#endif
}

static __always_inline long number_at_exit(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(regs, orig_ax);
#elif defined(__TARGET_ARCH_arm64)
	return BPF_CORE_READ(regs, syscallno);
#endif
}

/* Whether any of the filters wants nothing of this call. */
static __always_inline int is_unwanted(struct task_struct *task, __u8 event, int multiplexed)
{
	__u64 events = 1ULL << event | (multiplexed ? 1ULL << EVENT_IPC : 0);

	if (!(wanted_events & events))
		return 1;
	if (filter_pids) {
		__u64 id = bpf_get_current_pid_tgid();
		__u32 tgid = id >> 32, tid = id;

		if (!bpf_map_lookup_elem(&wanted_pids, &tgid) && !bpf_map_lookup_elem(&wanted_pids, &tid))
			return 1;
	}
	if (filter_uids) {
		__u32 uid = BPF_CORE_READ(task, cred, uid.val);

		if (!bpf_map_lookup_elem(&wanted_uids, &uid))
			return 1;
	}
	if (filter_comms) {
		struct comm comm = {};

		bpf_get_current_comm(comm.name, sizeof(comm.name));
		if (!bpf_map_lookup_elem(&wanted_comms, &comm))
			return 1;
	}
	return 0;
}

/* The entry of a thread, made at its first call; 0 if there is no room for it. */
static __always_inline struct inflight *thread_entry(struct task_struct *task)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct inflight *call = bpf_map_lookup_elem(&threads, &tid);

	/* A thread id that another thread had before, whose end was not seen. */
	if (call && call->record.thread_start_ns == BPF_CORE_READ(task, start_boottime))
		return call;
	if (bpf_map_update_elem(&threads, &tid, &blank_inflight, BPF_ANY))
		return 0;
	call = bpf_map_lookup_elem(&threads, &tid);
	if (call)
		read_identity(task, &call->record);
	return call;
}

/* Hands the finished record to the reader. Not inlined: three places need it. */
static __noinline int emit(struct inflight *call)
{
	struct record *record;
	struct large_record *large = 0;
	__u32 tid, captured;
	__u64 wakeup = BPF_RB_NO_WAKEUP;
	long err;

	if (!call)
		return 0;
	call->active = 0;
	record = &call->record;
	record->cpu = bpf_get_smp_processor_id();
	record->exited_ns = bpf_ktime_get_boot_ns();
	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= WAKEUP_BYTES)
		wakeup = BPF_RB_FORCE_WAKEUP;

	captured = record->memory[MEMORY_MAIN].captured;
	if (call->large) {
		tid = record->host_tid;
		large = bpf_map_lookup_elem(&large_records, &tid);
	}
	if (large && captured <= LARGE_BYTES) {
		record->length = sizeof(*record) + captured;
		__builtin_memcpy(&large->record, record, sizeof(*record));
		err = bpf_ringbuf_output(&records, large, sizeof(*record) + captured, wakeup);
	} else if (captured <= INLINE_BYTES) {
		record->length = sizeof(*record) + captured;
		err = bpf_ringbuf_output(&records, record, sizeof(*record) + captured, wakeup);
	} else {
		err = -1;
	}
	if (large)
		bpf_map_delete_elem(&large_records, &tid);
	if (err)
		COUNT(ring_full);
	else
		COUNT(emitted);
	return 0;
}

SEC("raw_tp/sys_enter")
int sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	long number = table_number(ctx->args[1]);
	struct inflight *call;
	struct record *record;
	int compat, multiplexed;
	__u8 entry, event;
	__u64 raw[6], args[6] = {};

	if (!lookup_call(number, 0) && !lookup_call(number, 1))
		return 0;
	compat = !!task_is_compat(task);
	if (compat && number != (long)ctx->args[1])
		return 0;
	entry = lookup_call(number, compat);
	if (!entry)
		return 0;
	COUNT(entered);

	read_registers((void *)ctx->args[0], compat, raw);
	event = entry & ~CALL_TIME64;
	multiplexed = event == EVENT_IPC;
	if (multiplexed)
		event = demultiplex(raw[0], raw, args);
	if (event == EVENT_IPC || !multiplexed)
		__builtin_memcpy(args, raw, sizeof(args));
	if (is_unwanted(task, event, multiplexed)) {
		COUNT(filtered);
		return 0;
	}

	call = thread_entry(task);
	if (!call) {
		COUNT(threads_full);
		return 0;
	}
	record = &call->record;
	if (call->active) { /* its exit was not seen */
		record->flags |= RECORD_UNFINISHED;
		emit(call);
	}
	call->active = 1;
	call->large = 0;
	call->key_found = 0;
	record->format = RECORD_FORMAT;
	record->event = event;
	record->abi = compat ? ABI_COMPAT : ABI_NATIVE;
	record->flags = (compat ? RECORD_COMPAT : 0) | (multiplexed ? RECORD_MULTIPLEXED : 0) |
			(entry & CALL_TIME64 ? RECORD_TIME64 : 0);
	record->ret = 0;
	__builtin_memcpy(record->raw, raw, sizeof(raw));
	__builtin_memcpy(record->args, args, sizeof(args));
	__builtin_memset(&record->object, 0, sizeof(record->object));
	__builtin_memset(record->memory, 0, sizeof(record->memory));
	record->command = 0;
	read_circumstances(task, record);

	if (event != EVENT_IPC && event < EVENT_COUNT) {
		const struct call *about = &calls[event];

		if (multiplexed)
			resolve_indirect_arguments(record);
		if (about->command > 0)
			record->command = record->args[about->command & 3];
		find_object_at_entry(task, call);
		read_memory_at_entry(call);
	}
	record->entered_ns = bpf_ktime_get_boot_ns();
	return 0;
}

SEC("raw_tp/sys_exit")
int sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	long number = table_number(number_at_exit((void *)ctx->args[0]));
	long ret = ctx->args[1];
	__u32 tid = bpf_get_current_pid_tgid();
	struct inflight *call;
	struct record *record;

	if (!lookup_call(number, 0) && !lookup_call(number, 1))
		return 0;
	call = bpf_map_lookup_elem(&threads, &tid);
	if (!call || !call->active)
		return 0;
	record = &call->record;
	record->ret = ret;
	if ((ret == -EINTR || (ret <= -ERESTARTSYS && ret >= -ERESTART_LAST)) && task_is_dying(task))
		record->flags |= RECORD_UNFINISHED;
	if (record->event != EVENT_IPC && record->event < EVENT_COUNT) {
		find_object_at_exit(task, call);
		read_memory_at_exit(call);
	}
	return emit(call);
}

/* A thread that dies in a call, and the end of its entry. */
SEC("raw_tp/sched_process_exit")
int sched_process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 tid = BPF_CORE_READ((struct task_struct *)ctx->args[0], pid);
	struct inflight *call = bpf_map_lookup_elem(&threads, &tid);

	if (!call)
		return 0;
	if (call->active) {
		call->record.flags |= RECORD_UNFINISHED;
		emit(call);
	}
	bpf_map_delete_elem(&threads, &tid);
	return 0;
}
