/*
 * blocked
 *
 * lets threads die inside a call that never returns, in the two ways there are:
 * the process is killed while it waits in msgrcv, and a thread that waits in
 * semop is ended by another thread's exit_group. For each it prints one line of
 * JSON with the process, the thread and the id of the object.
 */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "end.h"
#include "waits.h"

/* LIMIT is after how many seconds the program gives up. */
enum { LIMIT = 20 };

static int queue, set;
static volatile pid_t *waiting; /* shared with the child: the thread that waits */

static void until_waiting(pid_t pid, long number)
{
	while (!*waiting || !waits(pid, *waiting, number))
		sched_yield();
}

static void receive(void)
{
	char message[64];

	*waiting = gettid();
	syscall(SYS_msgrcv, queue, message, 16, 3, 0);
}

static void *operate(void *unused)
{
	struct sembuf down = {0, -1, SEM_UNDO};

	(void)unused;
	*waiting = gettid();
	syscall(SYS_semop, set, &down, 1);
	return NULL;
}

/* in_child runs body in a child and returns its process id. */
static pid_t in_child(void (*body)(void))
{
	pid_t pid;

	*waiting = 0;
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (pid)
		return pid;
	alarm(LIMIT);
	body();
	_exit(3); /* the call returned after all */
}

static void operate_and_exit(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, operate, NULL))
		errx(2, "pthread_create");
	until_waiting(getpid(), SYS_semop);
	_exit(0);
}

static void ended(const char *event, pid_t pid, int id, bool killed)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		err(2, "waitpid");
	if (killed ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL : status != 0)
		errx(1, "%s: the child ended with status %#x", event, status);
	printf("{\"event\":\"%s\",\"pid\":%d,\"tid\":%d,\"id\":%d}\n", event, pid, *waiting, id);
}

int main(void)
{
	pid_t pid;

	alarm(LIMIT);
	waiting = mmap(NULL, sizeof *waiting, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	queue = msgget(IPC_PRIVATE, 0600);
	set = semget(IPC_PRIVATE, 1, 0600);
	if (waiting == MAP_FAILED || queue < 0 || set < 0)
		err(2, "set-up");

	pid = in_child(receive);
	until_waiting(pid, SYS_msgrcv);
	kill(pid, SIGKILL);
	ended("msgrcv", pid, queue, true);

	pid = in_child(operate_and_exit);
	ended("semop", pid, set, false);

	if (msgctl(queue, IPC_RMID, NULL) || semctl(set, 0, IPC_RMID))
		err(2, "removal");
	end_calls();
	return 0;
}
