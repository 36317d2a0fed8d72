#define _GNU_SOURCE
#include <errno.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "say.h"

/* LOOK is how many bytes of a piece of memory are printed. */
enum { LOOK = 4096 };

static unsigned sequence;

static bool failed(long result)
{
	return result < 0 && result >= -4095;
}

static void argument(const char *name, const char *type, uword value)
{
	printf("{\"name\":\"%s\",\"type\":\"%s\",\"value\":", name, type);
	if (strchr(type, '*'))
		printf("\"0x%llx\"}", (unsigned long long)value);
	else if (!strcmp(type, "int") || !strcmp(type, "key_t"))
		printf("%d}", (int)value);
	else if (!strcmp(type, "long"))
		printf("%lld}", (long long)(word)value);
	else
		printf("%llu}", (unsigned long long)value);
}

static void result_and_error(long result, bool address)
{
	if (failed(result))
		printf("\"ret\":%ld,\"error\":\"%s\"", result, strerrorname_np((int)-result));
	else if (address)
		printf("\"ret\":%llu,\"error\":null", (unsigned long long)(uword)result);
	else
		printf("\"ret\":%ld,\"error\":null", result);
}

static void say_multiplexed(const struct multiplexed *m)
{
	printf(",\"ipc\":{\"call\":%u,\"version\":%u", m->call & 0xffff, m->call >> 16);
	if (m->opaque) {
		putchar('}');
		return;
	}
	printf(",\"ret\":%ld,\"args\":[", m->result);
	argument("call", "unsigned int", m->call);
	putchar(',');
	argument("first", "int", (uword)m->first);
	putchar(',');
	argument("second", "unsigned long", m->second);
	putchar(',');
	argument("third", "unsigned long", m->third);
	putchar(',');
	argument("ptr", "void*", m->ptr);
	putchar(',');
	argument("fifth", "long", (uword)m->fifth);
	printf("]}");
}

static void say_object(const struct object *o)
{
	if (!o->known)
		return;
	printf(",\"object\":");
	if (!o->found) {
		printf("null");
		return;
	}
	printf("{\"kind\":\"%s\",\"id\":%d,\"key\":%d,\"created\":%s,\"mode\":%u,\"ownerUid\":%u,\"ownerGid\":%u,"
	       "\"creatorUid\":%u,\"creatorGid\":%u",
	       o->kind, o->id, o->key, o->created ? "true" : "false", o->mode, o->uid, o->gid, o->cuid, o->cgid);
	if (!strcmp(o->kind, "msg"))
		printf(",\"cbytes\":%llu,\"qnum\":%llu,\"lspid\":%u,\"lrpid\":%u", o->cbytes, o->qnum, o->lspid,
		       o->lrpid);
	else if (!strcmp(o->kind, "sem"))
		printf(",\"nsems\":%llu", o->nsems);
	else
		printf(",\"segsz\":%llu,\"nattch\":%llu,\"cpid\":%u,\"lpid\":%u", o->segsz, o->nattch, o->cpid,
		       o->lpid);
	putchar('}');
}

/* The decoders print what got readable bytes mean, as further members. */

static void decode_message(const unsigned char *bytes, size_t got)
{
	const struct message *m = (const void *)bytes;

	if (got >= sizeof *m)
		printf(",\"mtype\":%lld", (long long)m->mtype);
}

static void decode_operations(const unsigned char *bytes, size_t got)
{
	const struct operation *op = (const void *)bytes;

	printf(",\"sops\":[");
	for (size_t i = 0; i < got / sizeof *op; i++)
		printf("%s{\"sem_num\":%u,\"sem_op\":%d,\"sem_flg\":%d}", i ? "," : "", op[i].sem_num, op[i].sem_op,
		       op[i].sem_flg);
	putchar(']');
}

static void decode_timeout(const unsigned char *bytes, size_t got)
{
	const struct timeout *t = (const void *)bytes;

	/* Of a 32-bit caller's nanoseconds the kernel takes the low half. */
	if (got >= sizeof *t)
		printf(",\"tvSec\":%lld,\"tvNsec\":%lld", (long long)t->sec, (long long)(word)t->nsec);
}

static void decode_values(const unsigned char *bytes, size_t got)
{
	const uint16_t *values = (const void *)bytes;

	printf(",\"values\":[");
	for (size_t i = 0; i < got / sizeof *values; i++)
		printf("%s%u", i ? "," : "", values[i]);
	putchar(']');
}

static void decode_pointer(const unsigned char *bytes, size_t got)
{
	if (got >= sizeof(uint32_t))
		printf(",\"pointer\":\"0x%x\"", *(const uint32_t *)bytes);
}

static void decode_settings(const unsigned char *bytes, size_t got)
{
	const struct permissions *p = (const void *)bytes;
	const struct queue *q = (const void *)bytes;

	if (got >= sizeof *p)
		printf(",\"uid\":%u,\"gid\":%u,\"mode\":%u", p->uid, p->gid, (uint16_t)p->mode);
	if (got == sizeof *q)
		printf(",\"qbytes\":%llu", (unsigned long long)q->qbytes);
}

static void decode_old_settings(const unsigned char *bytes, size_t got)
{
	const struct old_permissions *p = (const void *)bytes;
	const struct old_queue *q = (const void *)bytes;

	if (got >= sizeof *p)
		printf(",\"uid\":%u,\"gid\":%u,\"mode\":%u", p->uid, p->gid, p->mode);
	if (got == sizeof *q)
		printf(",\"qbytes\":%u", q->qbytes);
}


/* A piece of memory that a call leads to. */
struct piece {
	const char *name, *type;
	uword address;
	size_t length; /* bytes that the call asks for; 0 if that is no sane number */
	size_t filled; /* how many of them the kernel used */
	void (*decode)(const unsigned char *bytes, size_t got);
	bool written;  /* by the kernel, if the call succeeds */
};

static void say_piece(const struct piece *p)
{
	const unsigned char *bytes = (const void *)(uintptr_t)p->address;
	size_t got = readable(bytes, p->length && p->length < LOOK ? p->length : LOOK);

	printf("{\"arg\":\"%s\",\"type\":\"%s\",\"address\":\"0x%llx\",\"length\":%zu,\"filled\":%zu,\"written\":%s,"
	       "\"bytes\":\"",
	       p->name, p->type, (unsigned long long)p->address, p->length, p->filled, p->written ? "true" : "false");
	for (size_t i = 0; i < got; i++)
		printf("%02x", bytes[i]);
	putchar('"');
	p->decode(bytes, got);
	putchar('}');
}

static size_t settings_size(enum which which)
{
	switch (which) {
	case MSGCTL: return route.old_structures ? sizeof(struct old_queue) : sizeof(struct queue);
	case SEMCTL: return route.old_structures ? sizeof(struct old_set) : sizeof(struct set);
	default: return route.old_structures ? sizeof(struct old_segment) : sizeof(struct segment);
	}
}

static struct piece message(const uword arguments[6], size_t filled)
{
	size_t length = (word)arguments[2] < 0 ? 0 : sizeof(word) + arguments[2];

	return (struct piece){"msgp", "msgbuf", arguments[1], length, filled ? filled : length, decode_message, false};
}

/* reads_object tells whether a command has the kernel write an object's settings. */
static bool reads_object(enum which which, int command)
{
	switch (which) {
	case MSGCTL: return command == IPC_STAT || command == MSG_STAT || command == MSG_STAT_ANY;
	case SEMCTL: return command == IPC_STAT || command == SEM_STAT || command == SEM_STAT_ANY;
	default: return command == IPC_STAT || command == SHM_STAT || command == SHM_STAT_ANY;
	}
}

/* settings is what IPC_SET and the commands that read an object lead to. */
static struct piece settings(enum which which, const char *name, int command, uword address)
{
	size_t length = settings_size(which);

	if (command != IPC_SET && !reads_object(which, command))
		return (struct piece){0};
	return (struct piece){name, "ipc_ds", address, length, length,
			      route.old_structures ? decode_old_settings : decode_settings, command != IPC_SET};
}

static struct piece values(int command, uword address, size_t count)
{
	size_t length = sizeof(uint16_t) * count;

	return (struct piece){"arg", "semun", address, length, length, decode_values, command == GETALL};
}

/* main_piece is the message, the operations, the settings or the values; its
 * name is NULL if the call has none. */
static struct piece main_piece(enum which which, const uword arguments[6], long result, const struct object *o)
{
	switch (which) {
	case MSGSND:
		return message(arguments, 0);
	case MSGRCV: {
		struct piece p = message(arguments, failed(result) ? 0 : sizeof(word) + (size_t)result);

		p.written = true;
		return p;
	}
	case SEMOP:
	case SEMTIMEDOP: {
		size_t length = sizeof(struct operation) * arguments[2];

		return (struct piece){length ? "sops" : NULL, "sembuf[]", arguments[1], length, length,
				      decode_operations, false};
	}
	case MSGCTL:
	case SHMCTL:
		return settings(which, "buf", (int)arguments[1], arguments[2]);
	case SEMCTL: {
		int command = (int)arguments[2];

		if ((command == SETALL || command == GETALL) && o->found)
			return values(command, arguments[3], o->nsems);
		if (!route.null_indirection)
			return settings(which, "arg", command, arguments[3]);
		break;
	}
	default:
		break;
	}
	return (struct piece){0};
}

static void say_memory(enum which which, const uword arguments[6], long result, const struct multiplexed *m,
		       const struct object *o)
{
	struct piece pieces[3];
	int n = 0;

	pieces[n] = main_piece(which, arguments, result, o);
	n += pieces[n].name != NULL;
	if (which == SEMTIMEDOP && arguments[3])
		pieces[n++] = (struct piece){"timeout", "timespec", arguments[3], sizeof(struct timeout),
					     sizeof(struct timeout), decode_timeout, false};
	if (m->used && !m->opaque && which == SEMCTL)
		pieces[n++] = (struct piece){"ptr", "pointer", m->ptr, 4, 4, decode_pointer, false};
	if (m->used && !m->opaque && which == MSGRCV && route.version == 0)
		pieces[n++] = (struct piece){"ptr", "pointer", m->ptr, 8, 8, decode_pointer, false};
	if (m->used && !m->opaque && which == SHMAT && (!failed(result) || result == -EFAULT))
		pieces[n++] = (struct piece){"third", "pointer", m->third, 4, 4, decode_pointer, true};

	printf(",\"memory\":[");
	for (int i = 0; i < n; i++) {
		if (i)
			putchar(',');
		say_piece(&pieces[i]);
	}
	putchar(']');
}

void say_call(const char *form, enum which which, const uword arguments[6], long result,
	      const struct multiplexed *m, const struct object *o)
{
	const struct parameter *p = calls[which].parameters;

	printf("{\"seq\":%u,\"form\":\"%s\",\"event\":\"%s\",\"args\":[", sequence++, form, calls[which].name);
	for (int i = 0; p[i].name; i++) {
		if (i)
			putchar(',');
		argument(p[i].name, p[i].type, arguments[i]);
	}
	printf("],");
	result_and_error(result, which == SHMAT);
	say_memory(which, arguments, result, m, o);
	say_object(o);
	if (m->used)
		say_multiplexed(m);
	printf("}\n");
}

void say_operation(const char *form, const struct multiplexed *m)
{
	printf("{\"seq\":%u,\"form\":\"%s\",\"event\":\"ipc\",\"args\":[],", sequence++, form);
	result_and_error(m->result, false);
	printf(",\"memory\":[]");
	say_multiplexed(m);
	printf("}\n");
}

void judge(const char *form, long want, long result)
{
	if (failed(result) ? result == want : want == 0)
		return;
	unexpected++;
	fprintf(stderr, "%s: returned %ld, want %ld\n", form, result, want);
}
