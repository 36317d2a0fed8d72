/*
 * abi.h: the layouts of the system call table that the program calls into.
 *
 * The same sources are compiled for every way into System V IPC:
 *
 *	cc -m64				the direct calls of amd64
 *	cc -m32				the direct calls of i386
 *	cc -m32 -DUSE_IPC		i386, everything through ipc(2)
 *	cc -m64 -DUSE_INT80		i386 calls from 64-bit code by int $0x80,
 *					with garbage in the upper register halves
 *	cc -m64 -DUSE_INT80 -DUSE_IPC	the same through ipc(2)
 *	aarch64-linux-gnu-gcc		the calls of arm64
 *	arm-linux-gnueabihf-gcc		the calls of 32-bit ARM
 *	arm-… -DUSE_TIME64		the same, with 64-bit seconds
 *
 * The layouts are written down here and not taken from the C library, which
 * knows only those of the program's own word size.
 */
#pragma once

#include <stdint.h>

#if defined(__i386__) || defined(__arm__) || defined(USE_INT80)
#define ABI32 1
typedef int32_t word;
typedef uint32_t uword;
#else
#define ABI32 0
typedef int64_t word;
typedef uint64_t uword;
#endif

#ifdef USE_IPC
#define THROUGH_IPC 1
#else
#define THROUGH_IPC 0
#endif

/* ORed into cmd by callers of ipc(2), and on 32-bit ARM by all: the current
 * structures, not the old ones. */
#define IPC_64 0x100
#if defined(__arm__)
#define PARSES_IPC_64 1
#else
#define PARSES_IPC_64 THROUGH_IPC
#endif

/* Whether semtimedop has 64-bit seconds: on i386 only semtimedop_time64 can be
 * called directly, on ARM its predecessor as well. */
#if defined(__arm__) && !defined(USE_TIME64)
#define TIME64 0
#else
#define TIME64 !THROUGH_IPC
#endif

/* A pointer as the register that passes it. */
#define P(pointer) ((uword)(uintptr_t)(pointer))

struct message {
	word mtype;
	char text[];
};

struct operation {
	uint16_t sem_num;
	int16_t sem_op;
	int16_t sem_flg;
};

struct timeout {
#if ABI32 && !TIME64
	int32_t sec, nsec;
#else
	int64_t sec, nsec;
#endif
};

struct permissions {
	int32_t key;
	uint32_t uid, gid, cuid, cgid, mode;
	uint16_t seq, pad;
	uword unused[2];
};

struct queue {
	struct permissions perm;
#if ABI32
	uint32_t times[6];
#else
	int64_t times[3];
#endif
	uword cbytes, qnum, qbytes;
	int32_t lspid, lrpid;
	uword unused[2];
};

struct set {
	struct permissions perm;
#if defined(__aarch64__)
	uword otime, ctime;
#else
	uword otime[2], ctime[2];
#endif
	uword nsems, unused[2];
};

struct segment {
	struct permissions perm;
	uword segsz;
#if ABI32
	uint32_t times[6];
#else
	int64_t times[3];
#endif
	int32_t cpid, lpid;
	uword nattch, unused[2];
};

/* The structures from before Linux 2.4, for ipc(2) without IPC_64. */
struct old_permissions {
	int32_t key;
	uint16_t uid, gid, cuid, cgid, mode, seq;
};

struct old_queue {
	struct old_permissions perm;
	uint32_t first, last, times[3], lcbytes, lqbytes;
	uint16_t cbytes, qnum, qbytes, lspid, lrpid;
};

struct old_set {
	struct old_permissions perm;
	uint32_t times[2], lists[4];
	uint16_t nsems;
};

struct old_segment {
	struct old_permissions perm;
	int32_t segsz;
	uint32_t times[3];
	uint16_t cpid, lpid, nattch, unused;
	uint32_t unused2, unused3;
};

_Static_assert(sizeof(struct operation) == 6, "struct sembuf");
_Static_assert(sizeof(struct queue) == (ABI32 ? 88 : 120), "struct msqid64_ds");
#if defined(__aarch64__)
_Static_assert(sizeof(struct set) == 88, "struct semid64_ds");
#else
_Static_assert(sizeof(struct set) == (ABI32 ? 64 : 104), "struct semid64_ds");
#endif
_Static_assert(sizeof(struct segment) == (ABI32 ? 84 : 112), "struct shmid64_ds");
_Static_assert(sizeof(struct old_queue) == 56, "struct msqid_ds");
_Static_assert(sizeof(struct old_set) == 44, "struct semid_ds");
_Static_assert(sizeof(struct old_segment) == 48, "struct shmid_ds");
