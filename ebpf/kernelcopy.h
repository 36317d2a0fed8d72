/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel itself has of a call under way: its own copy of user memory,
 * the object that it acts on, and the access that it wants the caller to have.
 * Nobody can change these any more, whatever becomes of the memory that they came
 * from. The programs run at functions that every call of their kind goes through.
 */
#ifndef IPCWARDEN_KERNELCOPY_H
#define IPCWARDEN_KERNELCOPY_H

static __always_inline void keep_object(struct inflight *call, struct kern_ipc_perm *perm)
{
	struct object *object = &call->record.object;

	if (!perm || object->kernel_seen) /* the *_INFO commands have none; a call that waits asks again */
		return;
	object->kernel_seen = 1;
	object->kernel_id = BPF_CORE_READ(perm, id);
}

/* ipcperms(): flag has the bits of a mode, for owner, group or others. */
static __always_inline void keep_permission(struct kern_ipc_perm *perm, __u32 flag)
{
	struct inflight *call = current_call();

	if (!call)
		return;
	keep_object(call, perm);
	call->record.object.kernel_access |= (flag >> 6 | flag >> 3 | flag) & 7;
}

/* security_shm_shmat() and the security_*ctl(). */
static __always_inline void keep_checked_object(struct kern_ipc_perm *perm)
{
	struct inflight *call = current_call();

	if (call)
		keep_object(call, perm);
}

/* The kernel has its copy of main memory now. */
static __always_inline void note_copy(struct record *record)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	record->copied_ns = bpf_ktime_get_boot_ns();
	record->copied_sleeps = (__u32)BPF_CORE_READ(task, nvcsw) - record->sleeps;
}

/* The view for the kernel's copy of main memory; 0 if it is there already. */
static __always_inline struct view *kernel_view(struct inflight *call)
{
	struct memory *main = &call->record.memory[MEMORY_MAIN];
	struct view *view = &main->views[IN_KERNEL];

	return main->used && view->state == STATE_ABSENT ? view : 0;
}

/* Keeps bytes of kernel memory as they are. */
static __always_inline void keep_copy(struct inflight *call, const void *address, __u64 bytes)
{
	struct view *view = kernel_view(call);
	__u32 room;
	__u8 *dst;

	if (!view)
		return;
	note_copy(&call->record);
	view->source = SOURCE_FUNCTION;
	view->length = bytes;
	dst = next_view(call, view, bytes, &room);
	if (!dst) {
		view->state = STATE_CUT;
		return;
	}
	view->state = read_kernel(dst, room, address, bytes, &view->captured);
	call->bytes += view->captured;
}

/* security_sem_semop(). */
static __always_inline void keep_operations(struct kern_ipc_perm *perm, const void *sops, __u32 nsops)
{
	struct inflight *call = current_call();

	if (!call || (call->record.event != EVENT_SEMOP && call->record.event != EVENT_SEMTIMEDOP))
		return;
	keep_object(call, perm);
	keep_copy(call, sops, (__u64)nsops * SEMBUF_BYTES);
}

/* security_msg_queue_msgsnd(). */
static __always_inline void keep_message(struct kern_ipc_perm *perm, struct msg_msg *msg)
{
	struct inflight *call = current_call();
	struct view *view;

	if (!call || call->record.event != EVENT_MSGSND)
		return;
	keep_object(call, perm);
	view = kernel_view(call);
	if (!view)
		return;
	note_copy(&call->record);
	copy_message(call, view, msg, SOURCE_FUNCTION);
}

/*
 * ipcctl_obtain_check(), before it looks at any right: the copy begins the struct
 * *_ds of native callers, to which that of a 32-bit caller has been converted.
 */
static __always_inline void keep_settings(__u32 command, const void *perm)
{
	struct inflight *call = current_call();
	const struct call *about;

	if (!call || call->record.event >= EVENT_COUNT)
		return;
	call->record.object.kernel_access |= ACCESS_OWN;
	about = &calls[call->record.event];
	if (command == COMMAND_IPC_SET)
		keep_copy(call, perm, settings_bytes[about->kind & 3][0]);
}

#endif
