/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs keep, what the loader sets, and what they count. */
#ifndef IPCWARDEN_MAPS_H
#define IPCWARDEN_MAPS_H

/*
 * Bytes of MEMORY_MAIN that a call can carry: inline in its in-flight entry, or
 * in a large one. The largest input is an array of SEMOPM (500) operations.
 */
#define INLINE_BYTES 512
#define LARGE_BYTES  3072

/* A call between entry and exit: its record under construction. */
struct inflight {
	__u8 active;
	__u8 large;	/* MEMORY_MAIN lies in large_records */
	__u8 key_found; /* record.object was found by key at entry */
	__u8 pad[5];
	struct record record;
	__u8 main[INLINE_BYTES];
};

struct large_record {
	struct record record;
	__u8 main[LARGE_BYTES];
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

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} records SEC(".maps");

/*
 * What became of every call that was entered:
 * entered = filtered + emitted + ring_full + threads_full + calls in flight.
 * pkg/probe reads it as counts.
 */
struct counts {
	__u64 entered;
	__u64 filtered;	    /* a filter did not want it */
	__u64 emitted;
	__u64 ring_full;    /* lost: the reader was too slow */
	__u64 threads_full; /* lost: too many threads that use System V IPC */
	__u64 large_full;   /* not lost, but its memory was cut to INLINE_BYTES */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} call_counts SEC(".maps");

/* What a new entry starts as. */
static const struct inflight blank_inflight;
static const struct large_record blank_large;

/* Filters; a list that is not used has its flag unset. */
const volatile __u64 wanted_events = ~0ULL;
const volatile __u32 snapshot_bytes = 64;
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

static __always_inline struct counts *this_cpu_counts(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&call_counts, &zero);
}

/* The program runs with preemption off, and the map is per CPU: no atomics. */
#define COUNT(what)                                        \
	do {                                               \
		struct counts *counts_ = this_cpu_counts(); \
		if (counts_)                               \
			counts_->what++;                   \
	} while (0)

#endif
