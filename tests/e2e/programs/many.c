/*
 * many [--benign] ACT
 *
 * does with many System V IPC calls what none of them gives away, or its benign
 * twin. It has to be root, takes objects of its own in an IPC namespace of its own,
 * and ends on the END calls. Without arguments it lists the acts.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acts.h"
#include "must.h"

enum { PAGE = 4096, OTHER = 65534, QUEUES = 64, SEARCHED = 16, SPINS = 4000, ASKED = 16, REMOVED = 3 };

struct message {
	long mtype;
	char text[1024];
};

/* fill makes private queues with two messages in each. */
static void fill(int *queues, int n, bool receive)
{
	struct message message = {.mtype = 1};

	for (int i = 0; i < n; i++)
		queues[i] = (int)MUST(msgget(IPC_PRIVATE, 0600));
	for (int i = 0; i < 2 * n; i++) {
		MUST(msgsnd(queues[i % n], &message, sizeof message.text, 0));
		if (receive)
			MUST(msgrcv(queues[i % n], &message, sizeof message.text, 0, 0));
	}
}

static int operate(int set, short value, short flags)
{
	struct sembuf operation = {0, value, flags};

	return semop(set, &operation, 1);
}

/* refused takes a semaphore that is not free. */
static void refused(int set)
{
	if (operate(set, -1, IPC_NOWAIT) != -1 || errno != EAGAIN)
		errx(2, "a semaphore was free that must not be");
}

/* The benign twin gets the lock in the end. */
static void acted_without_lock(bool benign)
{
	int set = (int)MUST(semget(IPC_PRIVATE, 1, 0600)), segment = (int)MUST(shmget(IPC_PRIVATE, PAGE, 0600));

	refused(set);
	if (benign) {
		MUST(operate(set, 1, 0));
		MUST(operate(set, -1, IPC_NOWAIT));
	}
	MUST(shmat(segment, NULL, 0));
	MUST(shmctl(segment, IPC_RMID, NULL));
}

/* The benign twin gives up soon. */
static void nowait_spin(bool benign)
{
	int set = (int)MUST(semget(IPC_PRIVATE, 1, 0600));

	for (int i = 0; i < (benign ? SPINS / 4 : SPINS); i++)
		refused(set);
}

/* In the benign twin each message is received before the next one is sent. */
static void message_spray(bool benign)
{
	int queues[QUEUES];

	fill(queues, QUEUES, benign);
}

/* The benign twin looks into fewer queues. */
static void spray_peek(bool benign)
{
	struct message message;
	int queues[SEARCHED];

	fill(queues, SEARCHED, false);
	for (int i = 0; i < (benign ? SEARCHED / 2 : SEARCHED); i++)
		MUST(msgrcv(queues[i], &message, sizeof message.text, 1, MSG_COPY | IPC_NOWAIT));
}

/* The benign twin asks for what it has, by id. */
static void object_enumeration(bool benign)
{
	int queue = (int)MUST(msgget(IPC_PRIVATE, 0600));
	struct msqid_ds settings;

	for (int i = 0; i < ASKED; i++)
		if (benign)
			MUST(msgctl(queue, IPC_STAT, &settings));
		else
			msgctl(i, MSG_STAT, &settings);
}

/* The benign twin stops at two, which somebody may have wanted. */
static void mass_removal(bool benign)
{
	int *queues = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	if (!MUST(fork())) {
		MUST(setresgid(OTHER, OTHER, OTHER));
		MUST(setresuid(OTHER, OTHER, OTHER));
		for (int i = 0; i < REMOVED; i++)
			queues[i] = (int)MUST(msgget(IPC_PRIVATE, 0600));
		_exit(0);
	}
	MUST(wait(&status));
	if (status)
		errx(2, "the child ended with status %#x", status);
	for (int i = 0; i < (benign ? REMOVED - 1 : REMOVED); i++)
		MUST(msgctl(queues[i], IPC_RMID, NULL));
}

static const struct act acts[] = {
	{"acted-without-lock", acted_without_lock},
	{"nowait-spin", nowait_spin},
	{"message-spray", message_spray},
	{"spray-peek", spray_peek},
	{"object-enumeration", object_enumeration},
	{"mass-removal", mass_removal},
};

int main(int argc, char **argv)
{
	return perform(acts, sizeof acts / sizeof *acts, argc, argv);
}
