/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What calls of one event are wanted for: pkg/pushdown.Rule is the same struct in Go;
 * table.gen.h asserts that the two agree.
 */
#ifndef IPCWARDEN_RULE_H
#define IPCWARDEN_RULE_H

#define RULE_TESTS   64
#define RULE_CLAUSES 32
#define RULE_GATES   8

#define READS_MEMORY (1ULL << 31)

/* (field & mask) is from low to high, or outside. */
struct test {
	__u64 mask;
	__s64 low;
	__s64 high;
	__u8 field; /* enum field */
	__u8 kind;  /* enum test_kind */
	__u8 outside;
	__u8 pad[5];
};

/*
 * A sequence of calls of which the first is there: openers match that one, and what no
 * other clause but guarded ones match is wanted for span_ns after it, and not otherwise.
 */
struct gate {
	__u64 span_ns;
	__u32 openers; /* clauses, as bits */
	__u32 guarded; /* the same */
	__u32 by_process; /* the sequence is that of a process and not of a thread */
	__u32 pad;
};

/* A clause is a set of tests, all of which must hold; one clause must. */
struct rule {
	struct test tests[RULE_TESTS];
	__u64 clauses[RULE_CLAUSES];
	__u64 early;	/* the tests of what is known at entry */
	__u32 test_count;
	__u32 clause_count;
	__u32 facts;	/* what tests ask about */
	__u32 deferred; /* nothing is rejected at entry */
	__u32 generation; /* of the set of rules */
	__u32 gate_count;
	__u64 settled_ns; /* every gate counts as opened then: 0 if the rules are the first */
	struct gate gates[RULE_GATES];
	__u64 reads[RULE_CLAUSES]; /* what repeats have in common: fields by bit, READS_MEMORY, and facts above them */
	__u64 repeat_ns;	   /* how long one record stands for those that repeat it */
	__u32 repeatable;	   /* clauses of which repeats may be counted, as bits */
	__u32 lone;		   /* of these the ones where only in a process of one thread */
};

/*
 * What a process does too much of for each call of it to be told: pkg/probe.muteKey and
 * muteValue are the same structs in Go.
 */
struct mute_key {
	__u32 pid;
	__u32 event; /* enum event */
};

struct mute {
	__u64 until_ns;
	__u64 count; /* calls that were counted here instead of being sent */
	__u32 clauses; /* of the rule: calls that match none but these */
	__u32 generation; /* of the rule */
};

#endif
