/* SPDX-License-Identifier: GPL-2.0 */
/* The user memory behind pointer arguments. Nothing here waits for a page. */
#ifndef IPCWARDEN_MEMORY_H
#define IPCWARDEN_MEMORY_H

#define PAGE_BYTES 4096
#define EFAULT	   14

/*
 * Reads up to wanted bytes into dst, at most room, and returns the state. Where
 * the whole is not readable, what lies in the first page often is: a buffer that
 * ends before unmapped memory, or whose later pages nobody has touched yet.
 */
static __always_inline __u8 read_user(void *dst, __u32 room, __u64 address, __u64 wanted, __u32 *captured)
{
	/* 64 bits, for clang tests a copy of a 32-bit value, of which the verifier learns nothing. */
	__u64 bytes = wanted > room ? room : wanted;
	__u64 in_page = PAGE_BYTES - (address & (PAGE_BYTES - 1));

	*captured = 0;
	if (!bytes)
		return VIEW_WHOLE;
	/* clang drops the bound that it can prove itself, and the verifier wants it. */
	asm volatile("" : "+r"(bytes));
	if (bytes > room)
		return VIEW_UNREADABLE;
	if (!bpf_probe_read_user(dst, bytes, (void *)address)) {
		*captured = bytes;
		return bytes == wanted ? VIEW_WHOLE : VIEW_CUT;
	}
	if (in_page >= bytes)
		return VIEW_UNREADABLE;
	asm volatile("" : "+r"(in_page)); /* one test and no more: in_page is never 0 */
	if (in_page > room)
		return VIEW_UNREADABLE;
	if (bpf_probe_read_user(dst, in_page, (void *)address))
		return VIEW_UNREADABLE;
	*captured = in_page;
	return VIEW_CUT;
}

/* Bytes of a pointer or a long in the caller's ABI. */
static __always_inline __u32 word_bytes(const struct record *record)
{
	return record->flags & RECORD_COMPAT ? 4 : 8;
}

static __always_inline __u64 add_saturated(__u64 a, __u64 b)
{
	return a + b < a ? ~0ULL : a + b;
}

/* Bytes of MEMORY_MAIN that the call asks the kernel to read at entry; 0 for none. */
static __always_inline __u64 main_bytes_at_entry(struct record *record, const struct call *about, __u8 *pointee)
{
	__u64 length = record->args[(about->main + 1) & 3];
	__u32 command = record->command & ~COMMAND_IPC_64;

	*pointee = about->main_pointee;
	switch (about->main_pointee) {
	case POINTEE_MSGBUF_IN:
		return add_saturated(length, word_bytes(record));
	case POINTEE_SEMBUFS: /* nsops is unsigned in the kernel, and limited long before this */
		return (length & 0xffffffff) * SEMBUF_BYTES;
	case POINTEE_SEMUN:
		if (command == COMMAND_SETALL)
			return record->object.sizes[0] * sizeof(__u16);
		/* fallthrough */
	case POINTEE_SETTINGS:
		if (command != COMMAND_IPC_SET)
			return 0;
		*pointee = POINTEE_SETTINGS;
		if (!(record->flags & RECORD_COMPAT))
			return settings_bytes[about->kind & 3][0];
		if ((record->flags & RECORD_MULTIPLEXED || ABI_COMPAT == ABI_ARM) && !(record->command & COMMAND_IPC_64))
			return settings_bytes[about->kind & 3][2];
		return settings_bytes[about->kind & 3][1];
	default:
		return 0;
	}
}

/* How much of MEMORY_MAIN to capture: operations and settings whole, content as told. */
static __always_inline __u64 main_bytes_bound(struct record *record, __u8 pointee)
{
	switch (pointee) {
	case POINTEE_MSGBUF_IN:
	case POINTEE_MSGBUF_OUT:
		return word_bytes(record) + snapshot_bytes;
	case POINTEE_SEMUN:
		return snapshot_bytes;
	default:
		return LARGE_BYTES;
	}
}

/* Reads MEMORY_MAIN to its place and returns the state. */
static __always_inline __u8 read_main(struct inflight *call)
{
	struct record *record = &call->record;
	struct memory *memory = &record->memory[MEMORY_MAIN];
	__u64 bound = main_bytes_bound(record, memory->pointee);
	__u64 bytes = memory->wanted > bound ? bound : memory->wanted;
	__u32 tid = record->host_tid;
	struct large_record *large;
	__u8 state;

	if (bytes > INLINE_BYTES) {
		bpf_map_update_elem(&large_records, &tid, &blank_large, BPF_ANY);
		large = bpf_map_lookup_elem(&large_records, &tid);
		if (large) {
			call->large = 1;
			state = read_user(large->main, LARGE_BYTES, memory->address, bytes, &memory->captured);
			goto out;
		}
		COUNT(large_full);
	}
	state = read_user(call->main, INLINE_BYTES, memory->address, bytes, &memory->captured);
out:
	return state == VIEW_WHOLE && bytes < memory->wanted ? VIEW_CUT : state;
}

/* Reads a word or a timespec to its place in record.small. */
static __always_inline void read_small(struct record *record, __u32 place, __u64 address, __u32 wanted, __u8 pointee)
{
	struct memory *memory = &record->memory[place];

	memory->used = 1;
	memory->pointee = pointee;
	memory->address = address;
	memory->wanted = wanted;
	memory->at_entry = read_user(record->small[place - 1], SMALL_BYTES, address, wanted, &memory->captured);
}

static __always_inline __u64 small_word(struct record *record, __u32 at)
{
	__u32 word = 0;

	__builtin_memcpy(&word, &record->small[0][at], sizeof(word));
	return word;
}

/*
 * ipc(2) passes some arguments through memory: the union of SEMCTL, and message
 * pointer and type of MSGRCV version 0. Only 32-bit callers have ipc(2) on the
 * architectures of the table, so words have four bytes.
 */
static __always_inline void resolve_indirect_arguments(struct record *record)
{
	__u64 ptr = record->raw[4];

	if (record->event == EVENT_SEMCTL) {
		read_small(record, MEMORY_INDIRECT, ptr, 4, POINTEE_NONE);
		record->args[ARG_SEMCTL_INDIRECT] = small_word(record, 0);
	} else if (record->event == EVENT_MSGRCV && !(record->raw[0] >> 16)) {
		read_small(record, MEMORY_INDIRECT, ptr, 8, POINTEE_NONE);
		record->args[ARG_MSGRCV_MSGP] = small_word(record, 0);
		record->args[ARG_MSGRCV_MSGTYP] = small_word(record, 4);
	}
}

static __always_inline void read_memory_at_entry(struct inflight *call)
{
	struct record *record = &call->record;
	const struct call *about = &calls[record->event];
	struct memory *main = &record->memory[MEMORY_MAIN];
	__u8 pointee;

	if (about->main >= 0) {
		__u64 wanted = main_bytes_at_entry(record, about, &pointee);

		if (wanted) {
			main->used = 1;
			main->pointee = pointee;
			main->address = record->args[about->main & 3];
			main->wanted = wanted;
			main->at_entry = read_main(call);
		}
	}
	if (about->timeout >= 0 && record->args[about->timeout & 3]) {
		__u32 bytes = record->flags & RECORD_COMPAT && !(record->flags & RECORD_TIME64) ? 8 : 16;

		read_small(record, MEMORY_TIMEOUT, record->args[about->timeout & 3], bytes, POINTEE_TIMESPEC);
	}
}

/*
 * At exit: what the kernel has written, and a second try for input that nobody
 * had touched before the kernel itself read it.
 */
static __always_inline void read_memory_at_exit(struct inflight *call)
{
	struct record *record = &call->record;
	const struct call *about = &calls[record->event];
	struct memory *main = &record->memory[MEMORY_MAIN];
	struct memory *timeout = &record->memory[MEMORY_TIMEOUT];
	struct memory *indirect = &record->memory[MEMORY_INDIRECT];

	if (about->main_pointee == POINTEE_MSGBUF_OUT && record->ret >= 0) {
		main->used = 1;
		main->pointee = POINTEE_MSGBUF_OUT;
		main->address = record->args[about->main & 3];
		main->wanted = record->ret + word_bytes(record);
		main->at_exit = read_main(call);
	} else if (about->main_pointee == POINTEE_MSGBUF_OUT && record->ret == -EFAULT) {
		main->used = 1;
		main->pointee = POINTEE_MSGBUF_OUT;
		main->address = record->args[about->main & 3];
		main->wanted = add_saturated(record->args[(about->main + 1) & 3], word_bytes(record));
		main->at_exit = VIEW_UNREADABLE; /* by the kernel itself, and nothing was written */
	} else if (main->at_entry == VIEW_UNREADABLE) {
		main->at_exit = read_main(call);
	}
	if (timeout->at_entry == VIEW_UNREADABLE)
		timeout->at_exit = read_user(record->small[MEMORY_TIMEOUT - 1], SMALL_BYTES, timeout->address,
					     timeout->wanted, &timeout->captured);
	/* With EFAULT the segment stays attached: only its address could not be stored. */
	if (record->event == EVENT_SHMAT && record->flags & RECORD_MULTIPLEXED &&
	    (!record->ret || record->ret == -EFAULT)) {
		indirect->used = 1;
		indirect->address = record->raw[3];
		indirect->wanted = 4;
		indirect->at_exit = VIEW_UNREADABLE;
		if (!record->ret)
			indirect->at_exit = read_user(record->small[0], SMALL_BYTES, indirect->address, 4,
						      &indirect->captured);
	}
}

#endif
