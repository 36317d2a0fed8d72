#include <err.h>
#include <stdio.h>
#include <string.h>

#include "say.h"

/* kind_of returns "msg", "sem" or "shm", as /proc/sysvipc spells it. */
static const char *kind_of(enum which which)
{
	return which <= MSGCTL ? "msg" : which <= SEMCTL ? "sem" : "shm";
}

static bool is_get(enum which which)
{
	return which == MSGGET || which == SEMGET || which == SHMGET;
}

/* names_object tells whether the first argument is the id of an object, and not
 * a key, an address, or the index that the *_STAT commands take. */
static bool names_object(enum which which, const uword arguments[6])
{
	int command;

	switch (which) {
	case MSGCTL: command = (int)arguments[1]; return command < 3;
	case SEMCTL: command = (int)arguments[2]; return command < 3 || (command > 10 && command < 18);
	case SHMCTL: command = (int)arguments[1]; return command < 3 || command == 11 || command == 12;
	case SHMDT: return false;
	default: return !is_get(which);
	}
}

/* parse reads a line of /proc/sysvipc/kind. */
static bool parse(const char *kind, const char *line, struct object *o)
{
	o->kind = kind;
	if (!strcmp(kind, "msg"))
		return sscanf(line, "%d %d %o %llu %llu %u %u %u %u %u %u", &o->key, &o->id, &o->mode, &o->cbytes,
			      &o->qnum, &o->lspid, &o->lrpid, &o->uid, &o->gid, &o->cuid, &o->cgid) == 11;
	if (!strcmp(kind, "sem"))
		return sscanf(line, "%d %d %o %llu %u %u %u %u", &o->key, &o->id, &o->mode, &o->nsems, &o->uid,
			      &o->gid, &o->cuid, &o->cgid) == 8;
	return sscanf(line, "%d %d %o %llu %u %u %llu %u %u %u %u", &o->key, &o->id, &o->mode, &o->segsz, &o->cpid,
		      &o->lpid, &o->nattch, &o->uid, &o->gid, &o->cuid, &o->cgid) == 11;
}

/* lookup asks the kernel without a System V IPC call, which would be one more
 * to report. */
static bool lookup(const char *kind, bool by_key, int wanted, struct object *o)
{
	char path[32], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof path, "/proc/sysvipc/%s", kind);
	f = fopen(path, "re");
	if (!f)
		err(2, "%s", path);
	while (!found && fgets(line, sizeof line, f))
		found = parse(kind, line, o) && (by_key ? o->key : o->id) == wanted;
	fclose(f);
	return found;
}

void find_before(enum which which, const uword arguments[6], struct object *o)
{
	if (is_get(which)) {
		o->found = arguments[0] != 0 && lookup(kind_of(which), true, (int)arguments[0], o);
	} else if (names_object(which, arguments)) {
		o->known = true;
		o->found = lookup(kind_of(which), false, (int)arguments[0], o);
	}
}

void find_after(enum which which, long result, struct object *o)
{
	bool existed = o->found;

	if (!is_get(which) || result < 0)
		return;
	o->known = true;
	o->found = lookup(kind_of(which), false, (int)result, o);
	o->created = !existed;
}
