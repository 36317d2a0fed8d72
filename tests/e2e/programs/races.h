/*
 * races.h: what the acts of races.c share.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "call.h"

/* LIMIT is after how many seconds the program, or a child of it, gives up. */
enum { LIMIT = 20 };

/* What came of an act. */
struct outcome {
	bool mutated;	     /* the memory of a call changed before the call was over */
	const char *skipped; /* why the act could not be done here */
	char details[512];   /* members of the JSON object */
};

/* detail adds one or more members to what is said of the act. */
void __attribute__((format(printf, 2, 3))) detail(struct outcome *o, const char *format, ...);

/* with_errno turns -errno into -1, as the C library does. */
long with_errno(long result);

/* call makes a call in the way of the program's variant, or one that is the same
 * where there is none, and ends as the C library's functions do. */
long call(enum which which, const uword arguments[6]);
#define CALL(which, ...) call(which, (const uword[6]){__VA_ARGS__})

/* sleeps_in tells whether a thread sleeps in such a call. */
bool sleeps_in(pid_t pid, pid_t tid, enum which which);

/* A thread that makes a call in which it has to sleep. */
struct sleeper {
	pthread_t thread;
	volatile pid_t tid;
	void (*body)(void *argument);
	void *argument;
};

/* fall_asleep returns when the thread sleeps in the call, wake when it has ended. */
void fall_asleep(struct sleeper *s, enum which which, void (*body)(void *), void *argument);
void wake(struct sleeper *s);

/* A call that sleeps, with memory from which the kernel has its copy by then. */
struct held {
	enum which which;
	int (*make)(void);			       /* the object */
	long (*call)(int id, const void *memory);      /* sleeps until */
	void (*release)(int id);		       /* lets it go on */
	void (*destroy)(int id);
	const void *given, *later; /* contents of the memory */
	size_t size;		   /* of the memory, MOST or less */
};

enum { MOST = 4096 };

extern const struct held held_message, held_operations;

int new_queue(void);
void destroy_queue(int id);
int new_set(void);
void destroy_set(int id);

/* let_through gives the first semaphore of a set a value. */
void let_through(int set, int value);

void change_message(bool benign, struct outcome *o);
void change_operations(bool benign, struct outcome *o);
void change_timeout(bool benign, struct outcome *o);
void change_tail(bool benign, struct outcome *o);
void change_indirect(bool benign, struct outcome *o);

void race_message(bool benign, struct outcome *o);
void race_operations(bool benign, struct outcome *o);
void change_settings(bool benign, struct outcome *o);
void flip_values(bool benign, struct outcome *o);

void same_buffer(bool benign, struct outcome *o);
void same_buffer_clone(bool benign, struct outcome *o);
void segment_message(bool benign, struct outcome *o);
void segment_operations(bool benign, struct outcome *o);

void stalled_message(bool benign, struct outcome *o);
void phantom_operations(bool benign, struct outcome *o);
