/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own copy of a message where none of its functions can be watched: the
 * first memory that msgsnd allocates is the message, and when the call ends it mostly
 * still lies in its queue.
 */
#ifndef IPCWARDEN_MESSAGE_H
#define IPCWARDEN_MESSAGE_H

/*
 * Keeps a message as the caller's struct msgbuf would have it, so that the two
 * compare: the type in a word of the caller, then the text, of which the first page
 * of a message has more than any snapshot (ipc/msgutil.c).
 */
static __always_inline void copy_message(struct inflight *call, struct view *view, struct msg_msg *msg, __u8 source)
{
	__u32 word = word_bytes(&call->record), room;
	__u64 length = BPF_CORE_READ(msg, m_ts);
	__u64 text = length > snapshot_bytes ? snapshot_bytes : length;
	__u64 start;
	__u8 *dst;

	/* A plain number to the verifier, which lets no pointer of a trampoline be passed on. */
	call->message = (__u64)msg;
	start = *(volatile __u64 *)&call->message + bpf_core_type_size(struct msg_msg);

	view->source = source;
	view->length = word + length;
	dst = next_view(call, view, word + text, &room);
	if (!dst) {
		view->state = STATE_CUT;
		return;
	}
	if (word == 4)
		bpf_probe_read_kernel(dst, 4, __builtin_preserve_access_index(&msg->m_type));
	else
		bpf_probe_read_kernel(dst, 8, __builtin_preserve_access_index(&msg->m_type));
	view->state = read_kernel(dst + word, room - 8, (void *)start, text, &view->captured);
	if (view->state == STATE_WHOLE && text < length) {
		view->state = STATE_CUT;
		digest(IN_KERNEL, start, length);
	}
	view->captured += word;
	call->bytes += view->captured;
}

/* At the entry of a call. */
static __always_inline void expect_message(struct inflight *call)
{
	if (!kmalloc_watched || call->record.event != EVENT_MSGSND)
		return;
	call->message = 0;
	call->sending = 1;
	__sync_fetch_and_add(&sending_calls, 1);
}

/* At its end, or when it is known that there was one. */
static __always_inline void forget_message(struct inflight *call)
{
	if (!kmalloc_watched || !call->sending)
		return;
	call->sending = 0;
	__sync_fetch_and_add(&sending_calls, -1);
	if (call->message)
		bpf_map_delete_elem(&messages, &call->message);
}

/*
 * kmalloc() returned address for bytes. An interrupt can allocate too while its
 * thread is in msgsnd, so the size has to be right.
 */
static __always_inline void note_allocation(__u64 address, __u64 bytes, __u64 bytes_before_6_1)
{
	__u64 head = bpf_core_type_size(struct msg_msg), wanted;
	struct inflight *call;

	if (!*(volatile __u32 *)&sending_calls)
		return;
	call = current_call();
	if (!call || !call->sending || call->message)
		return;
	wanted = head + call->record.args[calls[EVENT_MSGSND].main + 1];
	if (wanted > PAGE_BYTES && bytes != wanted && bytes_before_6_1 != wanted)
		wanted = PAGE_BYTES; /* the rest is in further pieces */
	if (bytes != wanted && bytes_before_6_1 != wanted)
		return;
	if (!bpf_map_update_elem(&messages, &address, &call->record.host_tid, BPF_ANY))
		call->message = address;
}

/* Whether the message of the call is still the one that it allocated, in a queue. */
static __always_inline int message_is_queued(struct inflight *call, struct msg_msg *msg)
{
	struct list_head *link = __builtin_preserve_access_index(&msg->m_list);
	__u32 *owner = bpf_map_lookup_elem(&messages, &call->message);

	return owner && *owner == call->record.host_tid && BPF_CORE_READ(link, next, prev) == link &&
	       BPF_CORE_READ(link, prev, next) == link &&
	       BPF_CORE_READ(msg, m_ts) == call->record.args[calls[EVENT_MSGSND].main + 1];
}

/*
 * At exit: keeps the message. If somebody has received it by then its memory can be
 * anything, another message even; to read that is no harm, but it does not count.
 */
static __always_inline void keep_allocated_message(struct inflight *call)
{
	struct memory *main = &call->record.memory[MEMORY_MAIN];
	struct view *view = &main->views[IN_KERNEL];
	struct msg_msg *msg = (void *)call->message;
	__u32 bytes = call->bytes;

	if (!kmalloc_watched || !call->sending || !call->message || call->record.ret || !main->used || view->state != STATE_ABSENT)
		return;
	if (!message_is_queued(call, msg))
		return;
	copy_message(call, view, msg, SOURCE_KMALLOC);
	if (!message_is_queued(call, msg)) {
		__builtin_memset(view, 0, sizeof(*view));
		call->bytes = bytes;
	}
}

#endif
