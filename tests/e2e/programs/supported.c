/*
 * supported
 *
 * makes one call through the gate of its variant, which is all it takes to tell
 * whether the kernel serves that variant.
 */
#include <sys/syscall.h>

#include "gate.h"

int main(void)
{
	return gate(ABI32 ? 20 : SYS_getpid, (const uword[6]){0}) != getpid();
}
