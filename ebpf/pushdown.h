/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether any signature can match a call. What is known when the call begins can
 * reject it before anything is read; the rest is decided when it ends, before it is
 * written to the ring. What is not certain counts as wanted.
 *
 * What is not static here is verified once, and so finds the current call by itself.
 */
#ifndef IPCWARDEN_PUSHDOWN_H
#define IPCWARDEN_PUSHDOWN_H

#define FUSE_MAGIC   0x65735546 /* include/uapi/linux/magic.h */
#define SEMBUF_FLAGS 4	      /* include/uapi/linux/sem.h: where struct sembuf has them */
#define SEM_UNDO     010000
#define IPC_NOWAIT   04000    /* include/uapi/linux/ipc.h */

/*
 * Whether a word at two places of the views differs, as far as mask goes. The overlaps,
 * which follow the views, leave room for one that begins in these.
 */
static __always_inline int word_differs(const __u8 *views, __u64 limit, __u64 one, __u64 other, __u64 mask)
{
	asm volatile("" : "+r"(one), "+r"(other)); /* the verifier wants the bounds here */
	if (one > limit || other > limit)
		return 1;
	return ((*(const __u64 *)(views + one) ^ *(const __u64 *)(views + other)) & mask) != 0;
}

/* Whether n bytes at two places of the views differ, of which there are words * 8 at most. */
static __always_inline int bytes_differ(const __u8 *views, __u64 limit, __u32 words, __u64 one, __u64 other, __u64 n)
{
	__u64 whole = n / sizeof(__u64);
	__u32 i;

	if (!whole) /* the first bytes are the low ones */
		return word_differs(views, limit, one, other, (1ULL << 8 * n) - 1);
	for (i = 0; i < words && i < whole; i++) {
		if (word_differs(views, limit, one + i * sizeof(__u64), other + i * sizeof(__u64), ~0ULL))
			return 1;
	}
	n -= sizeof(__u64); /* the last word has some of the one before again */
	return word_differs(views, limit, one + n, other + n, ~0ULL);
}

/* Whether two looks at the memory of the current call differ, as far as both have it. */
__noinline int looks_differ(__u64 place, __u64 one, __u64 other)
{
	struct inflight *call = current_call();
	struct large_record *large;
	struct memory *memory;
	struct view *a, *b;
	__u64 n;

	asm volatile("" : "+r"(place), "+r"(one), "+r"(other));
	if (!call || place >= MEMORY_PLACES || one >= VIEWS || other >= VIEWS)
		return 1;
	memory = &call->record.memory[place];
	a = &memory->views[one];
	b = &memory->views[other];
	/* The kernel's settings are those of a native caller: user space compares. */
	if (memory->pointee == POINTEE_SETTINGS && call->record.flags & RECORD_COMPAT && (one == IN_KERNEL || other == IN_KERNEL))
		return a->captured && b->captured;
	if (place == MEMORY_MAIN && a->digested && a->digested == b->digested &&
	    call->record.digests[one] != call->record.digests[other])
		return 1;
	n = a->captured < b->captured ? a->captured : b->captured;
	if (!n)
		return 0;
	if (!call->large)
		return bytes_differ(call->views, INLINE_BYTES, INLINE_VIEW / 8, a->offset, b->offset, n);
	large = bpf_map_lookup_elem(&large_records, &call->record.host_tid);
	if (!large)
		return 1;
	return bytes_differ(large->views, LARGE_BYTES, LARGE_VIEW / 8, a->offset, b->offset, n);
}

/* Whether any two looks at the current call's input differ. */
__noinline int input_differs(void)
{
	struct inflight *call = current_call();
	struct record *record;

	if (!call)
		return 1;
	record = &call->record;
	if (record->memory[MEMORY_MAIN].used && !writes_memory(record->memory[MEMORY_MAIN].pointee) &&
	    (looks_differ(MEMORY_MAIN, AT_ENTRY, AT_EXIT) || looks_differ(MEMORY_MAIN, AT_ENTRY, IN_KERNEL) ||
	     looks_differ(MEMORY_MAIN, IN_KERNEL, AT_EXIT)))
		return 1;
	if (record->memory[MEMORY_TIMEOUT].used && looks_differ(MEMORY_TIMEOUT, AT_ENTRY, AT_EXIT))
		return 1;
	/* The kernel writes the address of a segment. */
	return record->memory[MEMORY_INDIRECT].used && record->event != EVENT_SHMAT &&
	       looks_differ(MEMORY_INDIRECT, AT_ENTRY, AT_EXIT);
}

/* Whether one of the operations in a view is for a number that the set does not have. */
static __always_inline int is_beyond(const __u8 *views, __u64 limit, __u32 room, const struct view *view, __u64 semaphores)
{
	__u32 i;

	for (i = 0; i < room; i++) {
		__u64 done = i * SEMBUF_BYTES, at = view->offset + done;

		if (done + SEMBUF_BYTES > view->captured)
			return 0;
		asm volatile("" : "+r"(at));
		if (at > limit || *(const __u16 *)(views + at) >= semaphores)
			return 1;
	}
	return 0;
}

/* The same for the operations of the current call, at entry. */
__noinline int beyond_set(void)
{
	struct inflight *call = current_call();
	struct large_record *large;
	struct memory *main;
	struct view *view;
	__u64 semaphores;

	if (!call)
		return 1;
	main = &call->record.memory[MEMORY_MAIN];
	view = &main->views[AT_ENTRY];
	semaphores = call->record.object.sizes[0];
	if (!main->used || main->pointee != POINTEE_SEMBUFS || !call->record.object.kind)
		return 0;
	if (!call->large)
		return is_beyond(call->views, INLINE_BYTES, INLINE_VIEW / SEMBUF_BYTES, view, semaphores);
	large = bpf_map_lookup_elem(&large_records, &call->record.host_tid);
	return !large || is_beyond(large->views, LARGE_BYTES, LARGE_VIEW / SEMBUF_BYTES, view, semaphores);
}

/* The flags of all operations in a view. */
static __always_inline __u32 flags_in(const __u8 *views, __u64 limit, __u32 room, const struct view *view)
{
	__u32 i, flags = 0;

	for (i = 0; i < room; i++) {
		__u64 done = i * SEMBUF_BYTES, at = view->offset + done + SEMBUF_FLAGS;

		if (done + SEMBUF_BYTES > view->captured)
			break;
		asm volatile("" : "+r"(at));
		if (at > limit)
			return ~0U;
		flags |= *(const __u16 *)(views + at);
	}
	return flags;
}

/* The same for the current call, of what user space takes for its input; -1 if they are not known. */
__noinline int flags_of_operations(void)
{
	struct inflight *call = current_call();
	struct large_record *large;
	struct memory *main;
	struct view *view;

	if (!call)
		return -1;
	main = &call->record.memory[MEMORY_MAIN];
	if (!main->used || main->pointee != POINTEE_SEMBUFS)
		return 0;
	view = &main->views[main->views[AT_ENTRY].captured ? AT_ENTRY : AT_EXIT];
	if (!call->large)
		return flags_in(call->views, INLINE_BYTES, INLINE_VIEW / SEMBUF_BYTES, view);
	large = bpf_map_lookup_elem(&large_records, &call->record.host_tid);
	return large ? flags_in(large->views, LARGE_BYTES, LARGE_VIEW / SEMBUF_BYTES, view) : -1;
}

static __always_inline __u32 facts_of_mapping(const struct mapping *mapping)
{
	__u32 facts = mapping->flags & MAPPING_SEGMENT ? FACT_MAPS_SEGMENT : 0;

	if (mapping->state != MAPPING_MAPPED)
		return facts;
	if (mapping->flags & MAPPING_SHARED)
		facts |= FACT_MAPS_SHARED;
	if (mapping->flags & MAPPING_USERFAULTFD)
		facts |= FACT_MAPS_USERFAULTFD;
	if (mapping->magic)
		facts |= FACT_MAPS_FILE;
	if (mapping->magic == FUSE_MAGIC)
		facts |= FACT_MAPS_FUSE;
	return facts;
}

/* Adds to the facts what is mapped where the current call has memory. */
__noinline int mapping_facts(void)
{
	struct inflight *call = current_call();
	__u32 place;

	if (!call)
		return 0;
#pragma unroll
	for (place = 0; place < MEMORY_PLACES; place++) {
		call->fields[FIELD_FACTS] |= facts_of_mapping(&call->record.memory[place].mappings[FIRST_BYTE]);
		call->fields[FIELD_FACTS] |= facts_of_mapping(&call->record.memory[place].mappings[LAST_BYTE]);
	}
	return 0;
}

#define FACTS_OF_MAPPINGS (FACT_MAPS_SHARED | FACT_MAPS_USERFAULTFD | FACT_MAPS_FILE | FACT_MAPS_FUSE | FACT_MAPS_SEGMENT)

/* The facts that tests ask about. */
__noinline int find_facts(__u64 asked)
{
	struct inflight *call = current_call();
	const struct object *object;
	const struct record *record;
	__u64 facts = 0;
	int flags = 0;

	if (!call)
		return 0;
	record = &call->record;
	object = &record->object;
	if (object->kind) {
		facts |= FACT_HAS_OBJECT;
		if (object->created)
			facts |= FACT_CREATED;
		if (object->owner_uid != record->euid)
			facts |= FACT_OWNER_DIFFERS;
		if (object->creator_uid != record->euid)
			facts |= FACT_CREATOR_DIFFERS;
	}
	if (record->flags & RECORD_UNFINISHED)
		facts |= FACT_UNFINISHED;
	if (record->copied_ns)
		facts |= FACT_COPIED;
	if (call->overlaps_found || call->met)
		facts |= FACT_OVERLAPS;
	call->fields[FIELD_FACTS] = facts;
	if (asked & FACTS_OF_MAPPINGS)
		mapping_facts();
	if (asked & FACT_BEYOND_SET && beyond_set())
		call->fields[FIELD_FACTS] |= FACT_BEYOND_SET;
	if (asked & (FACT_UNDOES | FACT_NO_WAIT))
		flags = flags_of_operations();
	if (flags & SEM_UNDO)
		call->fields[FIELD_FACTS] |= FACT_UNDOES;
	if (flags & IPC_NOWAIT)
		call->fields[FIELD_FACTS] |= FACT_NO_WAIT;
	if (asked & FACT_DIFFERS && input_differs())
		call->fields[FIELD_FACTS] |= FACT_DIFFERS;
	call->uncertain = flags == -1 ? 1 << FIELD_FACTS : 0;
	return 0;
}

/* Fills in the fields that are known at entry, but for those that lie in memory. */
static __always_inline void fill_early_fields(struct inflight *call)
{
	const struct cred *cred = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), cred);
	const struct record *record = &call->record;

	__builtin_memcpy(&call->fields[FIELD_ARG0], record->args, sizeof(record->args));
	call->fields[FIELD_USER_ID] = BPF_CORE_READ(cred, uid.val);
	call->fields[FIELD_GROUP_ID] = BPF_CORE_READ(cred, gid.val);
	call->fields[FIELD_EFFECTIVE_USER_ID] = BPF_CORE_READ(cred, euid.val);
	call->fields[FIELD_EFFECTIVE_GROUP_ID] = BPF_CORE_READ(cred, egid.val);
	call->fields[FIELD_ORIGIN] = (record->flags & RECORD_COMPAT ? ORIGIN_COMPAT : 0) |
				     (record->flags & RECORD_MULTIPLEXED ? ORIGIN_MULTIPLEXED : 0);
	call->unknown = 0;
	if (!(record->flags & RECORD_MULTIPLEXED))
		return;
	if (record->event == EVENT_SEMCTL)
		call->unknown = 1 << ARG_SEMCTL_INDIRECT;
	else if (record->event == EVENT_MSGRCV)
		call->unknown = 1 << ARG_MSGRCV_MSGP | 1 << ARG_MSGRCV_MSGTYP;
}

/* Fills in all fields, at exit. The caller was who it was at entry. */
static __always_inline void fill_late_fields(struct inflight *call)
{
	const struct record *record = &call->record;
	const struct object *object = &record->object;

	call->unknown = call->uncertain;
	call->fields[FIELD_USER_ID] = record->uid;
	call->fields[FIELD_GROUP_ID] = record->gid;
	call->fields[FIELD_EFFECTIVE_USER_ID] = record->euid;
	call->fields[FIELD_EFFECTIVE_GROUP_ID] = record->egid;
	call->fields[FIELD_RETURN_VALUE] = record->ret;
	/* User space takes the address for it, which lies behind third. */
	if (record->event == EVENT_SHMAT && record->flags & RECORD_MULTIPLEXED && !record->ret)
		call->unknown |= 1 << FIELD_RETURN_VALUE;
	call->fields[FIELD_DURATION_NS] = record->exited_ns - record->entered_ns;
	call->fields[FIELD_SLEEPS] = record->sleeps;
	call->fields[FIELD_STALLED_NS] = record->copied_ns - record->entered_ns;
	call->fields[FIELD_STALLED_SLEEPS] = record->copied_sleeps;
	call->fields[FIELD_OBJECT_ID] = object->id;
	call->fields[FIELD_OBJECT_KEY] = object->key;
	call->fields[FIELD_OBJECT_MODE] = object->mode;
	call->fields[FIELD_OBJECT_OWNER_UID] = object->owner_uid;
	call->fields[FIELD_OBJECT_OWNER_GID] = object->owner_gid;
	call->fields[FIELD_OBJECT_CREATOR_UID] = object->creator_uid;
	call->fields[FIELD_OBJECT_CREATOR_GID] = object->creator_gid;
	call->fields[FIELD_OBJECT_SIZE0] = object->sizes[0];
	call->fields[FIELD_OBJECT_SIZE1] = object->sizes[1];
	call->fields[FIELD_OBJECT_SIZE2] = object->sizes[2];
	call->fields[FIELD_OBJECT_PID0] = object->pids[0];
	call->fields[FIELD_OBJECT_PID1] = object->pids[1];
}

__noinline int fill_fields(__u64 ended)
{
	struct inflight *call = current_call();

	if (!call)
		return 0;
	fill_early_fields(call);
	if (ended)
		fill_late_fields(call);
	return 0;
}

static __always_inline int passes(const struct inflight *call, const struct test *test)
{
	__u32 field = test->field & (FIELDS - 1);
	__s64 value = call->fields[field];

	if (call->unknown >> field & 1)
		return 1;
	if (test->kind == TEST_INT || (test->kind == TEST_LONG && call->record.flags & RECORD_COMPAT))
		value = (__s32)value;
	if (test->kind == TEST_UNSIGNED && value < 0)
		return 1;
	value &= test->mask;
	return (test->low <= value && value <= test->high) != test->outside;
}

/* Whether a signature can match the current call, at its entry or, ended, at its exit. */
__noinline int may_match(__u64 ended)
{
	struct inflight *call = current_call();
	__u32 zero = 0, id = EVENT_IPC, i;
	struct rule *rule;
	void *rules;

	if (!call)
		return 1;
	call->matched = ~0U;
	rules = bpf_map_lookup_elem(&rules_in_use, &zero);
	if (!rules)
		return 1;
	if (call->record.flags & RECORD_MULTIPLEXED) {
		rule = bpf_map_lookup_elem(rules, &id);
		if (rule && rule->clause_count)
			return 1; /* the rule for ipc(2) itself has no tests */
	}
	id = call->record.event;
	rule = bpf_map_lookup_elem(rules, &id);
	if (!rule)
		return 1;
	if (ended) {
		find_facts(rule->facts);
	} else if (rule->deferred) {
		return 1;
	}
	fill_fields(ended);
	/* In memory, of which the verifier does not follow every bit. */
	call->held = ended ? 0 : ~rule->early;
	for (i = 0; i < RULE_TESTS && i < rule->test_count; i++) {
		if (!(call->held >> i & 1) && passes(call, &rule->tests[i]))
			call->held |= 1ULL << i;
	}
	call->matched = 0;
	call->generation = rule->generation;
	for (i = 0; i < RULE_CLAUSES && i < rule->clause_count; i++) {
		if ((rule->clauses[i] & ~call->held) == 0)
			call->matched |= 1U << i;
		asm volatile("" : : : "memory"); /* as above */
	}
	return call->matched != 0;
}

#endif
