#define _GNU_SOURCE
#include <errno.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <string.h>

#include "forms.h"
#include "place.h"

/* unknown makes operations that the kernel does not have. */
static void unknown(void)
{
	static const struct {
		const char *form;
		uint32_t call;
	} cases[] = {
		{"ipc: operation 0", 0},
		{"ipc: operation 5", 5},
		{"ipc: DIPC", 25},
		{"ipc: operation 99", 99},
		{"ipc: operation 99 version 7", 99 | 7 << 16},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		operation(cases[i].form, -ENOSYS,
			  &(struct multiplexed){.call = cases[i].call, .first = -1, .second = 0xfffffffe, .third = 3,
						.ptr = 0x4000, .fifth = -5});
}

/* receive passes msgp and msgtyp in their two ways. */
static void receive(int q)
{
	struct message *m = place(sizeof *m + 64);

	m->mtype = 4;
	memcpy(m->text, "versions", 8);
	for (unsigned version = 0; version <= 2; version++) {
		route.version = 0;
		MAKE("ipc: something to receive", 0, MSGSND, q, P(m), 8, 0);
		route.version = version;
		MAKE(version == 0 ? "ipc: receive version 0" : version == 1 ? "ipc: receive version 1" :
		     "ipc: receive version 2", 0, MSGRCV, q, P(m), 64, 4, MSG_NOERROR);
	}
	route.version = 0;
	route.null_indirection = true;
	MAKE("ipc: receive version 0 through NULL", -EINVAL, MSGRCV, q, 0, 64, 0, IPC_NOWAIT);
	route.null_indirection = false;
}

/* old_structures leaves IPC_64 out, and gets 16-bit user ids. */
static void old_structures(int q, int s, int m)
{
	struct old_queue *queue = place(sizeof *queue);
	struct old_set *set = place(sizeof *set);
	struct old_segment *segment = place(sizeof *segment);

	route.old_structures = true;
	MAKE("old: stat of a queue", 0, MSGCTL, q, IPC_STAT, P(queue));
	queue->perm.mode = 0611;
	queue->qbytes = 4321;
	MAKE("old: change of a queue", 0, MSGCTL, q, IPC_SET, P(queue));
	MAKE("old: stat of a set", 0, SEMCTL, s, 0, IPC_STAT, P(set));
	set->perm.mode = 0622;
	MAKE("old: change of a set", 0, SEMCTL, s, 0, IPC_SET, P(set));
	MAKE("old: stat of a segment", 0, SHMCTL, m, IPC_STAT, P(segment));
	segment->perm.mode = 0633;
	MAKE("old: change of a segment", 0, SHMCTL, m, IPC_SET, P(segment));
	MAKE("old: SETVAL", 0, SEMCTL, s, 0, SETVAL, 3);
	route.old_structures = false;
}

/* odd makes the calls that have no direct counterpart. */
static void odd(int q, int s, int m)
{
	route.version = 1;
	MAKE("ipc: attach version 1", -EINVAL, SHMAT, m, 0, 0);
	MAKE("ipc: send version 1", 0, MSGSND, q, P(memset(place(16), 1, 8)), 4, 0);
	route.version = 0;
	route.attached_at = P(hole());
	MAKE("ipc: attach without a place for the address", -EFAULT, SHMAT, m, 0, 0);
	route.attached_at = 0;
	route.null_indirection = true;
	MAKE("ipc: semctl through NULL", -EINVAL, SEMCTL, s, 0, GETVAL, 0);
	route.null_indirection = false;
}

void operations(void)
{
	int q, s, m;

	if (!PARSES_IPC_64)
		return;
	if (THROUGH_IPC)
		unknown();
	q = MAKE("ipc: queue", 0, MSGGET, IPC_PRIVATE, 0600);
	s = MAKE("ipc: set", 0, SEMGET, IPC_PRIVATE, 1, 0600);
	m = MAKE("ipc: segment", 0, SHMGET, IPC_PRIVATE, PAGE, 0600);
	old_structures(q, s, m);
	if (THROUGH_IPC) {
		receive(q);
		odd(q, s, m);
	}
	MAKE("ipc: remove the queue", 0, MSGCTL, q, IPC_RMID, 0);
	MAKE("ipc: remove the set", 0, SEMCTL, s, 0, IPC_RMID, 0);
	MAKE("ipc: remove the segment", 0, SHMCTL, m, IPC_RMID, 0);
}
