/*
 * call.h: making a System V IPC call and saying what it did.
 */
#pragma once

#include <stdbool.h>

#include "abi.h"

enum which {
	MSGGET, MSGSND, MSGRCV, MSGCTL,
	SEMGET, SEMOP, SEMTIMEDOP, SEMCTL,
	SHMGET, SHMAT, SHMDT, SHMCTL,
};

/* A parameter of a call; the C type tells its width and its sign. */
struct parameter {
	const char *name, *type;
	char slot; /* where ipc(2) passes it: '1' first … '5' fifth, '*' behind ptr */
};

struct call {
	const char *name;
	int direct, operation; /* numbers; 0 where the table has no such call */
	struct parameter parameters[6];
};

extern const struct call calls[];

/* How the next calls go through ipc(2). */
struct route {
	unsigned version;	/* upper half of its first argument */
	bool old_structures;	/* leave IPC_64 out of cmd */
	bool null_indirection;	/* pass NULL where ptr leads to a further argument */
	uword attached_at;	/* where SHMAT stores the address; 0: a variable of its own */
};

extern struct route route;

/* What ipc(2) was called with. used is false for a direct call. */
struct multiplexed {
	bool used;
	bool opaque; /* by the C library, which passes what it likes */
	uint32_t call, second, third, ptr;
	int32_t first, fifth;
	long result;
};

/* enter makes a call, and returns what the kernel returned: -errno on failure. It
 * tells what it passed to ipc(2), if it goes that way. */
long enter(enum which which, const uword arguments[6], struct multiplexed *m);

/* multiplex makes an ipc(2) call, and returns the same. */
long multiplex(struct multiplexed *m);

/* number is that of the system call that enter makes. */
int number(enum which which);

/*
 * make makes a call and prints a line that says so. form is a unique name for
 * what is special about it; want is the error that it must end with as -errno,
 * or 0 for success. Anything else is reported to stderr and makes the program
 * fail in the end: then the test did not test what it meant to.
 */
long make(const char *form, long want, enum which which, const uword arguments[6]);
#define MAKE(form, want, which, ...) make(form, want, which, (const uword[6]){__VA_ARGS__})

/* operation makes an ipc(2) call that is none of the twelve, and says so. */
long operation(const char *form, long want, const struct multiplexed *m);

/* can_make tells whether this variant can make a call at all. */
bool can_make(enum which which);

/* unexpected is the number of calls that did not end as they had to. */
extern int unexpected;
