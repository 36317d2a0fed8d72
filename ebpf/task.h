/* SPDX-License-Identifier: GPL-2.0 */
/* Who makes the call: everything here comes from the task itself. */
#ifndef IPCWARDEN_TASK_H
#define IPCWARDEN_TASK_H

#define SIGKILL_BIT	  (1UL << 8) /* signal 9 in a sigset */
#define SIGNAL_GROUP_EXIT 0x4	     /* include/linux/sched/signal.h */

/*
 * The ABI follows from how the call was made and not from the binary: on x86 a
 * 64-bit process reaches the 32-bit table with int 0x80.
 */
static __always_inline int task_is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, thread_info.status) & 0x2; /* TS_COMPAT */
#elif defined(__TARGET_ARCH_arm64)
	return (BPF_CORE_READ(task, thread_info.flags) >> 22) & 1; /* TIF_32BIT */
#endif
}

/* The number of pid in the PID namespace at a level, 0 if it is not visible there. */
static __always_inline __u32 pid_number(struct pid *pid, __u32 level)
{
	struct upid *numbers = __builtin_preserve_access_index(&pid->numbers[0]);
	int number = 0;

	if (BPF_CORE_READ(pid, level) < level)
		return 0;
	bpf_probe_read_kernel(&number, sizeof(number),
			      (void *)numbers + level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, nr));
	return number;
}

/* What never changes in the life of a thread. */
static __always_inline void read_identity(struct task_struct *task, struct record *record)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *own = (void *)__builtin_preserve_access_index(&pid->numbers[0]) +
			   level * bpf_core_type_size(struct upid);

	record->thread_start_ns = BPF_CORE_READ(task, start_boottime);
	record->process_start_ns = BPF_CORE_READ(leader, start_boottime);
	record->host_tid = BPF_CORE_READ(task, pid);
	record->host_pid = BPF_CORE_READ(task, tgid);
	record->tid = pid_number(pid, level);
	record->pid = pid_number(BPF_CORE_READ(leader, thread_pid), level);
	record->pid_ns = BPF_CORE_READ(own, ns, ns.inum);
}

/* What can change from call to call. */
static __always_inline void read_circumstances(struct task_struct *task, struct record *record)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent, group_leader);
	struct nsproxy *nsproxy = BPF_CORE_READ(task, nsproxy);
	const struct cred *cred = BPF_CORE_READ(task, cred);
	__u32 level = BPF_CORE_READ(task, thread_pid, level);

	record->host_parent_pid = BPF_CORE_READ(parent, tgid);
	record->parent_pid = pid_number(BPF_CORE_READ(parent, thread_pid), level);
	record->parent_start_ns = BPF_CORE_READ(parent, start_boottime);
	record->uid = BPF_CORE_READ(cred, uid.val);
	record->gid = BPF_CORE_READ(cred, gid.val);
	record->euid = BPF_CORE_READ(cred, euid.val);
	record->egid = BPF_CORE_READ(cred, egid.val);
	record->mount_ns = BPF_CORE_READ(nsproxy, mnt_ns, ns.inum);
	record->ipc_ns = BPF_CORE_READ(nsproxy, ipc_ns, ns.inum);
	record->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_get_current_comm(record->comm, sizeof(record->comm));
}

/* The thread is about to die: a call that was interrupted never returns to it. */
static __always_inline int task_is_dying(struct task_struct *task)
{
	return (BPF_CORE_READ(task, pending.signal.sig[0]) & SIGKILL_BIT) ||
	       (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT);
}

#endif
