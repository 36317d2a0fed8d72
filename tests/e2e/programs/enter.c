#include <string.h>

#include "call.h"
#include "gate.h"
#include "place.h"

#if defined(__arm__)
#define NUMBER(amd64, i386, arm64, arm) arm
#elif defined(__aarch64__)
#define NUMBER(amd64, i386, arm64, arm) arm64
#elif ABI32
#define NUMBER(amd64, i386, arm64, arm) i386
#else
#define NUMBER(amd64, i386, arm64, arm) amd64
#endif

const struct call calls[] = {
	[MSGGET] = {"msgget", NUMBER(68, 399, 186, 303), 13, {{"key", "key_t", '1'}, {"msgflg", "int", '2'}}},
	[MSGSND] = {"msgsnd", NUMBER(69, 400, 189, 301), 11,
		    {{"msqid", "int", '1'}, {"msgp", "struct msgbuf*", '4'},
		     {"msgsz", "size_t", '2'}, {"msgflg", "int", '3'}}},
	[MSGRCV] = {"msgrcv", NUMBER(70, 401, 188, 302), 12,
		    {{"msqid", "int", '1'}, {"msgp", "struct msgbuf*", '4'},
		     {"msgsz", "size_t", '2'}, {"msgtyp", "long", '5'}, {"msgflg", "int", '3'}}},
	[MSGCTL] = {"msgctl", NUMBER(71, 402, 187, 304), 14,
		    {{"msqid", "int", '1'}, {"cmd", "int", '2'}, {"buf", "struct msqid_ds*", '4'}}},
	[SEMGET] = {"semget", NUMBER(64, 393, 190, 299), 2,
		    {{"key", "key_t", '1'}, {"nsems", "int", '2'}, {"semflg", "int", '3'}}},
	[SEMOP] = {"semop", NUMBER(65, 0, 193, 298), 1,
		   {{"semid", "int", '1'}, {"sops", "struct sembuf*", '4'}, {"nsops", "size_t", '2'}}},
	[SEMTIMEDOP] = {"semtimedop", NUMBER(220, 420, 192, TIME64 ? 420 : 312), 4,
			{{"semid", "int", '1'}, {"sops", "struct sembuf*", '4'},
			 {"nsops", "size_t", '2'}, {"timeout", "const struct timespec*", '5'}}},
	[SEMCTL] = {"semctl", NUMBER(66, 394, 191, 300), 3,
		    {{"semid", "int", '1'}, {"semnum", "int", '2'}, {"cmd", "int", '3'},
		     {"arg", "unsigned long", '*'}}},
	[SHMGET] = {"shmget", NUMBER(29, 395, 194, 307), 23,
		    {{"key", "key_t", '1'}, {"size", "size_t", '2'}, {"shmflg", "int", '3'}}},
	[SHMAT] = {"shmat", NUMBER(30, 397, 196, 305), 21,
		   {{"shmid", "int", '1'}, {"shmaddr", "const void*", '4'}, {"shmflg", "int", '2'}}},
	[SHMDT] = {"shmdt", NUMBER(67, 398, 197, 306), 22, {{"shmaddr", "const void*", '4'}}},
	[SHMCTL] = {"shmctl", NUMBER(31, 396, 195, 308), 24,
		    {{"shmid", "int", '1'}, {"cmd", "int", '2'}, {"buf", "struct shmid_ds*", '4'}}},
};

struct route route;

enum { IPC = 117 }; /* the number of ipc(2) */

bool can_make(enum which which)
{
	return THROUGH_IPC || calls[which].direct != 0;
}

int number(enum which which)
{
	return THROUGH_IPC ? IPC : calls[which].direct;
}

long multiplex(struct multiplexed *m)
{
	m->used = true;
	m->result = gate(IPC, (const uword[6]){m->call, (uword)m->first, m->second, m->third, m->ptr,
					       (uword)m->fifth});
	return m->result;
}

/* through_ipc makes a call as operation of ipc(2). */
static long through_ipc(enum which which, const uword arguments[6], struct multiplexed *m)
{
	const struct call *c = &calls[which];
	uint32_t *indirect = place(2 * sizeof *indirect);
	bool kludge = which == MSGRCV && route.version == 0;

	m->call = (uint32_t)c->operation | route.version << 16;
	for (int i = 0; c->parameters[i].name; i++) {
		uint32_t value = (uint32_t)arguments[i];

		if (!strcmp(c->parameters[i].name, "cmd") && !route.old_structures)
			value |= IPC_64;
		switch (c->parameters[i].slot) {
		case '1': m->first = (int32_t)value; break;
		case '2': m->second = value; break;
		case '3': m->third = value; break;
		case '4': m->ptr = value; break;
		case '5': m->fifth = (int32_t)value; break;
		case '*': indirect[0] = value; break;
		}
	}
	if (kludge) { /* struct ipc_kludge { msgp, msgtyp } */
		indirect[0] = m->ptr;
		indirect[1] = (uint32_t)m->fifth;
		m->fifth = 0;
	}
	if (kludge || which == SEMCTL)
		m->ptr = route.null_indirection ? 0 : (uint32_t)P(indirect);
	if (which != SHMAT)
		return multiplex(m);
	m->third = route.attached_at ? (uint32_t)route.attached_at : (uint32_t)P(indirect);
	return multiplex(m) < 0 ? m->result : (long)(uword)indirect[0];
}

/* direct makes a call by its own number. */
static long direct(enum which which, const uword arguments[6])
{
	const struct call *c = &calls[which];
	uword registers[6];

	memcpy(registers, arguments, sizeof registers);
	for (int i = 0; c->parameters[i].name; i++)
		if (PARSES_IPC_64 && !strcmp(c->parameters[i].name, "cmd") && !route.old_structures)
			registers[i] |= IPC_64;
	return gate(c->direct, registers);
}

long enter(enum which which, const uword arguments[6], struct multiplexed *m)
{
	return THROUGH_IPC ? through_ipc(which, arguments, m) : direct(which, arguments);
}
