/*
 * suspicious [--benign] ACT
 *
 * does one suspicious thing with System V IPC, or its benign twin, which differs
 * only in what makes the act suspicious. It has to be root, takes objects of its
 * own in an IPC namespace of its own, and ends on the END calls. Without
 * arguments it lists the acts.
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

/* Each user has a key of its own: a new namespace can have the number of an old one. */
enum { KEY = 0x1bc0ffee, OTHERS_KEY = KEY + 1, PAGE = 4096, OTHER = 65534 };

/* as runs body in a child with user id uid, and returns what it returns. */
static int as(uid_t uid, int (*body)(int), int argument)
{
	int *result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = (pid_t)MUST(fork());
	int status;

	if (!pid) {
		MUST(setresgid(uid, uid, uid));
		MUST(setresuid(uid, uid, uid));
		*result = body(argument);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	if (status)
		errx(2, "the child ended with status %#x", status);
	return *result;
}

static void peek(bool benign)
{
	struct {
		long mtype;
		char text[8];
	} message = {1, "secret"};
	int queue = (int)MUST(msgget(IPC_PRIVATE, 0600));

	MUST(msgsnd(queue, &message, 6, 0));
	MUST(msgrcv(queue, &message, 8, 0, benign ? IPC_NOWAIT : MSG_COPY | IPC_NOWAIT));
	MUST(msgctl(queue, IPC_RMID, NULL));
}

static void world_writable_queue(bool benign)
{
	MUST(msgctl((int)MUST(msgget(KEY, IPC_CREAT | IPC_EXCL | (benign ? 0660 : 0666))), IPC_RMID, NULL));
}

static void world_writable_set(bool benign)
{
	MUST(semctl((int)MUST(semget(KEY, 1, IPC_CREAT | IPC_EXCL | (benign ? 0664 : 0666))), 0, IPC_RMID));
}

static void world_writable_segment(bool benign)
{
	MUST(shmctl((int)MUST(shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | (benign ? 0644 : 0602))), IPC_RMID, NULL));
}

static void executable(bool benign)
{
	int segment = (int)MUST(shmget(IPC_PRIVATE, PAGE, 0700));

	MUST(shmdt((void *)MUST(shmat(segment, NULL, benign ? 0 : SHM_EXEC))));
	MUST(shmctl(segment, IPC_RMID, NULL));
}

static void low(bool benign)
{
	int segment = (int)MUST(shmget(IPC_PRIVATE, PAGE, 0600));
	char *free = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(munmap(free, PAGE));
	MUST(shmdt((void *)MUST(shmat(segment, benign ? free + 1 : (char *)1, SHM_RND))));
	MUST(shmctl(segment, IPC_RMID, NULL));
}

static void remap(bool benign)
{
	int segment = (int)MUST(shmget(IPC_PRIVATE, PAGE, 0600));
	void *taken = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (benign)
		MUST(munmap(taken, PAGE));
	MUST(shmdt((void *)MUST(shmat(segment, taken, benign ? 0 : SHM_REMAP))));
	MUST(shmctl(segment, IPC_RMID, NULL));
}

static int open_segment(int key)
{
	return (int)MUST(shmget(key, 0, 0400));
}

static int attach(int segment)
{
	MUST(shmat(segment, NULL, SHM_RDONLY));
	return 0;
}

static int create_queue(int key)
{
	return (int)MUST(msgget(key, IPC_CREAT | 0600));
}

static void open_foreign(bool benign)
{
	int segment = (int)MUST(shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0644));

	as(benign ? 0 : OTHER, open_segment, KEY);
	MUST(shmctl(segment, IPC_RMID, NULL));
}

static void attach_foreign(bool benign)
{
	int segment = (int)MUST(shmget(IPC_PRIVATE, PAGE, 0644));

	as(benign ? 0 : OTHER, attach, segment);
	MUST(shmctl(segment, IPC_RMID, NULL));
}

static void remove_foreign(bool benign)
{
	MUST(msgctl(as(benign ? 0 : OTHER, create_queue, benign ? KEY : OTHERS_KEY), IPC_RMID, NULL));
}

static int change(int queue)
{
	struct msqid_ds settings = {.msg_perm.uid = OTHER, .msg_perm.gid = OTHER, .msg_perm.mode = 0600,
				    .msg_qbytes = 1000};

	return (int)MUST(msgctl(queue, IPC_SET, &settings));
}

static int remove_queue(int queue)
{
	return (int)MUST(msgctl(queue, IPC_RMID, NULL));
}

static void change_foreign(bool benign)
{
	int queue = as(OTHER, create_queue, OTHERS_KEY);

	as(benign ? OTHER : 0, change, queue);
	as(OTHER, remove_queue, queue);
}

/* The lock of semop(2), and the same in the wrong order. */
static void impossible_operations(bool benign)
{
	struct sembuf wait = {.sem_op = 0, .sem_flg = IPC_NOWAIT}, add = {.sem_op = 1};
	struct sembuf lock[] = {wait, add}, reversed[] = {add, wait};
	int set = (int)MUST(semget(IPC_PRIVATE, 1, 0600));

	if (benign)
		MUST(semop(set, lock, 2));
	else if (semop(set, reversed, 2) == 0 || errno != EAGAIN)
		err(2, "semop");
	MUST(semctl(set, 0, IPC_RMID));
}

static const struct act acts[] = {
	{"msg-copy-peek", peek},
	{"world-writable-queue", world_writable_queue},
	{"world-writable-set", world_writable_set},
	{"world-writable-segment", world_writable_segment},
	{"executable-attach", executable},
	{"low-attach", low},
	{"remap-attach", remap},
	{"open-foreign-object", open_foreign},
	{"attach-foreign-object", attach_foreign},
	{"foreign-removal", remove_foreign},
	{"foreign-change", change_foreign},
	{"impossible-operations", impossible_operations},
};

int main(int argc, char **argv)
{
	return perform(acts, sizeof acts / sizeof *acts, argc, argv);
}
