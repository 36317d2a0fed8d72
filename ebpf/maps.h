/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs keep, what the loader sets, and what they count. */
#ifndef IPCWARDEN_MAPS_H
#define IPCWARDEN_MAPS_H

/*
 * The bytes of views that a call can carry: in its in-flight entry, or in a large
 * one if one of them has more than INLINE_VIEW. The largest input is an array of
 * SEMOPM (500) operations. Three views of main memory fit, and two each of the
 * timeout and of what ipc(2) finds behind ptr.
 */
#define SMALL_VIEW   16
#define INLINE_VIEW  320
#define LARGE_VIEW   3072
#define INLINE_BYTES (3 * INLINE_VIEW + 4 * SMALL_VIEW)
#define LARGE_BYTES  (3 * LARGE_VIEW + 4 * SMALL_VIEW)

/* The overlaps follow the views. */
#define OVERLAPS_BYTES (OVERLAPS * sizeof(struct overlap))

#define DIGEST_CHUNK 256

#define FIELDS 32 /* at least FIELD_COUNT, and a power of two */

/* A call between entry and exit: its record under construction. */
struct inflight {
	__u8 active;
	__u8 large;	/* the bytes of the views lie in large_records */
	__u8 key_found; /* record.object was found by key at entry */
	__u8 sending;	/* counted in sending_calls */
	__u32 bytes;	/* of the views */
	__u64 space;	/* key into spaces where the call has a place there, else 0 */
	__u32 place;	/* in the space */
	__u32 overlaps_found;
	__u32 met;	/* another call was on its memory, or may have been */
	__u32 matched;	/* the clauses of the rule; all if it was not asked */
	__u32 generation; /* of the rule */
	__u32 fresh; /* no record of its shape was sent */
	__u64 held; /* the tests of the rule that the call passes */
	__u64 message; /* what msgsnd allocated */
	__u64 fields[FIELDS]; /* enum field: what tests are on */
	__u64 unknown;	      /* those that are not known yet, by bit */
	__u64 uncertain;      /* FIELD_FACTS, or none */
	__u64 opened_ns[RULE_GATES]; /* when the thread's call began that opened the gate, last */
	__u32 guarded, passed; /* clauses that need a gate, and those that have it */
	__u32 steps; /* calls of the thread so far that have passed a gate */
	__u32 pad;
	__u64 reads; /* what the clauses that match read: struct rule.reads */
	struct overlap overlaps[OVERLAPS];
	__u64 sip[4]; /* state of the digest, and what goes into it next */
	__u64 chunk[DIGEST_CHUNK / sizeof(__u64)];
	struct record record;
	__u8 views[INLINE_BYTES + OVERLAPS_BYTES];
};

struct large_record {
	struct record record;
	__u8 views[LARGE_BYTES + OVERLAPS_BYTES];
};

/*
 * One entry per thread that has made an IPC call, kept until the thread ends: the
 * identity of a thread is read once, and a call costs no insertion. Thread id to
 * struct inflight.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct inflight);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct large_record);
} large_records SEC(".maps");

/*
 * The main memory of the calls under way in an address space that more than one
 * thread uses: a place is free while its entered_ns is 0. struct mm_struct to struct
 * space; the space that was not used for longest makes room for another.
 */
#define PLACES 64

struct space {
	struct overlap places[PLACES];
	__u32 met[PLACES]; /* how many calls were on the memory of the one in the place */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct space);
} spaces SEC(".maps");

/*
 * What calls are wanted for, by event. The map is replaced as a whole, which the kernel
 * makes sure of that no program sees half of; without one every call is wanted.
 */
struct rules {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EVENT_COUNT);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct rule)); /* clang gives the loader no type that only a map in a map has */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct rules);
} rules_in_use SEC(".maps");

/*
 * Processes of which a signature has found that they do too much of something. The one
 * that was not used for longest makes room for another.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct mute_key);
	__type(value, struct mute);
} mutes SEC(".maps");

/*
 * Calls that repeat one whose record was sent, by record.shape. The map is replaced as a
 * whole when the reader takes what is in it, which the kernel makes sure of that no
 * program writes to any more. What there is no room for is sent.
 */
#define SHAPES 4096

struct repeat {
	__u64 opened_ns; /* end of the call whose record was sent */
	__u64 first_ns;	 /* end of the first that repeats it */
	__u64 last_ns;
	__u64 count; /* since then, or since a record had them */
};

struct repeats {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHAPES);
	__uint(key_size, sizeof(__u64));
	__uint(value_size, sizeof(struct repeat)); /* as above */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct repeats);
} repeats_in_use SEC(".maps");

/*
 * When a call of a process ended that opened the gate, last. Processes whose ids end alike
 * share a place, so that one may find a gate open for the other's sake, but none closed.
 */
#define GATE_PLACES 4096

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RULE_GATES * GATE_PLACES);
	__type(key, __u32);
	__type(value, __u64);
} opened_by_process SEC(".maps");

/* What a process has put into the ring since begin_ns while it was filling up. */
struct share {
	__u64 begin_ns;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct share);
} shares SEC(".maps");

/*
 * What processes run, as far as the reader was told. The one that was not used for
 * longest makes room for another, and is told of again.
 */
struct known_program {
	__u64 process_start_ns;
	__u64 execs;
	__u64 file; /* struct file */
	__u64 deleted;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct known_program);
} known_programs SEC(".maps");

/* Address of a message that a msgsnd under way has allocated, to its thread. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u32);
} messages SEC(".maps");

/* How many calls of msgsnd are under way, where kmalloc is watched for them. */
__u32 sending_calls;

#define RING_BYTES (16 * 1024 * 1024)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} records SEC(".maps");

/*
 * What became of every call that was entered:
 * entered = filtered + unmatched + aggregated + emitted + ring_full + threads_full +
 * return_missed + calls in flight.
 * pkg/probe reads it as kernelCounts.
 */
struct counts {
	__u64 entered;
	__u64 filtered;	    /* a filter did not want it */
	__u64 unmatched;    /* no signature can match it */
	__u64 aggregated;   /* counted in mutes or repeats */
	__u64 emitted;
	__u64 ring_full;    /* lost: the reader was too slow, or the process had its share */
	__u64 threads_full; /* lost: too many threads that use System V IPC */
	__u64 return_missed; /* lost: the kernel did not run the program at its exit */
	__u64 large_full;   /* not lost, but its views were cut to INLINE_VIEW */
} __attribute__((aligned(128))); /* no two CPUs write to one cache line */

#define COUNT_SLOTS 64 /* a power of two */

/*
 * A CPU adds to one slot, which it may share with others. They have a section, and so a
 * map, for themselves, which pkg/probe maps into its memory: while a system call looks
 * into a map, the kernel runs no programs on that CPU (kernel/bpf/syscall.c:
 * bpf_disable_instrumentation), and where it can be preempted then that loses calls.
 */
struct counts call_counts[COUNT_SLOTS] SEC(".data.counts");

/* What a new entry starts as. */
static const struct inflight blank_inflight;
static const struct large_record blank_large;
static const struct space blank_space;

/*
 * The calls that the tracepoints watch, by event, of native and of 32-bit callers;
 * the others are watched at their entry functions.
 */
const volatile __u64 tracepoint_events[2] = { ~0ULL, ~0ULL };

/* Filters; a list that is not used has its flag unset. */
volatile __u64 wanted_events SEC(".data.wanted") = ~0ULL; /* can change while programs run */
const volatile __u32 snapshot_bytes = 64;
const volatile __u32 digest_bytes = 4048;
const volatile __u64 digest_key[2];
const volatile __u8 pushdown; /* to the rules in use */
const volatile __u8 kmalloc_watched;  /* for the messages of msgsnd */
const volatile __u8 memory_watched = 1; /* off in benchmarks only */
const volatile __u8 filter_pids, filter_uids, filter_comms;

#define FILTER_ENTRIES 1024

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FILTER_ENTRIES);
	__type(key, __u32);
	__type(value, __u8);
} wanted_pids SEC(".maps"), wanted_uids SEC(".maps");

struct comm {
	char name[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FILTER_ENTRIES);
	__type(key, struct comm);
	__type(value, __u8);
} wanted_comms SEC(".maps");

/* The call that this thread is in, if it is one of ours. */
static __always_inline struct inflight *current_call(void)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct inflight *call = bpf_map_lookup_elem(&threads, &tid);

	return call && call->active ? call : 0;
}

/* Atomic: a program at a function can be preempted by another on the same CPU. */
#define COUNT(what) \
	__sync_fetch_and_add(&call_counts[bpf_get_smp_processor_id() % COUNT_SLOTS].what, 1)

#endif
