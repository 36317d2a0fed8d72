/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What only a later step of a sequence is wanted for is not sent unless the first step
 * was there, in time. A gate may be open when it need not be, but never the other way.
 */
#ifndef IPCWARDEN_GATE_H
#define IPCWARDEN_GATE_H

/* How long after its end a call may count: pkg/correlate.Lateness. */
#define LATENESS_NS (1000 * 1000 * 1000ULL)

static __always_inline __u64 *process_gate(const struct record *record, __u32 gate)
{
	__u32 place = (gate & (RULE_GATES - 1)) * GATE_PLACES + (record->host_pid & (GATE_PLACES - 1));

	return bpf_map_lookup_elem(&opened_by_process, &place);
}

static __always_inline void open_gate(struct inflight *call, __u32 gate)
{
	__u64 *opened = process_gate(&call->record, gate);

	call->opened_ns[gate & (RULE_GATES - 1)] = call->record.entered_ns;
	if (opened)
		*opened = call->record.exited_ns;
}

/* For a call that ends and of which nobody asks what it is. */
static __always_inline void open_every_gate(struct inflight *call)
{
	__u32 i;

	for (i = 0; i < RULE_GATES; i++)
		open_gate(call, i);
}

static __always_inline int is_in_time(__u64 began_ns, __u64 opened_ns, __u64 span_ns)
{
	return opened_ns && began_ns <= opened_ns + span_ns;
}

/*
 * Whether the first step was there before the current call, which ends. A thread makes
 * one call at a time. Threads of one process do not: a first step can end after the
 * steps that follow it, so that they are told apart in a process with one thread only.
 */
static __always_inline int is_open(const struct inflight *call, const struct rule *rule, const struct gate *gate, __u32 i)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 began = call->record.entered_ns;
	__u64 *opened;

	if (is_in_time(began, rule->settled_ns, gate->span_ns))
		return 1;
	if (!gate->by_process)
		return is_in_time(began, call->opened_ns[i & (RULE_GATES - 1)], gate->span_ns);
	if (BPF_CORE_READ(task, signal, nr_threads) != 1)
		return 1;
	opened = process_gate(&call->record, i);
	/* Processes that share the place may have written to it in another order. */
	return !opened || is_in_time(began, *opened, gate->span_ns + LATENESS_NS);
}

/* The rule for the current call. */
static __always_inline struct rule *current_rule(const struct inflight *call)
{
	__u32 zero = 0, id = call->record.event;
	void *rules = bpf_map_lookup_elem(&rules_in_use, &zero);

	return rules ? bpf_map_lookup_elem(rules, &id) : 0;
}

/* One gate of the rule, for the current call. */
__noinline int pass_gate(__u64 i)
{
	struct inflight *call = current_call();
	struct rule *rule;
	struct gate *gate;

	asm volatile("" : "+r"(i)); /* the verifier wants the bounds here */
	if (!call || i >= RULE_GATES)
		return 0;
	rule = current_rule(call);
	if (!rule)
		return 0;
	gate = &rule->gates[i];
	call->guarded |= gate->guarded;
	if (call->matched & gate->guarded && is_open(call, rule, gate, i))
		call->passed |= gate->guarded;
	if (call->matched & gate->openers)
		open_gate(call, i);
	return 0;
}

/*
 * Takes from the clauses that match the current call, which ends, those whose gates are
 * closed, and opens those of which it is the first step. Returns whether it is still
 * wanted.
 */
__noinline int pass_gates(void)
{
	struct inflight *call = current_call();
	struct rule *rule;
	__u64 i;

	if (!call)
		return 1;
	if (call->matched == ~0U) { /* it was not asked what matches */
		open_every_gate(call);
		call->steps++;
		return 1;
	}
	rule = current_rule(call);
	if (!rule)
		return 1;
	call->guarded = 0;
	call->passed = 0;
	for (i = 0; i < RULE_GATES && i < rule->gate_count; i++)
		pass_gate(i);
	call->matched &= ~call->guarded | call->passed;
	if (call->matched & call->passed)
		call->steps++;
	return call->matched != 0;
}

#endif
