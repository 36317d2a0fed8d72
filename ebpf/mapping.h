/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel has mapped where a pointer leads to: memory that a process serves
 * the page faults of can hold up the kernel, and shared memory can be changed by
 * others while the kernel reads it.
 */
#ifndef IPCWARDEN_MAPPING_H
#define IPCWARDEN_MAPPING_H

#define VM_SHARED    0x8	/* include/linux/mm.h */
#define SB_KERNMOUNT (1 << 22)	/* include/linux/fs.h */
#define SEGMENT_NAME 0x56535953 /* "SYSV", see newseg() in ipc/shm.c */

static __always_inline void describe_mapping(struct vm_area_struct *vma, struct mapping *mapping)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct inode *inode;
	__u32 name = 0;

	mapping->state = MAPPING_MAPPED;
	if (BPF_CORE_READ(vma, vm_flags) & VM_SHARED)
		mapping->flags |= MAPPING_SHARED;
	if (bpf_core_field_exists(vma->vm_userfaultfd_ctx.ctx) && BPF_CORE_READ(vma, vm_userfaultfd_ctx.ctx))
		mapping->flags |= MAPPING_USERFAULTFD;
	if (!file)
		return;
	inode = BPF_CORE_READ(file, f_inode);
	mapping->magic = BPF_CORE_READ(inode, i_sb, s_magic);
	/* Segments have a file each on the kernel's own mount, where nobody else chooses names. */
	if (!(BPF_CORE_READ(inode, i_sb, s_flags) & SB_KERNMOUNT))
		return;
	bpf_probe_read_kernel(&name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (name == SEGMENT_NAME) {
		mapping->flags |= MAPPING_SEGMENT;
		mapping->segment = BPF_CORE_READ(inode, i_ino);
	}
}

static int describe_found(struct task_struct *task, struct vm_area_struct *vma, void *mapping)
{
	(void)task;
	describe_mapping(vma, mapping);
	return 0;
}

/* Asks the kernel, since 5.17. It does not wait for the lock of the table. */
static __always_inline void find_mapping(__u64 address, struct mapping *mapping)
{
	long err = bpf_find_vma(bpf_get_current_task_btf(), address, describe_found, mapping, 0);

	if (err)
		mapping->state = err == -ENOENT ? MAPPING_UNMAPPED : MAPPING_UNREAD;
}

#define TREE_DEPTH 34 /* of a red-black tree of 65536 mappings, and then some */

/*
 * Searches the tree itself, before 6.1. Nothing locks it: when another thread can
 * change it, not to find anything says nothing.
 */
static __always_inline void search_mapping(__u64 address, struct mapping *mapping)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct rb_node *node;
	int i;

	mapping->state = MAPPING_UNREAD;
	if (!bpf_core_field_exists(mm->mm_rb))
		return;
	node = BPF_CORE_READ(mm, mm_rb.rb_node);
	for (i = 0; i < TREE_DEPTH && node; i++) {
		struct vm_area_struct *vma = (void *)node - bpf_core_field_offset(struct vm_area_struct, vm_rb);

		if (address < BPF_CORE_READ(vma, vm_start)) {
			node = BPF_CORE_READ(node, rb_left);
		} else if (address >= BPF_CORE_READ(vma, vm_end)) {
			node = BPF_CORE_READ(node, rb_right);
		} else {
			describe_mapping(vma, mapping);
			return;
		}
	}
	if (!node && BPF_CORE_READ(mm, mm_users.counter) == 1)
		mapping->state = MAPPING_UNMAPPED;
}

/* How a program finds mappings. */
enum mapping_search {
	BY_TREE,
	BY_HELPER,
};

static __always_inline void look_up_mapping(struct mapping *found, __u64 address, enum mapping_search search)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct kern_ipc_perm *perm;
	__u8 byte;

	if (search == BY_HELPER)
		find_mapping(address, found);
	else
		search_mapping(address, found);
	if (found->state == MAPPING_MAPPED && !bpf_probe_read_user(&byte, sizeof(byte), (void *)address))
		found->flags |= MAPPING_RESIDENT;
	if (!(found->flags & MAPPING_SEGMENT))
		return;
	perm = object_by_id(ids_of(BPF_CORE_READ(task, nsproxy, ipc_ns), KIND_SHM), found->segment);
	if (perm)
		found->attached = BPF_CORE_READ((struct shmid_kernel *)perm, shm_nattch);
}

static __always_inline int look_at_mappings_of(__u64 place, enum mapping_search search)
{
	struct inflight *call = current_call();
	struct mapping first = {}, last = {};
	struct memory *memory;
	__u64 end;

	if (!call)
		return 0;
	asm volatile("" : "+r"(place));
	if (place >= MEMORY_PLACES)
		return 0;
	memory = &call->record.memory[place];
	end = add_saturated(memory->address, memory->wanted - 1);
	look_up_mapping(&first, memory->address, search);
	memory->mappings[FIRST_BYTE] = first;
	if ((memory->address ^ end) >= PAGE_BYTES) {
		look_up_mapping(&last, end, search);
		memory->mappings[LAST_BYTE] = last;
	} else {
		memory->mappings[LAST_BYTE] = first;
	}
	return 0;
}

/* Not static, so that they are verified once; each for the programs made for its kernels. */
__noinline int find_mappings(__u64 place)
{
	return look_at_mappings_of(place, BY_HELPER);
}

__noinline int search_mappings(__u64 place)
{
	return look_at_mappings_of(place, BY_TREE);
}

static __always_inline void look_at_mappings(struct inflight *call, enum mapping_search search)
{
	__u32 place;

#pragma unroll
	for (place = 0; place < MEMORY_PLACES; place++) {
		if (!call->record.memory[place].wanted)
			continue;
		if (search == BY_HELPER)
			find_mappings(place);
		else
			search_mappings(place);
	}
}

#endif
