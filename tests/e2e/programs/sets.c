#define _GNU_SOURCE
#include <errno.h>
#include <sys/sem.h>

#include "forms.h"
#include "place.h"

enum { NSEMS = 4, SEMOPM_DEFAULT = 500 };

/* same fills n operations that each do nothing: wait for zero on a zero. */
static struct operation *same(int n, struct operation first)
{
	struct operation *ops = place(sizeof *ops * (size_t)n);

	ops[0] = first;
	for (int i = 1; i < n; i++)
		ops[i] = (struct operation){1, 0, 0};
	return ops;
}

static void get(void)
{
	int s = MAKE("set: private", 0, SEMGET, IPC_PRIVATE, 1, 0600);
	int k = MAKE("set: create exclusively", 0, SEMGET, KEY, 3, IPC_CREAT | IPC_EXCL | 0644);

	MAKE("set: open", 0, SEMGET, KEY, 0, 0);
	MAKE("set: open with more semaphores", -EINVAL, SEMGET, KEY, 4, 0);
	MAKE("set: exists", -EEXIST, SEMGET, KEY, 3, IPC_CREAT | IPC_EXCL);
	MAKE("set: no such key", -ENOENT, SEMGET, KEY + 1, 1, 0);
	MAKE("set: negative size", -EINVAL, SEMGET, IPC_PRIVATE, (uword)-1, 0600);
	MAKE("set: remove the private one", 0, SEMCTL, s, 0, IPC_RMID, 0);
	MAKE("set: remove the keyed one", 0, SEMCTL, k, 0, IPC_RMID, 0);
}

/* operate makes the forms that semop and semtimedop have in common. */
static void operate(int s, enum which which)
{
	static const int counts[] = {3, 64, 65, SEMOPM_DEFAULT};
	static const char *const names[] = {"3 operations", "64 operations", "65 operations", "500 operations"};
	struct operation up = {0, 1, 0}, undo = {0, -1, SEM_UNDO};

	if (!can_make(which))
		return;
	MAKE("1 operation", 0, which, s, P(same(1, up)), 1, 0);
	MAKE("1 operation with undo", 0, which, s, P(same(1, undo)), 1, 0);
	for (int i = 0; i < 4; i++)
		MAKE(names[i], 0, which, s, P(same(counts[i], up)), counts[i], 0);
	MAKE("501 operations", -E2BIG, which, s, P(same(501, up)), 501, 0);
	MAKE("no semaphore of that number", -EFBIG, which, s, P(same(2, (struct operation){NSEMS, 1, 0})), 2, 0);
	MAKE("would wait for zero", -EAGAIN, which, s, P(same(2, (struct operation){0, 0, IPC_NOWAIT})), 2, 0);
	MAKE("would wait with undo", -EAGAIN, which, s,
	     P(same(1, (struct operation){3, -9, IPC_NOWAIT | SEM_UNDO})), 1, 0);
	MAKE("above SEMVMX", -ERANGE, which, s, P(same(1, (struct operation){0, 32767, 0})), 1, 0);
	MAKE("unknown operation flags", 0, which, s, P(same(1, (struct operation){0, 1, 0x4000})), 1, 0);
}

static void wait_briefly(int s)
{
	struct timeout *t = place(sizeof *t);
	struct operation *down = same(1, (struct operation){2, -1, 0});
	struct operation *up = same(3, (struct operation){0, 1, 0});

	t->nsec = 1500000;
	MAKE("timeout runs out", -EAGAIN, SEMTIMEDOP, s, P(down), 1, P(t));
	t = place(sizeof *t);
	t->sec = 5;
	MAKE("timeout not needed", 0, SEMTIMEDOP, s, P(up), 3, P(t));
#if ABI32 && TIME64
	t = place(sizeof *t);
	t->nsec = (int64_t)0x5a5a5a5a00000000 | 1000;
	MAKE("timeout with padding", -EAGAIN, SEMTIMEDOP, s, P(down), 1, P(t));
#endif
	t = place(sizeof *t);
	t->nsec = 1000000000;
	MAKE("timeout out of range", -EINVAL, SEMTIMEDOP, s, P(down), 1, P(t));
	t = place(sizeof *t);
	t->sec = -1;
	MAKE("negative timeout", -EINVAL, SEMTIMEDOP, s, P(down), 1, P(t));
}

static void values(int s)
{
	uint16_t *array = place(sizeof *array * NSEMS);

	MAKE("GETVAL", 0, SEMCTL, s, 1, GETVAL, 0);
	MAKE("SETVAL", 0, SEMCTL, s, 1, SETVAL, 5);
	MAKE("SETVAL out of range", -ERANGE, SEMCTL, s, 1, SETVAL, 32768);
	MAKE("SETVAL negative", -ERANGE, SEMCTL, s, 1, SETVAL, (uint32_t)-1);
	MAKE("GETVAL out of the set", -EINVAL, SEMCTL, s, NSEMS, GETVAL, 0);
	MAKE("GETPID", 0, SEMCTL, s, 0, GETPID, 0);
	MAKE("GETNCNT", 0, SEMCTL, s, 0, GETNCNT, 0);
	MAKE("GETZCNT", 0, SEMCTL, s, 3, GETZCNT, 0);
	MAKE("GETALL", 0, SEMCTL, s, 0, GETALL, P(array));
	array = place(sizeof *array * NSEMS);
	for (int i = 0; i < NSEMS; i++)
		array[i] = (uint16_t)(1000 * i);
	MAKE("SETALL", 0, SEMCTL, s, 0, SETALL, P(array));
	array = place(sizeof *array * NSEMS);
	array[2] = 40000;
	MAKE("SETALL out of range", -ERANGE, SEMCTL, s, 0, SETALL, P(array));
}

static void control(int s)
{
	struct set *buf = place(1024);

	MAKE("set: stat", 0, SEMCTL, s, 0, IPC_STAT, P(buf));
	buf->perm.mode = 0640;
	MAKE("set: change mode", 0, SEMCTL, s, 0, IPC_SET, P(buf));
	buf = place(1024);
	MAKE("set: IPC_INFO", 0, SEMCTL, 0, 0, IPC_INFO, P(buf));
	MAKE("set: SEM_INFO", 0, SEMCTL, 0, 0, SEM_INFO, P(buf));
	MAKE("set: SEM_STAT", 0, SEMCTL, s % 32768, 0, SEM_STAT, P(buf));
	MAKE("set: SEM_STAT_ANY", 0, SEMCTL, s % 32768, 0, SEM_STAT_ANY, P(buf));
	MAKE("set: unknown command", -EINVAL, SEMCTL, s, 0, 77, P(buf));
	MAKE("set: remove", 0, SEMCTL, s, 0, IPC_RMID, 0);
	MAKE("set: remove again", -EINVAL, SEMCTL, s, 0, IPC_RMID, 0);
}

void sets(void)
{
	int s;

	get();
	s = MAKE("set", 0, SEMGET, IPC_PRIVATE, NSEMS, IPC_CREAT | 0600);
	operate(s, SEMOP);
	operate(s, SEMTIMEDOP);
	wait_briefly(s);
	values(s);
	control(s);
}
