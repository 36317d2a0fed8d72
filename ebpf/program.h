/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process runs, told once before the first of its calls that is sent: a process
 * that ends at once leaves nothing in /proc to look at.
 */
#ifndef IPCWARDEN_PROGRAM_H
#define IPCWARDEN_PROGRAM_H

/* Names and mounts on the way from the file to the root. */
#define PROGRAM_DEPTH 32

/* Whether a file has lost its name: fs/d_path.c calls it deleted then. */
static __always_inline int is_nameless(struct dentry *dentry)
{
	return !BPF_CORE_READ(dentry, d_hash.pprev) && BPF_CORE_READ(dentry, d_parent) != dentry;
}

/*
 * Writes the names of a path from the last to the first, each with a NUL, as d_path
 * walks (fs/d_path.c: prepend_path) but to the root of the mounts, whose root directory a
 * process has. How much is written is kept in memory, of which verifiers remember nothing:
 * else old ones tell all ways through the loop apart, half a million instructions.
 */
static __always_inline void walk_path(struct file *file, struct program *program)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfs = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
	const unsigned char *name;
	struct dentry *parent;
	struct mount *above;
	volatile __u32 *written = &program->path_bytes;
	__u64 at;
	long bytes;
	int i;

	for (i = 0; i < PROGRAM_DEPTH; i++) {
		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			above = BPF_CORE_READ(mount, mnt_parent);
			if (above == mount)
				break;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		name = BPF_CORE_READ(dentry, d_name.name);
		at = *written;
		if (at >= PROGRAM_PATH)
			break;
		bytes = bpf_probe_read_kernel_str(program->path + at, PROGRAM_NAME, name);
		if (bytes <= 0)
			break;
		*written += bytes;
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry) { /* in no directory: of memfd_create */
			program->flags |= PROGRAM_DELETED;
			return;
		}
		dentry = parent;
	}
	if (dentry != BPF_CORE_READ(mount, mnt.mnt_root))
		program->flags |= PROGRAM_CUT;
}

/* Tells the reader what the caller runs, unless it knows. Not static, so that it is verified once. */
__noinline int tell_program(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct known_program now = {}, *known;
	struct program *program;
	struct file *file;
	__u32 pid;

	if (!mm)
		return 0;
	file = BPF_CORE_READ(mm, exe_file);
	if (!file)
		return 0;
	pid = BPF_CORE_READ(task, tgid);
	now.process_start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	now.execs = BPF_CORE_READ(task, self_exec_id);
	now.file = (__u64)file;
	now.deleted = is_nameless(BPF_CORE_READ(file, f_path.dentry));
	known = bpf_map_lookup_elem(&known_programs, &pid);
	if (known && known->process_start_ns == now.process_start_ns && known->execs == now.execs &&
	    known->file == now.file && known->deleted == now.deleted)
		return 0;

	program = bpf_ringbuf_reserve(&records, sizeof(*program), 0);
	if (!program)
		return 0; /* before the next call, then */
	program->length = sizeof(*program);
	program->format = RECORD_FORMAT;
	program->event = EVENT_NONE;
	program->flags = now.deleted ? PROGRAM_DELETED : 0;
	program->host_pid = pid;
	program->path_bytes = 0;
	program->process_start_ns = now.process_start_ns;
	bpf_probe_read_kernel(program->auxv, sizeof(program->auxv),
			      __builtin_preserve_access_index(&mm->saved_auxv));
	walk_path(file, program);
	bpf_ringbuf_submit(program, BPF_RB_NO_WAKEUP);
	bpf_map_update_elem(&known_programs, &pid, &now, BPF_ANY);
	return 0;
}

#endif
