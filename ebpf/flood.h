/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What keeps a flood of calls from taking the room in the ring that other processes
 * need. Nothing of this is done while the reader keeps up.
 */
#ifndef IPCWARDEN_FLOOD_H
#define IPCWARDEN_FLOOD_H

/* From so much that waits on, what signatures have found is counted only. */
#define FILLING_BYTES (RING_BYTES / 4)

/* From so much on, no process gets more than its share, in so much time. */
#define SCARCE_BYTES  (RING_BYTES / 2)
#define SHARE_BYTES   (RING_BYTES / 16)
#define SHARE_TIME_NS (10 * 1000 * 1000 * 1000ULL)

/*
 * Whether a signature has found already what the current call is wanted for; then it is
 * counted.
 */
__noinline int is_muted(void)
{
	struct inflight *call = current_call();
	struct mute_key key = {};
	struct mute *mute;

	if (!call || bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) < FILLING_BYTES)
		return 0;
	key.pid = call->record.host_pid;
	key.event = call->record.event;
	mute = bpf_map_lookup_elem(&mutes, &key);
	if (!mute || mute->generation != call->generation || call->matched & ~mute->clauses ||
	    call->record.exited_ns >= mute->until_ns)
		return 0;
	__sync_fetch_and_add(&mute->count, 1);
	return 1;
}

/* Whether a process may put so many bytes into a ring in which room is scarce. */
static __always_inline int has_share(__u32 pid, __u64 bytes)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct share fresh = { now, bytes };
	struct share *share = bpf_map_lookup_elem(&shares, &pid);

	if (!share || now - share->begin_ns > SHARE_TIME_NS) {
		bpf_map_update_elem(&shares, &pid, &fresh, BPF_ANY);
		return 1;
	}
	__sync_fetch_and_add(&share->bytes, bytes);
	return share->bytes <= SHARE_BYTES;
}

#endif
