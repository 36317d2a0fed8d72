/*
 * everyday ID
 *
 * does what programs do all day, and what is nearly what the signature ID finds: its
 * benign twin. It has to be root, takes objects of its own in an IPC namespace of its
 * own, and ends on the END calls. Without arguments it lists the ids.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acts.h"
#include "must.h"

enum { PAGE = 4096, LARGE = 3 << 20, OTHER = 65534, MANY = 70, FEW = 3 };

struct message {
	long mtype;
	char text[1024];
};

/* child begins a process, of root or of another user. */
static pid_t child(uid_t user)
{
	pid_t pid = (pid_t)MUST(fork());

	if (!pid) {
		MUST(setresgid(user, user, user));
		MUST(setresuid(user, user, user));
	}
	return pid;
}

/* joined waits for a child that has to end well. */
static void joined(pid_t pid)
{
	int status;

	MUST(waitpid(pid, &status, 0));
	if (status)
		errx(2, "the child ended with status %#x", status);
}

static int new_queue(void) { return (int)MUST(msgget(IPC_PRIVATE, 0600)); }

static int new_set(void) { return (int)MUST(semget(IPC_PRIVATE, 1, 0600)); }

static int new_segment(size_t bytes) { return (int)MUST(shmget(IPC_PRIVATE, bytes, 0600)); }

static void send_bytes(int queue, const char *text, size_t bytes)
{
	struct message message = {.mtype = 1};

	memcpy(message.text, text, strlen(text));
	MUST(msgsnd(queue, &message, bytes, 0));
}

static void receive(int queue)
{
	struct message message;

	MUST(msgrcv(queue, &message, sizeof message.text, 0, 0));
}

static int operate(int set, short value, short flags)
{
	struct sembuf operation = {0, value, flags};

	return semop(set, &operation, 1);
}

static void fails(const char *what, long result, int error)
{
	if (result != -1 || errno != error)
		errx(2, "%s did not fail as it has to", what);
}

/* A pointer that leads nowhere is noticed before anything is done. */
static void hidden_attach(bool)
{
	fails("msgsnd", msgsnd(new_queue(), (void *)1, 1, 0), EFAULT);
	MUST(shmat(new_segment(PAGE), NULL, 0));
}

/* A service and its workers take the same key, all as the same user. */
static void squatted_key(bool)
{
	pid_t pid;

	MUST(shmget(0x20, PAGE, IPC_CREAT | 0600));
	if (!(pid = child(0))) {
		MUST(shmat((int)MUST(shmget(0x20, PAGE, IPC_CREAT | 0600)), NULL, 0));
		_exit(0);
	}
	joined(pid);
}

/* A service starts again. */
static void key_handover(bool)
{
	for (int i = 0; i < FEW; i++)
		MUST(msgctl((int)MUST(msgget(0x21, IPC_CREAT | 0600)), IPC_RMID, NULL));
}

/* A segment is attached and detached again and again. */
static void attach_spray(bool)
{
	int segment = new_segment(PAGE);

	for (int i = 0; i < MANY; i++)
		MUST(shmdt((void *)MUST(shmat(segment, NULL, 0))));
}

/* A program that is none of OpenSSH's has a large segment. */
static void sshd_segment(bool) { MUST(shmat(new_segment(LARGE), NULL, 0)); }

/* A set is given its first value, and its second by the creator's child. */
static void foreign_semaphores(bool)
{
	int set = new_set();
	pid_t pid;

	MUST(semctl(set, 0, SETVAL, 1));
	if (!(pid = child(0))) {
		MUST(semctl(set, 0, SETVAL, 2));
		_exit(0);
	}
	joined(pid);
}

/* Two processes of one user use a queue that is for nobody else. */
static void capability_access(bool)
{
	int queue;
	pid_t pid = child(OTHER);

	if (!pid) {
		queue = new_queue();
		send_bytes(queue, "", 8);
		if (!(pid = (pid_t)MUST(fork()))) {
			receive(queue);
			_exit(0);
		}
		joined(pid);
		_exit(0);
	}
	joined(pid);
}

/* Many queues get a message, of no size that fills a slab. */
static void size_class_spray(bool)
{
	for (int i = 0; i < MANY; i++)
		send_bytes(new_queue(), "", 1000);
}

/* Another process takes what is in many queues. */
static void spray_drain(bool)
{
	int queues[MANY];
	pid_t pid;

	for (int i = 0; i < MANY; i++)
		queues[i] = new_queue();
	for (int i = 0; i < MANY; i++)
		for (int j = 0; j < 2; j++)
			send_bytes(queues[i], "", 100);
	if (!(pid = child(0))) {
		for (int i = 0; i < MANY; i++)
			receive(queues[i]);
		_exit(0);
	}
	joined(pid);
}

/* Buffers of a size with which one can work, and few of them. */
static void segment_spray(bool)
{
	for (int i = 0; i < MANY; i++)
		new_segment(i < MANY / 2 ? PAGE : 16 * PAGE);
}

/* A server makes the sets that its clients know by their keys. */
static void semaphore_spray(bool)
{
	for (int i = 0; i < MANY; i++)
		MUST(semget(0x2900 + i, 1, IPC_CREAT | 0600));
}

/* One lock is taken often, and is to be free when its holder is gone. */
static void undo_spray(bool)
{
	int set = new_set();

	for (int i = 0; i < MANY; i++) {
		MUST(operate(set, 1, SEM_UNDO));
		MUST(operate(set, -1, SEM_UNDO));
	}
}

/* A queue is full, and whoever sends tries again. */
static void doomed_sends(bool)
{
	struct message message = {.mtype = 1};
	int queue = new_queue(), refused = 0;

	while (refused < MANY)
		if (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) == -1)
			refused++;
}

/* An owner changes who may use it, and stays the owner. */
static void object_given_away(bool)
{
	struct msqid_ds settings;
	pid_t pid = child(OTHER);

	if (!pid) {
		int queue = new_queue();

		MUST(msgctl(queue, IPC_STAT, &settings));
		settings.msg_perm.mode = 0640;
		MUST(msgctl(queue, IPC_SET, &settings));
		_exit(0);
	}
	joined(pid);
}

/* The group may use it, too. */
static void object_opened_up(bool)
{
	struct shmid_ds settings;
	int segment = new_segment(PAGE);

	MUST(shmctl(segment, IPC_STAT, &settings));
	settings.shm_perm.mode = 0660;
	MUST(shmctl(segment, IPC_SET, &settings));
}

/* Receivers are told of the end by the removal of their queue. */
static void removal_race(bool)
{
	pid_t pids[MANY / 10];
	size_t n = sizeof pids / sizeof *pids;
	struct message message;
	int queue = new_queue();

	for (size_t i = 0; i < n; i++)
		if (!(pids[i] = child(0))) {
			fails("msgrcv", msgrcv(queue, &message, sizeof message.text, 0, 0), EIDRM);
			_exit(0);
		}
	usleep(50000);
	MUST(msgctl(queue, IPC_RMID, NULL));
	for (size_t i = 0; i < n; i++)
		joined(pids[i]);
}

/* What is to be created is there already, which is no question of limits. */
static void limits_reached(bool)
{
	MUST(msgget(0x37, IPC_CREAT | 0600));
	for (int i = 0; i < MANY; i++)
		fails("msgget", msgget(0x37, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
}

/* A database has its buffers, in a few large segments. */
static void large_objects(bool)
{
	for (int i = 0; i < FEW; i++)
		new_segment((size_t)64 << 20);
}

/* A client asks until its server has started. */
static void key_probing(bool)
{
	for (int i = 0; i < MANY; i++)
		fails("semget", semget(0x39, 1, 0), ENOENT);
}

/* Other programs may have large segments of the group's. */
static void service_segment(bool) { MUST(shmget(IPC_PRIVATE, LARGE, 0660)); }

/* Two processes on the host attach a segment. */
static void container_crossing(bool)
{
	int segment = new_segment(PAGE);
	pid_t pid = child(0);

	MUST(shmat(segment, NULL, 0)); // in both
	if (!pid)
		_exit(0);
	joined(pid);
}

/* A lock of one user is taken and given back very often. */
static void covert_channel(bool)
{
	int set = new_set();

	for (int i = 0; i < 10 * MANY; i++)
		MUST(operate(set, i % 2 ? -1 : 1, 0));
}

/* A 64-bit program calls through the table that is for it. */
static void compat_from_64_bit(bool) { MUST(shmdt((void *)MUST(shmat(new_segment(PAGE), NULL, 0)))); }

/* A segment is removed as soon as all have it, so that it goes with them. */
static void orphaned_segment(bool)
{
	int segment = new_segment(PAGE);
	pid_t pid;

	MUST(shmat(segment, NULL, 0));
	MUST(shmctl(segment, IPC_RMID, NULL));
	if (!(pid = child(0))) {
		MUST(shmat(segment, NULL, 0));
		_exit(0);
	}
	joined(pid);
}

/* Who was refused a lock makes another one. */
static void lock_broken(bool)
{
	fails("semop", operate(new_set(), -1, IPC_NOWAIT), EAGAIN);
	MUST(semctl(new_set(), 0, SETVAL, 1));
}

static void world_writable_memory(bool) { MUST(shmget(IPC_PRIVATE, PAGE, 0664)); }

/* What a program in any place makes for itself has no key. */
static void temporary_program(bool) { MUST(shmat(new_segment(PAGE), NULL, 0)); }

/* A process asks for the state of what it has. */
static void system_inventory(bool)
{
	struct msqid_ds settings;

	MUST(msgctl(new_queue(), IPC_STAT, &settings));
}

/* A text about passwords has none. */
static void message_secrets(bool)
{
	static const char text[] = "the password is wrong: please ask for another one";

	send_bytes(new_queue(), text, sizeof text);
}

/* A queue that others can use is used by its owner, who did not make it. */
static void foreign_use(bool)
{
	int queue = (int)MUST(msgget(IPC_PRIVATE, 0666));
	struct msqid_ds settings;
	pid_t pid;

	MUST(msgctl(queue, IPC_STAT, &settings));
	settings.msg_perm.uid = OTHER;
	MUST(msgctl(queue, IPC_SET, &settings));
	if (!(pid = child(OTHER))) {
		send_bytes(queue, "", 1);
		_exit(0);
	}
	joined(pid);
}

/* An object is opened very often. */
static void many_objects(bool)
{
	MUST(msgget(0x51, IPC_CREAT | 0600));
	for (int i = 0; i < 20 * MANY; i++)
		MUST(msgget(0x51, IPC_CREAT | 0600));
}

static const struct act acts[] = {
	{"IPCW-019", hidden_attach},      {"IPCW-020", squatted_key},          {"IPCW-021", key_handover},
	{"IPCW-022", attach_spray},       {"IPCW-023", sshd_segment},          {"IPCW-024", foreign_semaphores},
	{"IPCW-025", capability_access},  {"IPCW-026", size_class_spray},      {"IPCW-027", spray_drain},
	{"IPCW-028", segment_spray},      {"IPCW-029", semaphore_spray},       {"IPCW-031", undo_spray},
	{"IPCW-032", doomed_sends},       {"IPCW-033", message_secrets},       {"IPCW-034", object_given_away},
	{"IPCW-035", object_opened_up},   {"IPCW-036", removal_race},          {"IPCW-037", limits_reached},
	{"IPCW-038", large_objects},      {"IPCW-039", key_probing},           {"IPCW-040", service_segment},
	{"IPCW-041", container_crossing}, {"IPCW-042", covert_channel},        {"IPCW-043", compat_from_64_bit},
	{"IPCW-044", orphaned_segment},   {"IPCW-045", lock_broken},           {"IPCW-046", world_writable_memory},
	{"IPCW-047", temporary_program},  {"IPCW-048", system_inventory},      {"IPCW-050", foreign_use},
	{"IPCW-051", many_objects},
};

int main(int argc, char **argv) { return perform(acts, sizeof acts / sizeof *acts, argc, argv); }
