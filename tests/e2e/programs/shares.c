/*
 * shares.c: acts with memory that two calls have at the same time, or that lies in
 * a segment which another process has too.
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "must.h"
#include "races.h"

struct short_message {
	long mtype;
	char text[8];
};

/* One call on a message in a buffer. */
struct transfer {
	int queue;
	struct short_message *buffer;
	pid_t tid;
};

static void receive(void *argument)
{
	struct transfer *t = argument;

	MUST(CALL(MSGRCV, t->queue, P(t->buffer), sizeof t->buffer->text, 0, 0));
}

static int deliver(void *argument)
{
	struct transfer *t = argument;

	t->tid = gettid();
	return (int)CALL(MSGSND, t->queue, P(t->buffer), sizeof t->buffer->text, IPC_NOWAIT);
}

/* deliver_as_process has the message sent by a process with the same memory. This
 * one stops meanwhile, as they have the same errno too. */
static void deliver_as_process(struct transfer *t)
{
	_Alignas(16) static char stack[1 << 16];
	pid_t pid = (pid_t)MUST(clone(deliver, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, t));
	int status;

	MUST(waitpid(pid, &status, 0));
	if (status)
		errx(2, "the sender ended with status %#x", status);
}

/*
 * overlap sends a message while the kernel is going to write another one to the
 * same buffer, and then lets it. In the benign twin the buffers are neighbours.
 */
static void overlap(bool benign, bool as_process, struct outcome *o)
{
	static const struct short_message sent = {1, "sending"}, received = {2, "receive"};
	static struct short_message buffers[2];
	struct transfer in = {.queue = new_queue(), .buffer = &buffers[0]};
	struct transfer out = {.queue = new_queue(), .buffer = &buffers[benign ? 1 : 0]};
	struct sleeper receiver;
	bool both;

	*out.buffer = sent;
	fall_asleep(&receiver, MSGRCV, receive, &in);
	if (as_process)
		deliver_as_process(&out);
	else
		MUST(deliver(&out));
	both = sleeps_in(getpid(), receiver.tid, MSGRCV);
	MUST(msgsnd(in.queue, &received, sizeof received.text, 0));
	wake(&receiver);
	if (!both || memcmp(in.buffer, &received, sizeof received))
		errx(2, "the message was not received after the other one was sent");
	o->mutated = memcmp(out.buffer, &sent, sizeof sent);
	detail(o, ",\"receiver\":%d,\"sender\":%d", receiver.tid, out.tid);
	destroy_queue(in.queue);
	destroy_queue(out.queue);
}

static void take(void *argument)
{
	static const struct sembuf down = {0, -1, 0};

	MUST(CALL(SEMOP, *(int *)argument, P(&down), 1));
}

/* share_constant has two threads wait with the same operation, which nobody changes. */
static void share_constant(void)
{
	struct sleeper first, second;
	int set = new_set();

	fall_asleep(&first, SEMOP, take, &set);
	fall_asleep(&second, SEMOP, take, &set);
	let_through(set, 2);
	wake(&first);
	wake(&second);
	destroy_set(set);
}

void same_buffer(bool benign, struct outcome *o)
{
	overlap(benign, false, o);
	if (benign)
		share_constant();
}

void same_buffer_clone(bool benign, struct outcome *o)
{
	overlap(benign, true, o);
}

static int new_segment(void)
{
	return (int)MUST(shmget(IPC_PRIVATE, MOST, 0600));
}

static void destroy_segment(int id)
{
	MUST(shmctl(id, IPC_RMID, NULL));
}

/*
 * change_in_segment has a child change the segment as soon as its parent sleeps in
 * a call with memory there, or, in the benign twin, with memory elsewhere. Another
 * segment takes id 0, which could be there by mistake.
 */
static void change_in_segment(const struct held *held, bool benign, struct outcome *o)
{
	int spare = new_segment(), segment = new_segment(), id = held->make(), status;
	_Alignas(8) char own[MOST];
	char *attached = (char *)MUST(shmat(segment, NULL, 0)), *memory = benign ? own : attached;
	pid_t parent = getpid(), child;

	memcpy(attached, held->given, held->size);
	memcpy(memory, held->given, held->size);
	child = (pid_t)MUST(fork());
	if (!child) {
		alarm(LIMIT);
		while (!sleeps_in(parent, parent, held->which))
			sched_yield();
		memcpy(attached, held->later, held->size);
		held->release(id);
		_exit(0);
	}
	MUST(held->call(id, memory));
	o->mutated = memcmp(memory, held->given, held->size);
	MUST(waitpid(child, &status, 0));
	if (status || memcmp(attached, held->later, held->size))
		errx(2, "the child ended with status %#x", status);
	detail(o, ",\"segment\":%d", segment);
	MUST(shmdt(attached));
	destroy_segment(segment);
	destroy_segment(spare);
	held->destroy(id);
}

void segment_message(bool benign, struct outcome *o)
{
	change_in_segment(&held_message, benign, o);
}

void segment_operations(bool benign, struct outcome *o)
{
	change_in_segment(&held_operations, benign, o);
}
