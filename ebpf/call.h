/* SPDX-License-Identifier: GPL-2.0 */
/* One call, from its entry to its exit, whatever hook it is seen by. */
#ifndef IPCWARDEN_CALL_H
#define IPCWARDEN_CALL_H

/* Wakes the reader once this much waits for it; else it comes by itself. */
#define WAKEUP_BYTES (64 * 1024)

#define ERESTARTSYS	 512
#define ERESTART_LAST	 516
#define MAX_ERRNO	 4095
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

/* The number of the call that regs belong to, as the kernel itself reads it. */
static __always_inline long number_of(struct pt_regs *regs)
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

static __always_inline int is_at_tracepoint(const struct record *record)
{
	__u8 event = record->flags & RECORD_MULTIPLEXED ? EVENT_IPC : record->event;

	return !!(tracepoint_events[!!(record->flags & RECORD_COMPAT)] & 1ULL << (event & 63));
}

/* A call whose exit nobody saw: the kernel had no room to watch for it. */
static __always_inline void miss_return(struct inflight *call)
{
	__u32 tid = call->record.host_tid;

	call->active = 0;
	leave_space(call, 0);
	forget_message(call);
	if (call->large)
		bpf_map_delete_elem(&large_records, &tid);
	COUNT(return_missed);
}

/* Puts the overlaps behind the views. */
static __always_inline void append_overlaps(struct inflight *call, __u8 *views, __u64 limit)
{
	__u64 at = call->bytes;
	__u32 count = call->overlaps_found;

	asm volatile("" : "+r"(at));
	if (!count || count > OVERLAPS || at > limit)
		return;
	bpf_probe_read_kernel(views + at, OVERLAPS_BYTES, call->overlaps);
	call->record.overlaps_offset = at;
	call->record.overlaps = count;
	call->bytes += count * sizeof(struct overlap);
}

/* When the call ended, and how often its thread slept until then. */
static __always_inline void note_end(struct inflight *call)
{
	struct record *record = &call->record;

	record->exited_ns = bpf_ktime_get_boot_ns();
	record->sleeps = (__u32)BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), nvcsw) - record->sleeps;
}

/* Ends a call of which nothing is sent. */
static __always_inline void discard(struct inflight *call)
{
	__u32 tid = call->record.host_tid;

	call->active = 0;
	if (call->large)
		bpf_map_delete_elem(&large_records, &tid);
}

/* Hands the finished record to the reader. Not inlined: three places need it. */
static __noinline int emit(struct inflight *call)
{
	struct record *record;
	struct large_record *large;
	__u64 bytes, waiting, wakeup = BPF_RB_NO_WAKEUP;
	__u32 tid;
	long err = -1;

	if (!call)
		return 0;
	tell_program();
	call->active = 0;
	record = &call->record;
	record->cpu = bpf_get_smp_processor_id();
	if (call->large) {
		large = bpf_map_lookup_elem(&large_records, &record->host_tid);
		if (large)
			append_overlaps(call, large->views, LARGE_BYTES);
	} else {
		append_overlaps(call, call->views, INLINE_BYTES);
	}
	waiting = bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA);
	if (waiting >= WAKEUP_BYTES)
		wakeup = BPF_RB_FORCE_WAKEUP;

	bytes = sizeof(*record) + call->bytes;
	record->length = bytes;
	/* clang tests a copy, of which older verifiers learn nothing of this one. */
	asm volatile("" : "+r"(bytes));
	if (waiting >= SCARCE_BYTES && !has_share(record->host_pid, bytes)) {
		discard(call);
	} else if (call->large) {
		tid = record->host_tid;
		large = bpf_map_lookup_elem(&large_records, &tid);
		if (large && bytes <= sizeof(*large)) {
			__builtin_memcpy(&large->record, record, sizeof(*record));
			err = bpf_ringbuf_output(&records, large, bytes, wakeup);
		}
		bpf_map_delete_elem(&large_records, &tid);
	} else if (bytes <= sizeof(*record) + sizeof(call->views)) {
		err = bpf_ringbuf_output(&records, record, bytes, wakeup);
	}
	if (!err) {
		expect_repeats(call);
		COUNT(emitted);
	} else if (count_again(call)) {
		COUNT(aggregated);
	} else {
		COUNT(ring_full);
	}
	return 0;
}

/*
 * The entry of a call: regs are those that its caller came with, and number what
 * the kernel will take for the number of the call. at_function tells that the
 * program runs at the call's entry function and not at the tracepoint.
 */
static __always_inline int enter(struct pt_regs *regs, long number, int at_function, enum mapping_search search)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	long index = table_number(number);
	struct inflight *call;
	struct record *record;
	int compat, multiplexed;
	__u8 entry, event;
	__u64 raw[6], args[6] = {};

	if (!lookup_call(index, 0) && !lookup_call(index, 1))
		return 0;
	compat = !!task_is_compat(task);
	if (compat && index != number)
		return 0;
	entry = lookup_call(index, compat);
	if (!entry)
		return 0;
	event = entry & ~CALL_TIME64;
	if (!!(tracepoint_events[compat] & 1ULL << event) == at_function)
		return 0; /* watched at the other place */
	COUNT(entered);

	read_registers(regs, compat, raw);
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
	if (call->active)
		miss_return(call);
	record = &call->record;
	call->active = 1;
	call->large = 0;
	call->key_found = 0;
	call->bytes = 0;
	call->overlaps_found = 0;
	call->met = 0;
	record->format = RECORD_FORMAT;
	record->event = event;
	record->abi = compat ? ABI_COMPAT : ABI_NATIVE;
	record->flags = (compat ? RECORD_COMPAT : 0) | (multiplexed ? RECORD_MULTIPLEXED : 0) |
			(entry & CALL_TIME64 ? RECORD_TIME64 : 0);
	__builtin_memcpy(record->raw, raw, sizeof(raw));
	__builtin_memcpy(record->args, args, sizeof(args));
	if (pushdown && !may_match(0)) {
		discard(call);
		COUNT(unmatched);
		return 0;
	}
	record->ret = 0;
	record->copied_ns = 0;
	record->copied_sleeps = 0;
	record->overlaps = 0;
	record->overlaps_omitted = 0;
	record->repeats = 0;
	record->shape = 0;
	__builtin_memset(&record->object, 0, sizeof(record->object));
	__builtin_memset(record->memory, 0, sizeof(record->memory));
	record->command = 0;
	read_circumstances(task, record);

	if (event != EVENT_IPC && event < EVENT_COUNT) {
		const struct call *about = &calls[event];

		if (multiplexed)
			resolve_indirect_arguments(call);
		if (about->command > 0)
			record->command = record->args[about->command & 3];
		find_object_at_entry(task, call);
		if (memory_watched) {
			read_memory_at_entry(call);
			look_at_mappings(call, search);
		}
	}
	record->sleeps = BPF_CORE_READ(task, nvcsw);
	record->entered_ns = bpf_ktime_get_boot_ns();
	enter_space(task, call);
	expect_message(call);
	return 0;
}

/*
 * What a call returned. At the tracepoint arm64 has the low half of a 32-bit
 * caller's register, in newer kernels with its sign, which makes addresses negative
 * (arch/arm64/include/asm/syscall.h: syscall_get_return_value).
 */
static __always_inline long returned(const struct record *record, long ret)
{
#if defined(__TARGET_ARCH_arm64)
	if (record->flags & RECORD_COMPAT)
		return (__s32)ret < -MAX_ERRNO ? ret & MAX_COMPAT_VALUE : (__s32)ret;
#else
	(void)record;
#endif
	return ret;
}

/*
 * Whether these are the registers that the call was entered with: no call of ours
 * changes them. A program that is left out at the exit of one call and at the entry
 * of the next would otherwise take the end of the one for that of the other.
 */
static __always_inline int is_exit_of(const struct record *record, struct pt_regs *regs)
{
	__u64 raw[6];
	__u32 i, other = 0;

	read_registers(regs, record->flags & RECORD_COMPAT, raw);
#pragma unroll
	for (i = 0; i < 6; i++)
		other |= raw[i] != record->raw[i];
	return !other;
}

/*
 * The exit of the call that this thread is in, if it is one of ours; regs are those
 * of its caller, or 0 where the program does not have them.
 */
static __always_inline int leave(struct pt_regs *regs, long ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct inflight *call = current_call();
	struct record *record;

	if (!call)
		return 0;
	record = &call->record;
	if (regs && !is_exit_of(record, regs)) {
		miss_return(call);
		return 0;
	}
	record->ret = ret = returned(record, ret);
	if ((ret == -EINTR || (ret <= -ERESTARTSYS && ret >= -ERESTART_LAST)) && task_is_dying(task))
		record->flags |= RECORD_UNFINISHED;
	if (record->event != EVENT_IPC && record->event < EVENT_COUNT) {
		find_object_at_exit(task, call);
		leave_space(call, 1);
		if (memory_watched)
			read_memory_at_exit(call);
		keep_allocated_message(call);
	}
	forget_message(call);
	note_end(call);
	if (pushdown && !(may_match(1) && pass_gates())) {
		discard(call);
		COUNT(unmatched);
		return 0;
	}
	if (pushdown && (is_muted() || is_repeat())) {
		discard(call);
		COUNT(aggregated);
		return 0;
	}
	return emit(call);
}

#endif
