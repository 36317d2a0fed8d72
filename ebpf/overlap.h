/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of other threads on the same memory at the same time. A call looks for them
 * when it begins and when it ends. One that begins and ends within another is found
 * by itself; pkg/overlap tells the other.
 */
#ifndef IPCWARDEN_OVERLAP_H
#define IPCWARDEN_OVERLAP_H

#define PLACES_TRIED 4

/* MSGMAX, include/uapi/linux/msg.h, and the type of a message. */
#define LARGEST_MESSAGE (8192 + 8)

/*
 * The bytes that a call uses. A receiver may say that it has room for a message of
 * any size, and have less.
 */
static __always_inline __u64 used_length(const struct memory *main)
{
	if (main->pointee == POINTEE_MSGBUF_OUT && main->wanted > LARGEST_MESSAGE)
		return LARGEST_MESSAGE;
	return main->wanted;
}

static __always_inline void add_overlap(struct inflight *call, const struct overlap *other)
{
	__u32 found = call->overlaps_found;
	__u32 i;

#pragma unroll
	for (i = 0; i < OVERLAPS; i++) {
		if (i < found && call->overlaps[i].host_tid == other->host_tid &&
		    call->overlaps[i].entered_ns == other->entered_ns)
			return;
	}
	if (found >= OVERLAPS) {
		call->record.overlaps_omitted++;
		return;
	}
	call->overlaps[found] = *other;
	call->overlaps_found = found + 1;
}

/*
 * Adds the calls in the space of the current one that are on its memory. Not static,
 * so that it is verified once.
 */
__noinline int find_overlaps(void)
{
	struct inflight *call = current_call();
	struct memory *main;
	struct space *space;
	__u64 end;
	__u32 i;

	if (!call)
		return 0;
	space = bpf_map_lookup_elem(&spaces, &call->space);
	if (!space)
		return 0;
	main = &call->record.memory[MEMORY_MAIN];
	end = add_saturated(main->address, used_length(main));
	for (i = 0; i < PLACES; i++) {
		struct overlap other = space->places[i];

		if (!other.entered_ns || other.host_tid == call->record.host_tid)
			continue;
		if (other.address >= end || main->address >= add_saturated(other.address, other.length))
			continue;
		/*
		 * The other one has to know of this one, although it may not look again before
		 * it ends: it clears its place and then reads met, this one the other way round,
		 * so that one of the two notices.
		 */
		__sync_fetch_and_add(&space->met[i], 1);
		if (*(volatile __u64 *)&space->places[i].entered_ns == other.entered_ns)
			add_overlap(call, &other);
	}
	return 0;
}

/* At entry: takes a place in the address space, if others use that too. */
static __always_inline void enter_space(struct task_struct *task, struct inflight *call)
{
	struct memory *main = &call->record.memory[MEMORY_MAIN];
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u64 key = (__u64)mm;
	struct space *space;
	__u32 i;

	if (!main->used || !main->wanted || BPF_CORE_READ(mm, mm_users.counter) < 2)
		return;
	space = bpf_map_lookup_elem(&spaces, &key);
	if (!space) {
		bpf_map_update_elem(&spaces, &key, &blank_space, BPF_NOEXIST);
		space = bpf_map_lookup_elem(&spaces, &key);
		if (!space)
			return;
	}
	for (i = 0; i < PLACES_TRIED; i++) {
		__u32 index = (call->record.host_tid + i) & (PLACES - 1);
		struct overlap *place = &space->places[index];

		if (place->entered_ns && place->host_tid != call->record.host_tid)
			continue;
		place->host_pid = call->record.host_pid;
		place->host_tid = call->record.host_tid;
		place->event = call->record.event;
		place->writes = writes_memory(main->pointee);
		place->address = main->address;
		place->length = used_length(main);
		space->met[index] = 0;
		*(volatile __u64 *)&place->entered_ns = call->record.entered_ns; /* last: now others see it */
		call->place = index;
		break;
	}
	call->space = key;
	if (i == PLACES_TRIED)
		call->place = PLACES;
	find_overlaps();
}

/* At exit, or when it is known that there was one. */
static __always_inline void leave_space(struct inflight *call, int look)
{
	struct space *space;
	struct overlap *place;
	__u32 index;

	if (!call->space)
		return;
	if (look)
		find_overlaps();
	space = bpf_map_lookup_elem(&spaces, &call->space);
	call->space = 0;
	call->met = 1; /* nobody knows, if it had no place or has lost it */
	if (!space || call->place >= PLACES)
		return;
	index = call->place & (PLACES - 1);
	place = &space->places[index];
	if (place->host_tid != call->record.host_tid)
		return;
	__sync_fetch_and_add(&place->entered_ns, -place->entered_ns); /* atomic, and so in order */
	call->met = *(volatile __u32 *)&space->met[index];
}

#endif
