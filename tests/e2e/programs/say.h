/*
 * say.h: one call, said as one line of JSON on stdout.
 */
#pragma once

#include "call.h"

/* An IPC object, as /proc/sysvipc has it. */
struct object {
	bool known; /* whether it is there at all can be told */
	bool found, created;
	const char *kind;
	int id, key;
	unsigned mode, uid, gid, cuid, cgid;
	unsigned long long cbytes, qnum, nsems, segsz, nattch;
	unsigned lspid, lrpid, cpid, lpid;
};

/* find_before looks for the object that the arguments name by its id or key. */
void find_before(enum which which, const uword arguments[6], struct object *o);

/* find_after replaces it, after a *get call, with the object that was returned. */
void find_after(enum which which, long result, struct object *o);

void say_call(const char *form, enum which which, const uword arguments[6], long result,
	      const struct multiplexed *m, const struct object *o);
void say_operation(const char *form, const struct multiplexed *m);

/* judge reports a call that did not end as wanted; see make. */
void judge(const char *form, long want, long result);
