/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record that a call becomes in the ring. pkg/wire.Record is the same struct
 * in Go; table.gen.h asserts that the two agree.
 */
#ifndef IPCWARDEN_RECORD_H
#define IPCWARDEN_RECORD_H

#define RECORD_FORMAT 4

/* record.flags */
#define RECORD_COMPAT	   (1 << 0) /* made through the 32-bit system call table */
#define RECORD_MULTIPLEXED (1 << 1) /* made through ipc(2) */
#define RECORD_TIME64	   (1 << 2) /* 32-bit caller with a 64-bit timespec */
#define RECORD_UNFINISHED  (1 << 3) /* the thread died in the call */

/* view.state: event.State */
enum view_state {
	STATE_ABSENT,
	STATE_WHOLE,
	STATE_CUT,
	STATE_UNREADABLE,
};

/* view.source: event.Source */
enum view_source {
	SOURCE_NONE,
	SOURCE_FUNCTION,
	SOURCE_KMALLOC,
};

/* memory.views[]: the looks at one piece of memory */
enum view_index {
	AT_ENTRY,
	IN_KERNEL, /* not the user's memory but what the kernel took from it */
	AT_EXIT,
	VIEWS,
};

/* record.memory[]: event.MainMemory and its kin */
enum memory_place {
	MEMORY_MAIN,
	MEMORY_INDIRECT,
	MEMORY_TIMEOUT,
	MEMORY_PLACES,
};

/* object.kernel_access: what the kernel wants the caller to be allowed to do */
#define ACCESS_EXECUTE 1 /* the bits of a mode */
#define ACCESS_WRITE   2
#define ACCESS_READ    4
#define ACCESS_OWN     8 /* to be owner or creator, for IPC_SET and IPC_RMID */

struct object {
	__u8 kind; /* enum kind */
	__u8 created;
	__u16 mode;
	__s32 id;
	__s32 key;
	__u32 owner_uid;
	__u32 owner_gid;
	__u32 creator_uid;
	__u32 creator_gid;
	__s32 kernel_id; /* of the object that the kernel acts on */
	__u8 kernel_seen; /* kernel_id is there */
	__u8 kernel_access;
	__u16 pad;
	__u32 pad2;
	__u64 sequence;
	__u64 sizes[3]; /* msg: qbytes, cbytes, qnum; sem: nsems; shm: segsz, nattch */
	__u32 pids[2];	/* msg: lspid, lrpid; shm: cpid, lpid */
};

struct view {
	__u16 offset; /* in the bytes after the record */
	__u16 captured;
	__u32 length; /* IN_KERNEL: bytes that the kernel has */
	__u8 state;   /* enum view_state */
	__u8 source;  /* IN_KERNEL: enum view_source */
	__u16 digested; /* bytes that record.digests is of */
};

/* mapping.state: event.MappingState */
enum mapping_state {
	MAPPING_ABSENT,
	MAPPING_MAPPED,
	MAPPING_UNMAPPED,
	MAPPING_UNREAD,
};

/* mapping.flags */
#define MAPPING_SHARED	    (1 << 0)
#define MAPPING_USERFAULTFD (1 << 1)
#define MAPPING_SEGMENT	    (1 << 2) /* of shared memory: segment and attached are set */
#define MAPPING_RESIDENT    (1 << 3) /* could be read without a page fault */

/* What is mapped at a byte of user memory. */
struct mapping {
	__u8 state; /* enum mapping_state */
	__u8 flags;
	__u16 pad;
	__u32 magic; /* of the file system, 0 for anonymous memory */
	__s32 segment;
	__u32 attached;
};

/* memory.mappings[] */
enum mapped_byte {
	FIRST_BYTE,
	LAST_BYTE,
	MAPPED_BYTES,
};

struct memory {
	__u64 address;
	__u64 wanted; /* bytes that the call asks the kernel to read or write */
	struct view views[VIEWS];
	__u8 pointee; /* enum pointee */
	__u8 used;
	__u8 pad[2];
	struct mapping mappings[MAPPED_BYTES];
};

/* A call of another thread of the same address space, under way on the same memory. */
struct overlap {
	__u32 host_pid;
	__u32 host_tid;
	__u8 event;
	__u8 writes; /* the kernel does */
	__u8 pad[6];
	__u64 address;
	__u64 length;
	__u64 entered_ns;
};

#define OVERLAPS 4

struct record {
	__u32 length; /* with the bytes of all views, which follow */
	__u8 format;
	__u8 event; /* enum event */
	__u8 abi;   /* enum abi */
	__u8 flags;
	__u32 cpu;
	__u32 command; /* cmd of a *ctl call as it was passed */

	__u64 entered_ns; /* CLOCK_BOOTTIME, as all times here */
	__u64 copied_ns; /* the kernel had its copy of main memory; 0: not seen */
	__u64 exited_ns;
	__s64 ret;
	__u64 raw[6];
	__u64 args[6];

	__u64 cgroup_id;
	__u64 thread_start_ns;
	__u64 process_start_ns;
	__u64 parent_start_ns;

	__u32 host_pid;
	__u32 host_tid;
	__u32 host_parent_pid;
	__u32 pid;
	__u32 tid;
	__u32 parent_pid;
	__u32 uid;
	__u32 gid;
	__u32 euid;
	__u32 egid;
	__u32 mount_ns;
	__u32 pid_ns;
	__u32 ipc_ns;
	__u32 sleeps; /* voluntary context switches; until exit, the thread's before */

	char comm[16];

	struct object object;
	struct memory memory[MEMORY_PLACES];
	__u64 digests[VIEWS]; /* of the views of main memory */

	__u16 overlaps_offset; /* in the bytes after the record */
	__u16 overlaps;	       /* how many struct overlap lie there */
	__u32 overlaps_omitted;
	__u32 copied_sleeps; /* voluntary context switches until copied_ns */

	/* Calls before this one that were counted, as they are like it: see repeat.h. */
	__u32 repeats;
	__u64 repeats_first_ns; /* end of the first of them */
	__u64 repeats_last_ns;
	__u64 shape; /* 0: none like it is counted */
};

/* program.flags */
#define PROGRAM_DELETED (1 << 0) /* no directory has the file any more, or ever had */
#define PROGRAM_CUT	(1 << 1) /* the path is longer than what is there of it */

#define PROGRAM_NAME 256	   /* NAME_MAX and a NUL */
#define PROGRAM_PATH 1024	   /* a power of two */
#define AUXV_BYTES   256

/* What a process runs: the other kind of record, where record.event is. */
struct program {
	__u32 length;
	__u8 format;
	__u8 event; /* EVENT_NONE */
	__u8 flags;
	__u8 pad;
	__u32 host_pid;
	__u32 path_bytes;
	__u64 process_start_ns;
	__u8 auxv[AUXV_BYTES];		       /* the beginning of it */
	char path[PROGRAM_PATH + PROGRAM_NAME]; /* names from the last to the first, each with a NUL */
};

#endif
