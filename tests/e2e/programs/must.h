/*
 * must.h: calls that have to succeed, or there is nothing to test.
 */
#pragma once

#include <err.h>

/* must ends the program when a call of the act fails: nothing was acted then. */
static inline long must(const char *what, long result)
{
	if (result == -1)
		err(2, "%s", what);
	return result;
}

#define MUST(call) must(#call, (long)(call))
