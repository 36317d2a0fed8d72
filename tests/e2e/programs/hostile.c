#define _GNU_SOURCE
#include <errno.h>
#include <sys/sem.h>
#include <limits.h>
#include <string.h>

#include "forms.h"
#include "place.h"

/* nowhere lists the ways to point at nothing. */
enum { NOWHERE = 3 };

static uword nowhere(int i)
{
	return i == 0 ? 0 : i == 1 ? P(hole()) : P(in_kernel());
}

#define NAMES(what) static const char *const names[] = \
	{"hostile: " what " NULL", "hostile: " what " unmapped", "hostile: " what " in the kernel"}

static void send(int q)
{
	NAMES("send from");

	for (int i = 0; i < NOWHERE; i++)
		MAKE(names[i], -EFAULT, MSGSND, q, nowhere(i), 10, IPC_NOWAIT);
}

static void receive(int q)
{
	NAMES("receive to");
	struct message *m = place(sizeof *m + 8);

	m->mtype = 1;
	memcpy(m->text, "for you", 7);
	for (int i = 0; i < NOWHERE; i++) {
		MAKE("hostile: something to receive", 0, MSGSND, q, P(m), 7, IPC_NOWAIT);
		MAKE(names[i], -EFAULT, MSGRCV, q, nowhere(i), 10, 0, IPC_NOWAIT);
	}
}

static void operate(int s)
{
	NAMES("operations at");

	for (int i = 0; i < NOWHERE; i++)
		MAKE(names[i], -EFAULT, SEMTIMEDOP, s, nowhere(i), 2, 0);
}

static void wait_briefly(int s)
{
	NAMES("timeout at");
	struct operation *op = place(sizeof *op);

	*op = (struct operation){0, 1, IPC_NOWAIT};
	for (int i = 1; i < NOWHERE; i++) /* NULL means no timeout */
		MAKE(names[i], -EFAULT, SEMTIMEDOP, s, P(op), 1, nowhere(i));
}

static void settings(int q, int s, int m)
{
	NAMES("settings at");

	for (int i = 0; i < NOWHERE; i++) {
		MAKE(names[i], -EFAULT, MSGCTL, q, IPC_SET, nowhere(i));
		MAKE(names[i], -EFAULT, SEMCTL, s, 0, IPC_SET, nowhere(i));
		MAKE(names[i], -EFAULT, SHMCTL, m, IPC_SET, nowhere(i));
		MAKE(names[i], -EFAULT, SEMCTL, s, 0, SETALL, nowhere(i));
	}
}

static void results(int q, int s, int m)
{
	NAMES("results to");

	for (int i = 0; i < NOWHERE; i++) {
		MAKE(names[i], -EFAULT, MSGCTL, q, IPC_STAT, nowhere(i));
		MAKE(names[i], -EFAULT, SEMCTL, s, 0, IPC_STAT, nowhere(i));
		MAKE(names[i], -EFAULT, SHMCTL, m, IPC_STAT, nowhere(i));
		MAKE(names[i], -EFAULT, SEMCTL, s, 0, GETALL, nowhere(i));
	}
}

/* edges has memory that ends where the next page is not mapped. */
static void edges(int q, int s)
{
	struct message *m = before_hole(sizeof *m + 16);
	struct operation *ops;
	char *half;

	m->mtype = 9;
	memcpy(m->text, "up to the edge..", 16);
	MAKE("hostile: message up to the edge", 0, MSGSND, q, P(m), 16, IPC_NOWAIT);
	MAKE("hostile: message over the edge", -EFAULT, MSGSND, q, P(m), 64, IPC_NOWAIT);
	half = before_hole(sizeof(word) / 2);
	memset(half, 1, sizeof(word) / 2);
	MAKE("hostile: type over the edge", -EFAULT, MSGSND, q, P(half), 8, IPC_NOWAIT);
	ops = before_hole(2 * sizeof *ops);
	ops[0] = (struct operation){0, 1, IPC_NOWAIT};
	ops[1] = (struct operation){0, -1, IPC_NOWAIT};
	MAKE("hostile: operations up to the edge", 0, SEMTIMEDOP, s, P(ops), 2, 0);
	MAKE("hostile: operations over the edge", -EFAULT, SEMTIMEDOP, s, P(ops), 3, 0);
}

static void numbers(int q, int s)
{
	struct message *m = place(sizeof *m + 16);
	struct operation *op = place(2 * PAGE); /* a look beyond the first finds zeros */

	m->mtype = 1;
	*op = (struct operation){0, 1, IPC_NOWAIT};
	MAKE("hostile: send to queue -1", -EINVAL, MSGSND, (uword)-1, P(m), 4, IPC_NOWAIT);
	MAKE("hostile: receive from queue -1", -EINVAL, MSGRCV, (uword)-1, P(m), 4, 0, IPC_NOWAIT);
	MAKE("hostile: operate on set -1", -EINVAL, SEMTIMEDOP, (uword)-1, P(op), 1, 0);
	MAKE("hostile: attach segment -1", -EINVAL, SHMAT, (uword)-1, 0, 0);
	MAKE("hostile: queue INT_MIN", -EINVAL, MSGCTL, (uword)INT_MIN, IPC_STAT, P(m));
	MAKE("hostile: queue INT_MAX", -EINVAL, MSGSND, INT_MAX, P(m), 4, IPC_NOWAIT);
	MAKE("hostile: command INT_MIN", -EINVAL, MSGCTL, q, (uword)INT_MIN, P(m));
	MAKE("hostile: size SIZE_MAX", -EINVAL, MSGSND, q, P(m), (uword)-1, IPC_NOWAIT);
	MAKE("hostile: receive SIZE_MAX", -EINVAL, MSGRCV, q, P(m), (uword)-1, 0, IPC_NOWAIT);
	MAKE("hostile: type LONG_MIN", 0, MSGRCV, q, P(m), 16, (uword)1 << (8 * sizeof(word) - 1), IPC_NOWAIT);
	MAKE("hostile: no operations", -EINVAL, SEMTIMEDOP, s, P(op), 0, 0);
	MAKE("hostile: 100000 operations", -E2BIG, SEMTIMEDOP, s, P(op), 100000, 0);
}

/* constants has operations where the kernel is the first to read them. */
static void constants(int s)
{
	static const struct operation ops[] = {{0, 1, IPC_NOWAIT}, {0, -1, IPC_NOWAIT}, {1, 0, SEM_UNDO}};

	MAKE("hostile: operations in an untouched page", 0, SEMTIMEDOP, s, P(untouched(ops, sizeof ops)), 3, 0);
}

void hostile(void)
{
	int q = MAKE("hostile: queue", 0, MSGGET, IPC_PRIVATE, 0600);
	int s = MAKE("hostile: set", 0, SEMGET, IPC_PRIVATE, 2, 0600);
	int m = MAKE("hostile: segment", 0, SHMGET, IPC_PRIVATE, PAGE, 0600);

	send(q);
	receive(q);
	operate(s);
	wait_briefly(s);
	settings(q, s, m);
	results(q, s, m);
	edges(q, s);
	numbers(q, s);
	constants(s);
	MAKE("hostile: remove the queue", 0, MSGCTL, q, IPC_RMID, 0);
	MAKE("hostile: remove the set", 0, SEMCTL, s, 0, IPC_RMID, 0);
	MAKE("hostile: remove the segment", 0, SHMCTL, m, IPC_RMID, 0);
}
