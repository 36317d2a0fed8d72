/* SPDX-License-Identifier: GPL-2.0 */
/* The IPC object behind an id or a key, straight from the kernel's own tables. */
#ifndef IPCWARDEN_OBJECT_H
#define IPCWARDEN_OBJECT_H

/* An id is a sequence number above an index (ipc/util.h: ipcmni_seq_shift). */
#define INDEX_BITS	    15
#define INDEX_BITS_EXTENDED 24 /* booted with ipcmni_extend */

/* include/linux/xarray.h: internal nodes are pointers with the low bits 10. */
#define XA_CHUNK_MASK 63
#define XA_LEVELS     5 /* more than INDEX_BITS_EXTENDED bits */

static __always_inline struct ipc_ids *ids_of(struct ipc_namespace *ns, __u8 kind)
{
	switch (kind) {
	case KIND_SEM:
		return __builtin_preserve_access_index(&ns->ids[0]);
	case KIND_MSG:
		return __builtin_preserve_access_index(&ns->ids[1]);
	default:
		return __builtin_preserve_access_index(&ns->ids[2]);
	}
}

/* lib/xarray.c: xas_descend. */
static __always_inline struct kern_ipc_perm *object_at(struct ipc_ids *ids, __u32 index)
{
	unsigned long entry = (unsigned long)BPF_CORE_READ(ids, ipcs_idr.idr_rt.xa_head);
	int level;

	if ((entry & 3) != 2) /* a single object, at index 0 */
		return index ? 0 : (struct kern_ipc_perm *)entry;
#pragma unroll
	for (level = 0; level < XA_LEVELS; level++) {
		struct xa_node *node = (struct xa_node *)(entry - 2);
		__u8 shift = BPF_CORE_READ(node, shift);
		void **slots = __builtin_preserve_access_index(&node->slots[0]);

		if (shift > 30 || (!level && (__u64)index >> shift > XA_CHUNK_MASK))
			return 0;
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof(entry), slots + ((index >> shift) & XA_CHUNK_MASK));
		if ((entry & 3) != 2)
			return (struct kern_ipc_perm *)entry;
	}
	return 0;
}

static __always_inline struct kern_ipc_perm *object_by_id(struct ipc_ids *ids, __s32 id)
{
	struct kern_ipc_perm *perm;

	if (id < 0)
		return 0;
	perm = object_at(ids, id & ((1U << INDEX_BITS) - 1));
	if (perm && BPF_CORE_READ(perm, id) == id)
		return perm;
	perm = object_at(ids, id & ((1U << INDEX_BITS_EXTENDED) - 1));
	if (perm && BPF_CORE_READ(perm, id) == id)
		return perm;
	return 0;
}

static __always_inline __u32 rotate_left(__u32 word, unsigned int by)
{
	return (word << by) | (word >> (32 - by));
}

/* include/linux/jhash.h: jhash2 of one word. */
static __always_inline __u32 hash_key(__u32 key, __u32 seed)
{
	__u32 a = 0xdeadbeef + (1 << 2) + seed, b = a, c = a;

	a += key;
	c ^= b, c -= rotate_left(b, 14);
	a ^= c, a -= rotate_left(c, 11);
	b ^= a, b -= rotate_left(a, 25);
	c ^= b, c -= rotate_left(b, 16);
	a ^= c, a -= rotate_left(c, 4);
	b ^= a, b -= rotate_left(a, 14);
	c ^= b, c -= rotate_left(b, 24);
	return c;
}

/* The kernel makes a new table before a chain has more (rhashtable.h: RHT_ELASTICITY). */
#define CHAIN_LIMIT 17
#define TABLE_LIMIT 8

static __always_inline struct kern_ipc_perm *object_in_table(struct bucket_table *table, __s32 key)
{
	__u32 size = BPF_CORE_READ(table, size);
	void **buckets = __builtin_preserve_access_index(&table->buckets[0]);
	unsigned long node = 0;
	int i;

	if (!size || BPF_CORE_READ(table, nest))
		return 0;
	bpf_probe_read_kernel(&node, sizeof(node),
			      buckets + (hash_key(key, BPF_CORE_READ(table, hash_rnd)) & (size - 1)));
	node &= ~1UL; /* the bucket's lock bit */
	for (i = 0; i < CHAIN_LIMIT; i++) {
		struct kern_ipc_perm *perm;

		if (!node || (node & 1)) /* the end of a chain is an odd pointer */
			return 0;
		perm = (void *)node - bpf_core_field_offset(struct kern_ipc_perm, khtnode);
		if (BPF_CORE_READ(perm, key) == key)
			return perm;
		node = (unsigned long)BPF_CORE_READ((struct rhash_head *)node, next);
	}
	return 0;
}

/*
 * The object with a key: a lookup in ids->key_ht (lib/rhashtable.c). While the
 * table is resized an object is in the old one until it is in a newer one too, and
 * a new object is in the newest.
 */
static __always_inline struct kern_ipc_perm *object_by_key(struct ipc_ids *ids, __s32 key)
{
	struct bucket_table *table = BPF_CORE_READ(ids, key_ht.tbl);
	struct kern_ipc_perm *perm = 0;
	int i;

	for (i = 0; i < TABLE_LIMIT && table && !perm; i++) {
		perm = object_in_table(table, key);
		table = BPF_CORE_READ(table, future_tbl);
	}
	return perm;
}

static __always_inline __u32 host_pid_of(struct pid *pid)
{
	return pid ? pid_number(pid, 0) : 0;
}

static __always_inline void describe_object(struct object *object, __u8 kind, struct kern_ipc_perm *perm)
{
	object->kind = kind;
	object->id = BPF_CORE_READ(perm, id);
	object->key = BPF_CORE_READ(perm, key);
	object->owner_uid = BPF_CORE_READ(perm, uid.val);
	object->owner_gid = BPF_CORE_READ(perm, gid.val);
	object->creator_uid = BPF_CORE_READ(perm, cuid.val);
	object->creator_gid = BPF_CORE_READ(perm, cgid.val);
	object->mode = BPF_CORE_READ(perm, mode);
	object->sequence = BPF_CORE_READ(perm, seq);
	switch (kind) {
	case KIND_MSG: {
		struct msg_queue *queue = (void *)perm; /* q_perm comes first, as do its kin */

		object->sizes[0] = BPF_CORE_READ(queue, q_qbytes);
		object->sizes[1] = BPF_CORE_READ(queue, q_cbytes);
		object->sizes[2] = BPF_CORE_READ(queue, q_qnum);
		object->pids[0] = host_pid_of(BPF_CORE_READ(queue, q_lspid));
		object->pids[1] = host_pid_of(BPF_CORE_READ(queue, q_lrpid));
		break;
	}
	case KIND_SEM: {
		struct sem_array *set = (void *)perm;

		object->sizes[0] = BPF_CORE_READ(set, sem_nsems);
		break;
	}
	case KIND_SHM: {
		struct shmid_kernel *segment = (void *)perm;

		object->sizes[0] = BPF_CORE_READ(segment, shm_segsz);
		object->sizes[1] = BPF_CORE_READ(segment, shm_nattch);
		object->pids[0] = host_pid_of(BPF_CORE_READ(segment, shm_cprid));
		object->pids[1] = host_pid_of(BPF_CORE_READ(segment, shm_lprid));
		break;
	}
	}
}

/* At entry: the object that the arguments name by id, by index or by key. */
static __always_inline void find_object_at_entry(struct task_struct *task, struct inflight *call)
{
	struct record *record = &call->record;
	const struct call *about = &calls[record->event];
	struct ipc_ids *ids = ids_of(BPF_CORE_READ(task, nsproxy, ipc_ns), about->kind);
	struct kern_ipc_perm *perm = 0;
	__u32 command = record->command & ~COMMAND_IPC_64;

	if (about->id == 0) {
		if (about->command > 0 && command_has_no_object(about->kind, command))
			return;
		if (about->command > 0 && command_takes_index(about->kind, command))
			perm = object_at(ids, record->args[0]);
		else
			perm = object_by_id(ids, record->args[0]);
	} else if (about->key == 0 && (__s32)record->args[0]) {
		perm = object_by_key(ids, record->args[0]);
		call->key_found = perm != 0;
	}
	if (perm)
		describe_object(&record->object, about->kind, perm);
}

/*
 * At exit of a *get call: the object that it returned, and whether it made it.
 * With IPC_CREAT alone only the key tells: the object is new if its key was not
 * there at entry and is now, and if the caller is its creator.
 */
static __always_inline void find_object_at_exit(struct task_struct *task, struct inflight *call)
{
	struct record *record = &call->record;
	const struct call *about = &calls[record->event];
	struct ipc_ids *ids = ids_of(BPF_CORE_READ(task, nsproxy, ipc_ns), about->kind);
	__s32 key = record->args[0];
	__u32 flags = record->args[record->event == EVENT_MSGGET ? 1 : 2];
	struct kern_ipc_perm *perm;

	if (about->key != 0 || record->ret < 0)
		return;
	perm = object_by_id(ids, record->ret);
	if (!perm)
		return;
	if (!key || (flags & (FLAG_IPC_CREAT | FLAG_IPC_EXCL)) == (FLAG_IPC_CREAT | FLAG_IPC_EXCL))
		record->object.created = 1;
	else if ((flags & FLAG_IPC_CREAT) && !call->key_found)
		record->object.created = BPF_CORE_READ(perm, cuid.val) == record->euid && object_by_key(ids, key) == perm;
	describe_object(&record->object, about->kind, perm);
}

#endif
