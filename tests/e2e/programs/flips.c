/*
 * flips.c: acts in which one thread changes the memory of the calls of another as
 * fast as it can, so that each call sees now one content, now the other.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

#include "must.h"
#include "races.h"

/*
 * Which content a call saw its result tells. That this is not the one that the
 * caller saw just before does not say that it changed within the call: it may
 * have done so right before. Of SURE such calls some did.
 */
enum { CALLS = 2000, SURE = 16, ENOUGH = 64, TIME_NS = 500000000 };

enum { SEMAPHORES = 4, FLIPPED = 2 }; /* of a set, and the one of them */

union memory {
	struct {
		long mtype;
		char text[8];
	} message;
	struct sembuf operation;
	struct queue settings;
	uint16_t values[SEMAPHORES];
};

struct race {
	int (*make)(void);
	void (*prepare)(int id, union memory *m);
	void (*put)(union memory *m, bool other); /* one of the two contents */
	bool (*look)(union memory *m);		  /* tells which one is there */
	bool (*call)(int id, union memory *m);	  /* tells which one the kernel took */
	void (*destroy)(int id);
};

/* The two ends of a flag that the compiler must neither keep nor combine. */
#define PUT(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELAXED)
#define LOOK(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)

static void prepare_nothing(int id, union memory *m)
{
	(void)id;
	(void)m;
}

static void put_type(union memory *m, bool other)
{
	PUT(m->message.mtype, other ? 2 : 1);
}

static bool look_type(union memory *m)
{
	return LOOK(m->message.mtype) == 2;
}

static bool exchange(int id, union memory *m)
{
	union memory received;

	MUST(CALL(MSGSND, id, P(&m->message), sizeof m->message.text, IPC_NOWAIT));
	MUST(msgrcv(id, &received.message, sizeof received.message.text, 0, IPC_NOWAIT));
	return received.message.mtype == 2;
}

static void prepare_operation(int id, union memory *m)
{
	(void)id;
	m->operation = (struct sembuf){0, 1, IPC_NOWAIT};
}

static void put_number(union memory *m, bool other)
{
	PUT(m->operation.sem_num, other ? 99 : 0);
}

static bool look_number(union memory *m)
{
	return LOOK(m->operation.sem_num) == 99;
}

/* operate finds the set without semaphore 99. CALLS is less than a value may be. */
static bool operate(int id, union memory *m)
{
	if (!CALL(SEMOP, id, P(&m->operation), 1))
		return false;
	if (errno != EFBIG)
		err(2, "semop");
	return true;
}

static void prepare_settings(int id, union memory *m)
{
	MUST(CALL(MSGCTL, id, IPC_STAT, P(&m->settings)));
}

static void put_mode(union memory *m, bool other)
{
	PUT(m->settings.perm.mode, other ? 0640 : 0600);
}

static bool look_mode(union memory *m)
{
	return LOOK(m->settings.perm.mode) == 0640;
}

static bool set(int id, union memory *m)
{
	struct queue now;

	MUST(CALL(MSGCTL, id, IPC_SET, P(&m->settings)));
	MUST(CALL(MSGCTL, id, IPC_STAT, P(&now)));
	return (now.perm.mode & 0777) == 0640;
}

static int new_large_set(void)
{
	return (int)MUST(semget(IPC_PRIVATE, SEMAPHORES, 0600));
}

static void prepare_values(int id, union memory *m)
{
	(void)id;
	for (int i = 0; i < SEMAPHORES; i++)
		m->values[i] = i;
}

static void put_value(union memory *m, bool other)
{
	PUT(m->values[FLIPPED], other ? 99 : FLIPPED);
}

static bool look_value(union memory *m)
{
	return LOOK(m->values[FLIPPED]) == 99;
}

static bool set_values(int id, union memory *m)
{
	MUST(CALL(SEMCTL, id, 0, SETALL, P(m->values)));
	return MUST(semctl(id, FLIPPED, GETVAL)) == 99;
}

/* The thread that flips. */
struct flipper {
	const struct race *race;
	union memory *memory;
	const cpu_set_t *cpu; /* NULL: there is only one */
	unsigned long flips;
	bool stop;
};

static void *flip(void *argument)
{
	struct flipper *f = argument;

	if (f->cpu)
		MUST(sched_setaffinity(0, sizeof *f->cpu, f->cpu));
	while (!LOOK(f->stop)) {
		f->race->put(f->memory, f->flips % 2);
		PUT(f->flips, f->flips + 1);
		if (!f->cpu)
			sched_yield();
	}
	return NULL;
}

/* two_cpus finds two that the program may run on. */
static bool two_cpus(cpu_set_t cpus[2])
{
	cpu_set_t all;
	int found = 0;

	MUST(sched_getaffinity(0, sizeof all, &all));
	for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&cpus[found]);
		CPU_SET(cpu, &cpus[found]);
		found++;
	}
	return found == 2;
}

static int64_t now(void)
{
	struct timespec t;

	MUST(clock_gettime(CLOCK_MONOTONIC, &t));
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* await waits until the other thread runs, and has flipped once more. Where it has a
 * CPU of its own, to yield would only make it miss the time when the other runs. */
static bool await(const struct flipper *f, int64_t until)
{
	unsigned long flips = LOOK(f->flips);

	while (LOOK(f->flips) == flips) {
		if (now() > until)
			return false;
		if (!f->cpu)
			sched_yield();
	}
	return true;
}

/* contend calls while the other thread flips. */
static void contend(const struct race *race, int id, union memory *memory, struct outcome *o)
{
	cpu_set_t cpus[2];
	bool two = two_cpus(cpus);
	struct flipper flipper = {.race = race, .memory = memory, .cpu = two ? &cpus[1] : NULL};
	int64_t until = now() + TIME_NS;
	int calls = 0, others = 0, surprises = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, flip, &flipper))
		errx(2, "pthread_create");
	if (two)
		MUST(sched_setaffinity(0, sizeof *cpus, &cpus[0]));
	while (calls < CALLS && surprises < SURE && await(&flipper, until)) {
		bool before = race->look(memory), other = race->call(id, memory);

		calls++;
		others += other;
		surprises += other != before;
	}
	PUT(flipper.stop, true);
	if (pthread_join(thread, NULL))
		errx(2, "pthread_join");
	o->mutated = others > 0 && others < calls && surprises >= SURE;
	detail(o, ",\"calls\":%d,\"others\":%d,\"surprises\":%d", calls, others, surprises);
}

/* alternate calls with both contents too, but puts them there itself. */
static void alternate(const struct race *race, int id, union memory *memory, struct outcome *o)
{
	for (int i = 0; i < ENOUGH; i++) {
		race->put(memory, i % 2);
		o->mutated |= race->call(id, memory) != i % 2;
	}
}

static void run(const struct race *race, bool benign, struct outcome *o)
{
	static union memory shared;
	union memory own, *memory = benign ? &own : &shared;
	int id = race->make();

	race->prepare(id, memory);
	(benign ? alternate : contend)(race, id, memory, o);
	race->destroy(id);
}

void race_message(bool benign, struct outcome *o)
{
	static const struct race race = {
		new_queue, prepare_nothing, put_type, look_type, exchange, destroy_queue,
	};

	run(&race, benign, o);
}

void race_operations(bool benign, struct outcome *o)
{
	static const struct race race = {
		new_set, prepare_operation, put_number, look_number, operate, destroy_set,
	};

	run(&race, benign, o);
}

void change_settings(bool benign, struct outcome *o)
{
	static const struct race race = {
		new_queue, prepare_settings, put_mode, look_mode, set, destroy_queue,
	};

	run(&race, benign, o);
}

void flip_values(bool benign, struct outcome *o)
{
	static const struct race race = {
		new_large_set, prepare_values, put_value, look_value, set_values, destroy_set,
	};

	run(&race, benign, o);
}
