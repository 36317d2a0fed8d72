/* SPDX-License-Identifier: GPL-2.0 */
/* The user memory behind pointer arguments. Nothing here waits for a page. */
#ifndef IPCWARDEN_MEMORY_H
#define IPCWARDEN_MEMORY_H

#define PAGE_BYTES 4096

/*
 * Reads up to wanted bytes of user memory into dst, at most room, and returns the
 * state. Where the whole is not readable, what lies in the first page often is: a
 * buffer that ends before unmapped memory, or whose later pages nobody has touched
 * yet.
 */
static __always_inline __u8 read_user(void *dst, __u32 room, __u64 address, __u64 wanted, __u16 *captured)
{
	/* 64 bits, for clang tests a copy of a 32-bit value, of which the verifier learns nothing. */
	__u64 bytes = wanted > room ? room : wanted;
	__u64 in_page = PAGE_BYTES - (address & (PAGE_BYTES - 1));

	if (!bytes)
		return STATE_WHOLE;
	/* clang drops the bound that it can prove itself, and the verifier wants it. */
	asm volatile("" : "+r"(bytes));
	if (bytes > room)
		return STATE_UNREADABLE;
	if (!bpf_probe_read_user(dst, bytes, (void *)address)) {
		*captured = bytes;
		return bytes == wanted ? STATE_WHOLE : STATE_CUT;
	}
	if (in_page >= bytes)
		return STATE_UNREADABLE;
	asm volatile("" : "+r"(in_page)); /* one test and no more: in_page is never 0 */
	if (in_page > room)
		return STATE_UNREADABLE;
	if (bpf_probe_read_user(dst, in_page, (void *)address))
		return STATE_UNREADABLE;
	*captured = in_page;
	return STATE_CUT;
}

/* The same for memory of the kernel, which is there. */
static __always_inline __u8 read_kernel(void *dst, __u32 room, const void *address, __u64 wanted, __u16 *captured)
{
	__u64 bytes = wanted > room ? room : wanted;

	if (!bytes)
		return STATE_WHOLE;
	asm volatile("" : "+r"(bytes));
	if (bytes > room)
		return STATE_UNREADABLE;
	if (bpf_probe_read_kernel(dst, bytes, address))
		return STATE_UNREADABLE;
	*captured = bytes;
	return bytes == wanted ? STATE_WHOLE : STATE_CUT;
}

/*
 * Where the next view of a call goes, and how much room it has there; 0 if there
 * is none, which the sizes in maps.h exclude. A view of more than INLINE_VIEW
 * bytes takes the call to a large record.
 */
static __always_inline __u8 *next_view(struct inflight *call, struct view *view, __u64 bytes, __u32 *room)
{
	__u32 tid = call->record.host_tid;
	__u64 at = call->bytes;
	struct large_record *large;

	view->captured = 0;
	view->offset = at;
	if (bytes > INLINE_VIEW && !call->large) {
		bpf_map_update_elem(&large_records, &tid, &blank_large, BPF_ANY);
		large = bpf_map_lookup_elem(&large_records, &tid);
		if (large) {
			bpf_probe_read_kernel(large->views, INLINE_BYTES, call->views);
			call->large = 1;
		} else {
			COUNT(large_full);
		}
	}
	if (call->large) {
		large = bpf_map_lookup_elem(&large_records, &tid);
		if (!large || at > LARGE_BYTES - LARGE_VIEW)
			return 0;
		*room = LARGE_VIEW;
		return large->views + at;
	}
	if (at > INLINE_BYTES - INLINE_VIEW)
		return 0;
	*room = INLINE_VIEW;
	return call->views + at;
}

/* Bytes of a pointer or a long in the caller's ABI. */
static __always_inline __u32 word_bytes(const struct record *record)
{
	return record->flags & RECORD_COMPAT ? 4 : 8;
}

static __always_inline int writes_memory(__u8 pointee)
{
	return pointee == POINTEE_MSGBUF_OUT || pointee == POINTEE_SETTINGS_OUT || pointee == POINTEE_SEMUN_OUT;
}

static __always_inline __u64 add_saturated(__u64 a, __u64 b)
{
	return a + b < a ? ~0ULL : a + b;
}

/* Bytes of MEMORY_MAIN that the call asks the kernel to read or to write; 0 for none. */
static __always_inline __u64 main_bytes(struct record *record, const struct call *about, __u8 *pointee)
{
	__u64 length = record->args[(about->main + 1) & 3];
	__u32 command = record->command & ~COMMAND_IPC_64;

	*pointee = about->main_pointee;
	switch (about->main_pointee) {
	case POINTEE_MSGBUF_IN:
	case POINTEE_MSGBUF_OUT:
		return add_saturated(length, word_bytes(record));
	case POINTEE_SEMBUFS: /* nsops is unsigned in the kernel, and limited long before this */
		return (length & 0xffffffff) * SEMBUF_BYTES;
	case POINTEE_SEMUN:
		if (command == COMMAND_GETALL)
			*pointee = POINTEE_SEMUN_OUT;
		if (command == COMMAND_SETALL || command == COMMAND_GETALL)
			return record->object.sizes[0] * sizeof(__u16);
		/* fallthrough */
	case POINTEE_SETTINGS:
		if (command == COMMAND_IPC_SET)
			*pointee = POINTEE_SETTINGS;
		else if (command_reads_object(about->kind, command))
			*pointee = POINTEE_SETTINGS_OUT;
		else
			return 0;
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
	case POINTEE_SEMUN_OUT:
		return snapshot_bytes;
	default:
		return LARGE_BYTES;
	}
}

/*
 * Looks at up to wanted bytes of user memory behind record.memory[place]. Not
 * inlined, for every piece of memory and both ends of a call need it.
 */
static __noinline int look(struct inflight *call, __u32 place, __u32 which, __u64 wanted)
{
	struct memory *memory;
	struct view *view;
	__u32 room;
	__u8 *dst;

	if (place >= MEMORY_PLACES || which >= VIEWS)
		return 0;
	memory = &call->record.memory[place];
	view = &memory->views[which];
	dst = next_view(call, view, wanted, &room);
	if (!dst) {
		view->state = STATE_CUT;
		return 0;
	}
	view->state = read_user(dst, room, memory->address, wanted, &view->captured);
	if (view->state == STATE_WHOLE && wanted < memory->wanted)
		view->state = STATE_CUT;
	call->bytes += view->captured;
	return 0;
}

static __always_inline void look_at_main(struct inflight *call, __u32 which)
{
	struct memory *memory = &call->record.memory[MEMORY_MAIN];
	__u64 bound = main_bytes_bound(&call->record, memory->pointee), text = 0;

	if (memory->wanted <= bound) {
		look(call, MEMORY_MAIN, which, memory->wanted);
		return;
	}
	look(call, MEMORY_MAIN, which, bound);
	if (memory->pointee == POINTEE_MSGBUF_IN || memory->pointee == POINTEE_MSGBUF_OUT)
		text = word_bytes(&call->record); /* is where it begins */
	digest(which, memory->address + text, memory->wanted - text);
}

/* Looks at a word or a timespec. */
static __always_inline void look_at_small(struct inflight *call, __u32 place, __u32 which, __u64 address, __u32 wanted,
					  __u8 pointee)
{
	struct memory *memory = &call->record.memory[place];

	memory->used = 1;
	memory->pointee = pointee;
	memory->address = address;
	memory->wanted = wanted;
	look(call, place, which, wanted);
}

static __always_inline __u32 word_at(const __u8 *views)
{
	__u32 word;

	__builtin_memcpy(&word, views, sizeof(word));
	return word;
}

/*
 * ipc(2) passes some arguments through memory: the union of SEMCTL, and message
 * pointer and type of MSGRCV version 0. Only 32-bit callers have ipc(2) on the
 * architectures of the table, so words have four bytes. The look is the first of
 * the call: its bytes are at the beginning of the views.
 */
static __always_inline void resolve_indirect_arguments(struct inflight *call)
{
	struct record *record = &call->record;
	struct view *view = &record->memory[MEMORY_INDIRECT].views[AT_ENTRY];
	__u64 ptr = record->raw[4];

	if (record->event == EVENT_SEMCTL) {
		look_at_small(call, MEMORY_INDIRECT, AT_ENTRY, ptr, 4, POINTEE_NONE);
		record->args[ARG_SEMCTL_INDIRECT] = view->captured >= 4 ? word_at(call->views) : 0;
	} else if (record->event == EVENT_MSGRCV && !(record->raw[0] >> 16)) {
		look_at_small(call, MEMORY_INDIRECT, AT_ENTRY, ptr, 8, POINTEE_NONE);
		record->args[ARG_MSGRCV_MSGP] = view->captured >= 4 ? word_at(call->views) : 0;
		record->args[ARG_MSGRCV_MSGTYP] = view->captured >= 8 ? word_at(call->views + 4) : 0;
	}
}

static __always_inline void read_memory_at_entry(struct inflight *call)
{
	struct record *record = &call->record;
	const struct call *about = &calls[record->event];
	struct memory *main = &record->memory[MEMORY_MAIN];
	__u8 pointee;

	if (about->main >= 0) {
		__u64 wanted = main_bytes(record, about, &pointee);

		if (wanted) {
			main->used = 1;
			main->pointee = pointee;
			main->address = record->args[about->main & 3];
			main->wanted = wanted;
			if (!writes_memory(pointee))
				look_at_main(call, AT_ENTRY);
		}
	}
	if (about->timeout >= 0 && record->args[about->timeout & 3]) {
		__u32 bytes = record->flags & RECORD_COMPAT && !(record->flags & RECORD_TIME64) ? 8 : 16;

		look_at_small(call, MEMORY_TIMEOUT, AT_ENTRY, record->args[about->timeout & 3], bytes, POINTEE_TIMESPEC);
	}
}

/*
 * At exit: what the kernel has written, and input once more. It may be another than
 * at entry, or readable only now that the kernel itself has read it. Main memory
 * comes last, as the sizes in maps.h have it.
 */
static __always_inline void read_memory_at_exit(struct inflight *call)
{
	struct record *record = &call->record;
	struct memory *main = &record->memory[MEMORY_MAIN];
	struct memory *timeout = &record->memory[MEMORY_TIMEOUT];
	struct memory *indirect = &record->memory[MEMORY_INDIRECT];

	if (timeout->used)
		look(call, MEMORY_TIMEOUT, AT_EXIT, timeout->wanted);
	/* With EFAULT the segment stays attached: only its address could not be stored. */
	if (record->event == EVENT_SHMAT && record->flags & RECORD_MULTIPLEXED &&
	    (!record->ret || record->ret == -EFAULT)) {
		indirect->used = 1;
		indirect->address = record->raw[3];
		indirect->wanted = 4;
		indirect->views[AT_EXIT].state = STATE_UNREADABLE;
		if (!record->ret)
			look(call, MEMORY_INDIRECT, AT_EXIT, 4);
	} else if (indirect->used) {
		look(call, MEMORY_INDIRECT, AT_EXIT, indirect->wanted);
	}
	if (!main->used)
		return;
	if (!writes_memory(main->pointee)) {
		look_at_main(call, AT_EXIT);
	} else if (record->ret >= 0) {
		if (main->pointee == POINTEE_MSGBUF_OUT)
			main->wanted = record->ret + word_bytes(record);
		look_at_main(call, AT_EXIT);
	} else if (record->ret == -EFAULT) {
		/* Unreadable by the kernel itself, and nothing was written. */
		main->views[AT_EXIT].state = STATE_UNREADABLE;
	}
}

#endif
