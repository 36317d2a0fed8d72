/*
 * steps ACT [OPERATIONS]
 *
 * makes the steps of sequences, in order or not, by one thread or by two, after many
 * operations on a semaphore that succeed. It ends on the END calls. Without arguments it
 * lists the acts.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

#include "end.h"
#include "must.h"

enum { TAKEN, FREE, SEMAPHORES };

static int set, segment;

static void operate(int number, int value)
{
	struct sembuf operation = {(unsigned short)number, (short)value, 0};

	MUST(semop(set, &operation, 1));
}

static void wait_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* refused waits for a semaphore in vain, if not at all without IPC_NOWAIT. */
static void *refused(void *ms)
{
	struct sembuf take = {TAKEN, -1, ms ? 0 : IPC_NOWAIT};
	struct timespec limit = {0, (long)ms * 1000000};

	if (semtimedop(set, &take, 1, &limit) != -1 || errno != EAGAIN)
		errx(2, "a semaphore was free that must not be");
	return NULL;
}

static void attach(void) { MUST(shmat(segment, NULL, 0)); }
static void break_lock(void) { MUST(semctl(set, FREE, SETVAL, 1)); }

static void steps(void)
{
	refused(NULL);
	attach();
	break_lock();
}

static void taken_between(void)
{
	refused(NULL);
	operate(FREE, -1);
	steps();
}

static void too_late(void)
{
	refused(NULL);
	wait_ms(1200);
	attach();
	break_lock();
}

/* Takes the first step in another thread, for so long, and calls after ms. */
static void beside(long lasts, long ms)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, refused, (void *)lasts))
		errx(2, "pthread_create");
	wait_ms(ms);
	attach();
	break_lock();
	if (pthread_join(thread, NULL))
		errx(2, "pthread_join");
}

static void by_another_thread(void) { beside(0, 30); }

/* The first step ends when the others have. */
static void while_it_waits(void) { beside(200, 50); }

static void after_a_thread(void)
{
	beside(0, 30);
	break_lock();
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
	{"steps", steps},
	{"taken-between", taken_between},
	{"too-late", too_late},
	{"by-another-thread", by_another_thread},
	{"while-it-waits", while_it_waits},
	{"after-a-thread", after_a_thread},
};

int main(int argc, char **argv)
{
	long operations = argc == 3 ? atol(argv[2]) : 0;

	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		if (argc == 1)
			puts(acts[i].name);
		else if (!strcmp(argv[1], acts[i].name)) {
			set = (int)MUST(semget(IPC_PRIVATE, SEMAPHORES, 0600));
			segment = (int)MUST(shmget(IPC_PRIVATE, 4096, 0600));
			operate(FREE, 2);
			for (; operations > 0; operations -= 2) {
				operate(FREE, -1);
				operate(FREE, 1);
			}
			acts[i].act();
			MUST(semctl(set, 0, IPC_RMID));
			MUST(shmctl(segment, IPC_RMID, NULL));
			end_calls();
			return 0;
		}
	}
	if (argc > 1)
		errx(2, "no act is called %s", argv[1]);
	return 0;
}
