/*
 * acts.h: a program whose arguments name what it does; without any it lists what it can.
 */
#pragma once

#include <err.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>

#include "end.h"
#include "must.h"

/* One act, or its benign twin, which nobody should complain of. */
struct act {
	const char *name;
	void (*act)(bool benign);
};

/* perform is the body of main: [--benign] NAME. */
static inline int perform(const struct act *acts, size_t count, int argc, char **argv)
{
	bool benign = argc == 3 && !strcmp(argv[1], "--benign");

	for (size_t i = 0; i < count; i++) {
		if (argc == 1)
			puts(acts[i].name);
		else if (!strcmp(argv[argc - 1], acts[i].name)) {
			MUST(unshare(CLONE_NEWIPC));
			acts[i].act(benign);
			end_calls();
			return 0;
		}
	}
	if (argc > 1)
		errx(2, "no act is called %s", argv[argc - 1]);
	return 0;
}
