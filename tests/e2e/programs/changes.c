/*
 * changes.c: acts in which a call sleeps while another thread changes its memory.
 *
 * That the memory changed before the call was over is known by construction: the
 * thread is seen asleep in the call first, and nothing but what comes after the
 * change lets it go on. The caller itself looks at the memory once more after the
 * call.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "must.h"
#include "races.h"

enum {
	FULL = MOST, /* bytes that fill a queue */
	FILLER = 9,  /* type of the message that does */
	LONG = 4000, /* bytes of a message that is too long to be kept whole */
	TAIL = 3900, /* the one of them that changes */
	PATIENCE = LIMIT / 2,
};

struct short_message {
	long mtype;
	char text[16];
};

static const struct short_message given_message = {1, "as it was given"}, later_message = {2, "as it got later"};

struct long_message {
	long mtype;
	char text[LONG];
};

static const struct long_message given_long = {1, {[0] = 'a', [LONG - 1] = 'z'}};
static const struct long_message later_long = {1, {[0] = 'a', [TAIL] = '!', [LONG - 1] = 'z'}};

static const struct sembuf given_operations[] = {{0, -1, 0}, {0, 0, 0}};
static const struct sembuf later_operations[] = {{0, -2, SEM_UNDO}, {0, 1, 0}};

static const struct timeout given_timeout = {PATIENCE, 0}, later_timeout = {PATIENCE + 1, 1};

struct filler {
	long mtype;
	char text[FULL];
};

static int full_queue(void)
{
	static const struct filler filler = {.mtype = FILLER};
	struct msqid_ds settings;
	int id = new_queue();

	MUST(msgctl(id, IPC_STAT, &settings));
	settings.msg_qbytes = FULL;
	MUST(msgctl(id, IPC_SET, &settings));
	MUST(msgsnd(id, &filler, FULL, 0));
	return id;
}

static void make_room(int id)
{
	struct filler taken;

	MUST(msgrcv(id, &taken, FULL, FILLER, 0));
}

static long send_message(int id, const void *memory)
{
	return CALL(MSGSND, id, P(memory), strlen(given_message.text), 0);
}

static long send_long(int id, const void *memory)
{
	return CALL(MSGSND, id, P(memory), LONG, 0);
}

static long operate(int id, const void *memory)
{
	return CALL(SEMOP, id, P(memory), 2);
}

static long operate_in_time(int id, const void *memory)
{
	static const struct sembuf down = {0, -1, 0};

	return CALL(SEMTIMEDOP, id, P(&down), 1, P(memory));
}

static void let_one_through(int id)
{
	let_through(id, 1);
}

const struct held held_message = {
	MSGSND, full_queue, send_message, make_room, destroy_queue,
	&given_message, &later_message, sizeof given_message,
};
static const struct held held_long = {
	MSGSND, full_queue, send_long, make_room, destroy_queue,
	&given_long, &later_long, sizeof given_long,
};
const struct held held_operations = {
	SEMOP, new_set, operate, let_one_through, destroy_set,
	given_operations, later_operations, sizeof given_operations,
};
static const struct held held_timeout = {
	SEMTIMEDOP, new_set, operate_in_time, let_one_through, destroy_set,
	&given_timeout, &later_timeout, sizeof given_timeout,
};

/* One call, made by a thread. */
struct caller {
	struct sleeper sleeper;
	const struct held *held;
	int id;
	void *memory; /* NULL: the thread has its own */
	bool changed;
};

static void make_call(void *argument)
{
	struct caller *c = argument;
	_Alignas(8) char own[MOST];
	void *memory = c->memory ? c->memory : own;

	memcpy(memory, c->held->given, c->held->size);
	MUST(c->held->call(c->id, memory));
	c->changed = memcmp(memory, c->held->given, c->held->size);
	memcpy(own, c->held->later, c->held->size); /* what is one's own may be used again */
	asm volatile("" : : "r"(own) : "memory");
}

static void begin(struct caller *c, const struct held *held, void *memory)
{
	c->held = held;
	c->id = held->make();
	c->memory = memory;
	fall_asleep(&c->sleeper, held->which, make_call, c);
}

static void end(struct caller *c)
{
	c->held->release(c->id);
	wake(&c->sleeper);
	c->held->destroy(c->id);
}

/*
 * change holds up a call and changes its memory. In the benign twin two threads
 * are held up, each of which has memory of its own and changes it after the call.
 */
static void change(const struct held *held, bool benign, struct outcome *o)
{
	_Alignas(8) static char shared[MOST];
	struct caller first, second;

	begin(&first, held, benign ? NULL : shared);
	if (benign) {
		begin(&second, held, NULL);
		end(&second);
	} else {
		memcpy(shared, held->later, held->size);
	}
	end(&first);
	o->mutated = first.changed || (benign && second.changed);
	detail(o, ",\"tid\":%d", first.sleeper.tid);
}

void change_message(bool benign, struct outcome *o)
{
	change(&held_message, benign, o);
	detail(o, ",\"given\":{\"mtype\":%ld,\"text\":\"%s\"}", given_message.mtype, given_message.text);
	detail(o, ",\"later\":{\"mtype\":%ld,\"text\":\"%s\"}", later_message.mtype, later_message.text);
}

/* retry does what many do who do not want to sleep. */
static void retry(void)
{
	struct sembuf down = {0, -1, IPC_NOWAIT};
	int id = new_set();

	for (int tries = 0; semop(id, &down, 1); tries++) {
		if (errno != EAGAIN)
			MUST(-1);
		if (tries == 5)
			let_through(id, 1);
	}
	destroy_set(id);
}

void change_operations(bool benign, struct outcome *o)
{
	change(&held_operations, benign, o);
	if (benign)
		retry();
}

void change_timeout(bool benign, struct outcome *o)
{
	change(&held_timeout, benign, o);
}

void change_tail(bool benign, struct outcome *o)
{
	change(&held_long, benign, o);
}

#ifdef USE_IPC

/* Where MSGRCV in version 0 finds its last two arguments. */
struct kludge {
	struct short_message *msgp;
	long msgtyp;
};

static struct short_message received[2];
static const struct kludge given_kludge = {&received[0], 0}, later_kludge = {&received[1], 1};

static long receive_indirectly(int id, const void *memory)
{
	struct multiplexed m = {
		.call = calls[MSGRCV].operation, .first = id, .second = sizeof received->text, .ptr = P(memory),
	};

	return with_errno(multiplex(&m));
}

static void send_short(int id)
{
	MUST(send_message(id, &given_message));
}

/* In the benign twin there is only one thread: two would share what they receive. */
void change_indirect(bool benign, struct outcome *o)
{
	static const struct held held = {
		MSGRCV, new_queue, receive_indirectly, send_short, destroy_queue,
		&given_kludge, &later_kludge, sizeof given_kludge,
	};
	struct caller only;

	if (!benign) {
		change(&held, benign, o);
	} else {
		begin(&only, &held, NULL);
		end(&only);
		o->mutated = only.changed;
	}
	if (strcmp(received[0].text, given_message.text) || received[1].text[0])
		errx(2, "not the first pointer was used");
	detail(o, ",\"pointers\":[\"%p\",\"%p\"]", (void *)given_kludge.msgp, (void *)later_kludge.msgp);
}

#endif
