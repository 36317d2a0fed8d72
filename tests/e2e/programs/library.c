/*
 * The C library's wrappers. Where they end up is a fact about the library: on
 * amd64 semop() is semtimedop, on i386 everything is ipc(2) up to glibc 2.36, on
 * 32-bit ARM semop() is semtimedop with 32-bit seconds.
 * A wrapper that passes memory of its own is asked only for numbers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "forms.h"
#include "place.h"
#include "say.h"

#if defined(USE_INT80) || defined(USE_IPC) || defined(USE_TIME64)

void library(void)
{
}

#else

/* said prints what a wrapper did, with result as the C library returns it. */
static void said(const char *form, enum which which, long result, const struct object *o, const uword arguments[6])
{
	struct multiplexed m = {
#ifdef __i386__
		.used = true,
#endif
		.opaque = true,
		.call = (uint32_t)calls[which].operation,
	};

	if (result == -1)
		result = -errno;
	say_call(form, which, arguments, result, &m, o);
	judge(form, 0, result);
}

#define SAID(form, which, result, ...) do { \
	const uword arguments[6] = {__VA_ARGS__}; \
	struct object o = {0}; \
	find_before(which, arguments, &o); \
	said(form, which, (long)(result), &o, arguments); \
} while (0)

void library(void)
{
	union semun {
		int val;
	} three = {3};
	struct message *m = place(sizeof *m + 64);
	struct operation *ops = place(2 * sizeof *ops);
	struct timespec *second = place(sizeof *second);
	int q = (int)MAKE("library: queue", 0, MSGGET, IPC_PRIVATE, 0600);
	int s = (int)MAKE("library: set", 0, SEMGET, IPC_PRIVATE, 2, 0600);
	int h = (int)MAKE("library: segment", 0, SHMGET, IPC_PRIVATE, PAGE, 0600);
	void *at;

	m->mtype = 5;
	memcpy(m->text, "wrapped", 7);
	SAID("library: msgsnd", MSGSND, msgsnd(q, m, 7, IPC_NOWAIT), q, P(m), 7, IPC_NOWAIT);
	SAID("library: msgrcv", MSGRCV, msgrcv(q, m, 64, -9, MSG_NOERROR), q, P(m), 64, (uword)-9, MSG_NOERROR);

	ops[0] = (struct operation){0, 1, IPC_NOWAIT};
	ops[1] = (struct operation){1, 2, SEM_UNDO};
	SAID("library: semop", SEMTIMEDOP, semop(s, (void *)ops, 2), s, P(ops), 2, 0);
	if (!ABI32) { /* there the library passes a copy of the timeout */
		second->tv_sec = 1;
		SAID("library: semtimedop", SEMTIMEDOP, semtimedop(s, (void *)ops, 2, second), s, P(ops), 2, P(second));
	}
	SAID("library: semctl", SEMCTL, semctl(s, 1, SETVAL, three), s, 1, SETVAL, 3);

	SAID("library: shmat", SHMAT, at = shmat(h, NULL, SHM_RDONLY), h, 0, SHM_RDONLY);
	SAID("library: shmdt", SHMDT, shmdt(at), P(at));

	SAID("library: remove the queue", MSGCTL, msgctl(q, IPC_RMID, NULL), q, IPC_RMID, 0);
	SAID("library: remove the set", SEMCTL, semctl(s, 0, IPC_RMID), s, 0, IPC_RMID, 0);
	SAID("library: remove the segment", SHMCTL, shmctl(h, IPC_RMID, NULL), h, IPC_RMID, 0);
}

#endif
