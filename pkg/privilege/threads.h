#pragma once
#include <stdint.h>

// What Go cannot do for every thread of a program with cgo.

// threads_signal is the signal that makes a thread give up its capabilities.
int threads_signal(void);

// prepare installs the handler: a thread that takes the signal keeps of its capabilities
// only those in the mask. It returns 0 or an errno.
int prepare(uint64_t keep);

// restore puts back what handled the signal before.
void restore(void);
