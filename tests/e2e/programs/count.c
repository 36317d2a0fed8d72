/*
 * count THREADS ROUNDS
 *
 * makes System V IPC calls as fast as it can, and prints how many.
 */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/msg.h>
#include <unistd.h>

static long rounds;

/* exchange sends messages to itself, and returns how many calls it made. */
static void *exchange(void *unused)
{
	struct {
		long mtype;
		char text[16];
	} message = {1, "0123456789abcde"};
	int queue = msgget(IPC_PRIVATE, 0600);
	long calls = 1;

	(void)unused;
	if (queue < 0)
		err(2, "msgget");
	for (long i = 0; i < rounds; i++, calls += 2) {
		if (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT))
			err(2, "msgsnd");
		if (msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT) < 0)
			err(2, "msgrcv");
	}
	if (msgctl(queue, IPC_RMID, NULL))
		err(2, "msgctl");
	return (void *)(calls + 1);
}

int main(int argc, char **argv)
{
	int threads = argc == 3 ? atoi(argv[1]) : 0;
	pthread_t thread[64];
	long calls = 0;

	if (threads < 1 || threads > 64)
		errx(2, "usage: count THREADS ROUNDS");
	rounds = atol(argv[2]);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, exchange, NULL))
			errx(2, "pthread_create");
	for (int i = 0; i < threads; i++) {
		void *made;

		if (pthread_join(thread[i], &made))
			errx(2, "pthread_join");
		calls += (long)made;
	}
	printf("{\"pid\":%d,\"calls\":%ld}\n", getpid(), calls);
	return 0;
}
