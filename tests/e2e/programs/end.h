/*
 * end.h: the last calls of a program, which nothing else makes.
 */
#pragma once

#include <stddef.h>
#include <sys/msg.h>
#include <time.h>

/* END is the id of a queue that cannot exist. msgctl(END, IPC_STAT, NULL) tells
 * whoever watches the program that all of its other calls have been made. It is made
 * ENDS times, of which one has to be seen: while somebody reads a map the kernel runs
 * no programs on that CPU, and so leaves out a call now and then. */
enum { END = -0x1badcafe, ENDS = 3 };

/* end_pause comes after each of them, so that the reading of a map does not hide two. */
static inline void end_pause(void)
{
	nanosleep(&(struct timespec){0, 2000000}, NULL);
}

static inline void end_calls(void)
{
	for (int i = 0; i < ENDS; i++) {
		msgctl(END, IPC_STAT, NULL);
		end_pause();
	}
}
