/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs itself from one place after another, with one call in each, and ends at once:
 * moves SECOND, where SECOND is another name of this file, which it removes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <unistd.h>

#include "must.h"

static void call(size_t bytes)
{
	int id = MUST(shmget(IPC_PRIVATE, bytes, 0600));

	MUST(shmctl(id, IPC_RMID, 0));
}

/* Runs a copy of this program that no directory has. */
static void run_nameless(void)
{
	char *arguments[] = { "moves", 0 };
	int from = MUST(open("/proc/self/exe", O_RDONLY));
	int to = MUST(memfd_create("hidden", MFD_CLOEXEC));

	while (MUST(sendfile(to, from, 0, 1 << 20)) > 0)
		;
	MUST(fexecve(to, arguments, environ));
}

int main(int count, char **arguments)
{
	if (count == 2) {
		char *again[] = { "moves", arguments[1], "again", 0 };

		call(1);
		MUST(execv(arguments[1], again));
	}
	if (count == 3) {
		call(2);
		MUST(unlink(arguments[1]));
		call(3);
		run_nameless();
	}
	call(4);
	return 0;
}
