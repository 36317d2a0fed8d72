/*
 * calls [--private]
 *
 * makes every System V IPC call in every documented form, and for each prints
 * one line of JSON that says exactly what it did. With --private it does so in
 * an IPC namespace of its own, for which it has to be root. The last lines are
 * the END call, which nothing else makes, so that a reader knows that all is there.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>

#include "end.h"
#include "forms.h"

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--private") && unshare(CLONE_NEWIPC))
		err(2, "unshare");
	queues();
	sets();
	segments();
	hostile();
	operations();
	library();
	for (int i = 0; i < ENDS; i++) {
		MAKE("end", -EINVAL, MSGCTL, (uword)END, IPC_STAT, 0);
		end_pause();
	}
	if (fflush(stdout))
		err(2, "stdout");
	return unexpected ? 1 : 0;
}
