/*
 * end.h: the last call of a program, which nothing else makes.
 */
#pragma once

/* END is the id of a queue that cannot exist. msgctl(END, IPC_STAT, NULL) tells
 * whoever watches the program that all of its calls have been made. */
enum { END = -0x1badcafe };
