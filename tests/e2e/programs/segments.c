#define _GNU_SOURCE
#include <errno.h>
#include <sys/shm.h>
#include <sys/mman.h>

#include "forms.h"
#include "place.h"

static void get(void)
{
	int s = MAKE("segment: private", 0, SHMGET, IPC_PRIVATE, 1, 0600);
	int k = MAKE("segment: create exclusively", 0, SHMGET, KEY, 3 * PAGE, IPC_CREAT | IPC_EXCL | 0660);

	MAKE("segment: open", 0, SHMGET, KEY, 0, 0);
	MAKE("segment: open with more bytes", -EINVAL, SHMGET, KEY, 4 * PAGE, 0);
	MAKE("segment: exists", -EEXIST, SHMGET, KEY, PAGE, IPC_CREAT | IPC_EXCL);
	MAKE("segment: no such key", -ENOENT, SHMGET, KEY + 1, PAGE, 0600);
	MAKE("segment: no bytes", -EINVAL, SHMGET, IPC_PRIVATE, 0, 0600);
	MAKE("segment: no reservation", 0, SHMGET, KEY + 2, PAGE, IPC_CREAT | SHM_NORESERVE | 0600);
	MAKE("segment: remove the private one", 0, SHMCTL, s, IPC_RMID, 0);
	MAKE("segment: remove the keyed one", 0, SHMCTL, k, IPC_RMID, 0);
	MAKE("segment: remove the unreserved one", 0, SHMCTL,
	     MAKE("segment: open the unreserved one", 0, SHMGET, KEY + 2, 0, 0), IPC_RMID, 0);
}

static void attach(int s)
{
	uword at = (uword)MAKE("attach", 0, SHMAT, s, 0, 0);
	uword again = (uword)MAKE("attach for reading", 0, SHMAT, s, 0, SHM_RDONLY);
	uword run = (uword)MAKE("attach for execution", 0, SHMAT, s, 0, SHM_EXEC);
	uword read_and_run = (uword)MAKE("attach for reading and execution", 0, SHMAT, s, 0, SHM_RDONLY | SHM_EXEC);
	uword free = P(hole());

	MAKE("detach", 0, SHMDT, again);
	MAKE("detach again", -EINVAL, SHMDT, again);
	MAKE("attach at an address", 0, SHMAT, s, free, 0);
	MAKE("detach from the address", 0, SHMDT, free);
	MAKE("attach at a rounded address", 0, SHMAT, s, free + 5, SHM_RND);
	MAKE("detach from an unaligned address", -EINVAL, SHMDT, free + 5);
	MAKE("attach over a mapping", -EINVAL, SHMAT, s, at, 0);
	MAKE("attach in place of a mapping", 0, SHMAT, s, at, SHM_REMAP);
	MAKE("attach in place of nothing", -EINVAL, SHMAT, s, 0, SHM_REMAP);
	MAKE("attach at an unaligned address", -EINVAL, SHMAT, s, free + 5, 0);
	MAKE("detach from the rounded address", 0, SHMDT, free);
	MAKE("detach what may be run", 0, SHMDT, run);
	MAKE("detach what may be read and run", 0, SHMDT, read_and_run);
	MAKE("detach the first", 0, SHMDT, at);
	MAKE("detach nothing", -EINVAL, SHMDT, 0);
}

static void control(int s)
{
	struct segment *buf = place(1024);
	uword at;

	MAKE("segment: stat", 0, SHMCTL, s, IPC_STAT, P(buf));
	buf->perm.mode = 0640;
	MAKE("segment: change mode", 0, SHMCTL, s, IPC_SET, P(buf));
	buf = place(1024);
	MAKE("segment: lock", 0, SHMCTL, s, SHM_LOCK, 0);
	MAKE("segment: unlock", 0, SHMCTL, s, SHM_UNLOCK, 0);
	MAKE("segment: IPC_INFO", 0, SHMCTL, 0, IPC_INFO, P(buf));
	MAKE("segment: SHM_INFO", 0, SHMCTL, 0, SHM_INFO, P(buf));
	MAKE("segment: SHM_STAT", 0, SHMCTL, s % 32768, SHM_STAT, P(buf));
	MAKE("segment: SHM_STAT_ANY", 0, SHMCTL, s % 32768, SHM_STAT_ANY, P(buf));
	MAKE("segment: unknown command", -EINVAL, SHMCTL, s, 77, P(buf));
	at = (uword)MAKE("attach before removal", 0, SHMAT, s, 0, 0);
	MAKE("segment: remove while attached", 0, SHMCTL, s, IPC_RMID, 0);
	MAKE("segment: stat after removal", 0, SHMCTL, s, IPC_STAT, P(buf));
	MAKE("detach after removal", 0, SHMDT, at);
	MAKE("segment: stat after the last detach", -EINVAL, SHMCTL, s, IPC_STAT, P(buf));
	MAKE("attach after the last detach", -EINVAL, SHMAT, s, 0, 0);
}

void segments(void)
{
	int s;

	get();
	s = MAKE("segment", 0, SHMGET, IPC_PRIVATE, PAGE, IPC_CREAT | 0700);
	attach(s);
	control(s);
}
