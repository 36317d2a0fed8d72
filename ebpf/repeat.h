/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of a thread that are, for all that signatures look at, like one whose record was
 * sent shortly before, and that signatures only count: in a flood they are counted here,
 * and the next record of the kind says how many there were. What no record says any more
 * is taken by the reader.
 */
#ifndef IPCWARDEN_REPEAT_H
#define IPCWARDEN_REPEAT_H

/* Where the caller is in the record, as words; the upper half of one is of the call. */
#define CALLER_BEGIN __builtin_offsetof(struct record, cgroup_id)
#define CALLER_BYTES (__builtin_offsetof(struct record, object) - CALLER_BEGIN)
#define CALLER_WORDS (CALLER_BYTES / sizeof(__u64))
#define SLEEPS_WORD  ((__builtin_offsetof(struct record, sleeps) - CALLER_BEGIN) / sizeof(__u64))

_Static_assert(CALLER_BYTES % sizeof(__u64) == 0 && (__builtin_offsetof(struct record, sleeps) - CALLER_BEGIN) % sizeof(__u64) == 4,
	       "sleeps is not the upper half of a word");
_Static_assert(FIELDS * sizeof(__u64) == DIGEST_CHUNK, "the fields do not fill a chunk");
_Static_assert(READS_MEMORY >= 1ULL << FIELD_COUNT && READS_MEMORY < 1ULL << FIELDS, "READS_MEMORY is a field");

static __always_inline void *current_repeats(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&repeats_in_use, &zero);
}

/* Fills in what the clauses read that match: in memory, of which verifiers do not follow every bit. */
static __always_inline void find_reads(struct inflight *call, const struct rule *rule)
{
	__u32 i;

	call->reads = 0;
#pragma unroll
	for (i = 0; i < RULE_CLAUSES; i++) {
		if (call->matched >> i & 1)
			call->reads |= rule->reads[i];
		asm volatile("" : : : "memory");
	}
}

/* Adds all that was seen of the call's memory. */
static __always_inline void digest_memory(struct inflight *call)
{
	struct record *record = &call->record;
	__u32 done, i;

	__builtin_memset(call->chunk, 0, DIGEST_CHUNK);
	__builtin_memcpy(call->chunk, record->digests, sizeof(record->digests));
	digest_chunk();
#pragma unroll
	for (i = 0; i < MEMORY_PLACES; i++) {
		__builtin_memset(call->chunk, 0, DIGEST_CHUNK);
		__builtin_memcpy(call->chunk, &record->memory[i], sizeof(record->memory[i]));
		digest_chunk();
	}
#pragma unroll
	for (done = 0; done < INLINE_BYTES; done += DIGEST_CHUNK) {
		__u64 rest = call->bytes - done;

		if (done >= call->bytes)
			break;
		__builtin_memset(call->chunk, 0, DIGEST_CHUNK);
		asm volatile("" : "+r"(rest)); /* the verifier wants the bound here */
		if (rest > DIGEST_CHUNK)
			rest = DIGEST_CHUNK;
		bpf_probe_read_kernel(call->chunk, rest, call->views + done);
		digest_chunk();
	}
}

/*
 * A digest of who makes the call and of what is read of it: two calls that differ in
 * this have another one. Its key is that of snapshots.
 */
static __always_inline __u64 shape_of(struct inflight *call)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct record *record = &call->record;
	__u32 i;

	start_digest(call);
#pragma unroll
	for (i = 0; i < FIELDS; i++)
		call->chunk[i] = call->fields[i] & -(call->reads >> i & 1);
	call->chunk[FIELD_FACTS] &= call->reads >> 32;
	digest_chunk();
	__builtin_memset(call->chunk, 0, DIGEST_CHUNK);
	__builtin_memcpy(call->chunk, &record->cgroup_id, CALLER_BYTES);
	call->chunk[SLEEPS_WORD] &= 0xffffffff;
	call->chunk[CALLER_WORDS] = (__u64)call->matched << 32 | record->abi << 16 | record->flags << 8 | record->event;
	call->chunk[CALLER_WORDS + 1] = BPF_CORE_READ(task, self_exec_id);
	call->chunk[CALLER_WORDS + 2] = (__u64)call->generation << 32 | call->steps;
	digest_chunk();
	if (call->reads & READS_MEMORY)
		digest_memory(call);
	return end_digest(call, call->bytes) | 1; /* 0 is none */
}

/*
 * Whether the current call, which ends and is wanted, need only be counted. Only the
 * thread itself writes to what is counted for it.
 */
__noinline int is_repeat(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct inflight *call = current_call();
	struct record *record;
	struct repeat *repeat;
	struct rule *rule;
	void *repeats;

	if (!call || bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) < FILLING_BYTES)
		return 0;
	rule = current_rule(call);
	repeats = current_repeats();
	if (!rule || !repeats || rule->generation != call->generation || call->matched == ~0U ||
	    call->matched & ~rule->repeatable)
		return 0;
	find_reads(call, rule);
	if (call->unknown & call->reads || (call->reads & READS_MEMORY && call->large))
		return 0;
	if (call->matched & rule->lone && BPF_CORE_READ(task, signal, nr_threads) != 1)
		return 0;
	record = &call->record;
	record->shape = shape_of(call);
	repeat = bpf_map_lookup_elem(repeats, &record->shape);
	call->fresh = !repeat;
	if (!repeat)
		return 0;
	if (record->exited_ns - repeat->opened_ns < rule->repeat_ns) {
		if (!repeat->count)
			repeat->first_ns = record->exited_ns;
		repeat->last_ns = record->exited_ns;
		repeat->count++;
		return 1;
	}
	record->repeats = repeat->count;
	record->repeats_first_ns = repeat->first_ns;
	record->repeats_last_ns = repeat->last_ns;
	repeat->opened_ns = record->exited_ns;
	repeat->count = 0;
	return 0;
}

/* The record was sent: calls like it can be counted from now on. */
static __always_inline void expect_repeats(const struct inflight *call)
{
	struct repeat blank = { .opened_ns = call->record.exited_ns };
	void *repeats = call->record.shape && call->fresh ? current_repeats() : 0;

	if (repeats)
		bpf_map_update_elem(repeats, &call->record.shape, &blank, BPF_ANY);
}

/*
 * The record could not be sent: the call, and those that it would have told of, are
 * counted on if one like it was sent before. The map may have been replaced since.
 */
static __always_inline int count_again(const struct inflight *call)
{
	const struct record *record = &call->record;
	void *repeats = record->shape && !call->fresh ? current_repeats() : 0;
	struct repeat repeat = {
		.opened_ns = record->exited_ns,
		.first_ns = record->repeats ? record->repeats_first_ns : record->exited_ns,
		.last_ns = record->exited_ns,
		.count = record->repeats + 1,
	};

	return repeats && !bpf_map_update_elem(repeats, &record->shape, &repeat, BPF_ANY);
}

#endif
