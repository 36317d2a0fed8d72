/*
 * forms.h: every documented form of the calls, by the kind of object.
 */
#pragma once

#include "call.h"

/* A key that no other program uses. */
enum { KEY = 0x1bc0ffee };

void queues(void);
void sets(void);
void segments(void);
void hostile(void);

/* operations makes what only ipc(2) has: versions, operations that the kernel does
 * not know, and the old structures, which 32-bit ARM has as well. It makes nothing
 * in the other variants. */
void operations(void);

/* library calls the C library's wrappers. It makes nothing where the table is
 * not the one that the C library uses. */
void library(void);
