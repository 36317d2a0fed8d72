/*
 * gate.h: the instruction that enters the kernel.
 */
#pragma once

#include <errno.h>
#include <unistd.h>

#include "abi.h"

/* What a register holds above the 32 bits that int $0x80 looks at. */
#define GARBAGE 0xdeadbeef00000000ull

/*
 * gate makes system call number with six registers, and returns what the kernel
 * returned: -errno on failure.
 */
static inline long gate(long number, const uword registers[6])
{
#ifdef USE_INT80
	register uint64_t sixth asm("r12") = GARBAGE | registers[5];
	long result;

	/* rbp passes the sixth parameter, and the compiler may need it. */
	asm volatile("xchg %%rbp, %1; int $0x80; xchg %%rbp, %1"
		     : "=a"(result), "+r"(sixth)
		     : "a"(number), "b"(GARBAGE | registers[0]), "c"(GARBAGE | registers[1]),
		       "d"(GARBAGE | registers[2]), "S"(GARBAGE | registers[3]),
		       "D"(GARBAGE | registers[4])
		     : "memory", "cc", "r8", "r9", "r10", "r11");
	return result;
#else
	long result = syscall(number, registers[0], registers[1], registers[2], registers[3],
			      registers[4], registers[5]);
	return result == -1 ? -errno : result;
#endif
}
