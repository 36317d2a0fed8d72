/*
 * place.h: memory to point to, of every kind that a caller can come with.
 */
#pragma once

#include <stddef.h>

/* PAGE is the size of a page on x86, and the smallest on ARM. */
enum { PAGE = 4096 };

/* place returns zeroed memory that even a 32-bit pointer reaches. */
void *place(size_t size);

/* before_hole returns size readable bytes, followed by an unmapped page. */
void *before_hole(size_t size);

/* hole returns an address at which nothing is mapped, aligned as SHM_RND aligns. */
void *hole(void);

/* in_kernel returns an address that belongs to the kernel. */
void *in_kernel(void);

/* untouched returns a copy of content in a page of a file that nobody has read
 * through this mapping: it has no page table entry yet. */
const void *untouched(const void *content, size_t size);

/* readable returns how many of size bytes at address can be read. It brings
 * them in, so it is to be asked only after a call that does the same. */
size_t readable(const void *address, size_t size);
