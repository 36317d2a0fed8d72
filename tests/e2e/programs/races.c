/*
 * races [--benign] ACT
 *
 * changes the memory of a System V IPC call while the call is under way, in one
 * way or another, or does the benign twin of it, in which nothing changes before
 * the call is over. It has to be root, and takes objects of its own in an IPC
 * namespace of its own. It prints one line of JSON that tells what really
 * happened, and ends on the END calls. Without arguments it lists the acts.
 *
 * In that line "mutated" tells whether the memory of a call changed before the call
 * was over, and "skipped", where it is there, why the act could not be done.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <unistd.h>

#include "end.h"
#include "must.h"
#include "races.h"
#include "waits.h"

void detail(struct outcome *o, const char *format, ...)
{
	size_t used = strlen(o->details);
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(o->details + used, sizeof o->details - used, format, arguments);
	va_end(arguments);
	if (length < 0 || used + length >= sizeof o->details)
		errx(2, "too many details");
}

/* i386 has no semop of its own; with no timeout semtimedop is the same. */
static enum which available(enum which which)
{
	return which == SEMOP && !can_make(SEMOP) ? SEMTIMEDOP : which;
}

long with_errno(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

long call(enum which which, const uword arguments[6])
{
	return with_errno(enter(available(which), arguments, &(struct multiplexed){0}));
}

bool sleeps_in(pid_t pid, pid_t tid, enum which which)
{
	return waits(pid, tid, number(available(which)));
}

static void *live(void *argument)
{
	struct sleeper *s = argument;

	s->tid = gettid();
	s->body(s->argument);
	return NULL;
}

void fall_asleep(struct sleeper *s, enum which which, void (*body)(void *), void *argument)
{
	s->tid = 0;
	s->body = body;
	s->argument = argument;
	if (pthread_create(&s->thread, NULL, live, s))
		errx(2, "pthread_create");
	while (!s->tid || !sleeps_in(getpid(), s->tid, which))
		sched_yield();
}

void wake(struct sleeper *s)
{
	if (pthread_join(s->thread, NULL))
		errx(2, "pthread_join");
}

int new_queue(void)
{
	return (int)MUST(msgget(IPC_PRIVATE, 0600));
}

void destroy_queue(int id)
{
	MUST(msgctl(id, IPC_RMID, NULL));
}

int new_set(void)
{
	return (int)MUST(semget(IPC_PRIVATE, 1, 0600));
}

void destroy_set(int id)
{
	MUST(semctl(id, 0, IPC_RMID));
}

void let_through(int set, int value)
{
	MUST(semctl(set, 0, SETVAL, value));
}

static const struct {
	const char *name;
	void (*act)(bool benign, struct outcome *o);
} acts[] = {
	{"change-message", change_message},
	{"change-operations", change_operations},
	{"change-timeout", change_timeout},
	{"change-tail", change_tail},
#ifdef USE_IPC
	{"change-indirect", change_indirect},
#endif
	{"change-settings", change_settings},
	{"flip-values", flip_values},
	{"race-message", race_message},
	{"race-operations", race_operations},
	{"same-buffer", same_buffer},
	{"same-buffer-clone", same_buffer_clone},
	{"stalled-message", stalled_message},
	{"phantom-operations", phantom_operations},
	{"segment-message", segment_message},
	{"segment-operations", segment_operations},
};

static void say(const char *name, const struct outcome *o)
{
	printf("{\"act\":\"%s\",\"mutated\":%s%s", name, o->mutated ? "true" : "false", o->details);
	if (o->skipped)
		printf(",\"skipped\":\"%s\"", o->skipped);
	puts("}");
}

int main(int argc, char **argv)
{
	bool benign = argc == 3 && !strcmp(argv[1], "--benign");

	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		if (argc == 1)
			puts(acts[i].name);
		else if (!strcmp(argv[argc - 1], acts[i].name)) {
			struct outcome outcome = {0};

			alarm(LIMIT);
			MUST(unshare(CLONE_NEWIPC)); /* leaves nothing behind, however it ends */
			acts[i].act(benign, &outcome);
			say(acts[i].name, &outcome);
			end_calls();
			return 0;
		}
	}
	if (argc > 1)
		errx(2, "no act is called %s", argv[argc - 1]);
	return 0;
}
