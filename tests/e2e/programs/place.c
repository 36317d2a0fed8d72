#define _GNU_SOURCE
#include <err.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "abi.h"
#include "place.h"

#ifndef MAP_32BIT
#define MAP_32BIT 0 /* only for int $0x80 */
#endif

/* ALIGNMENT is the largest SHMLBA of any table: that of 32-bit ARM. */
enum { ALIGNMENT = 4 * PAGE };

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (p == MAP_FAILED)
		err(2, "mmap of %zu bytes", size);
	return p;
}

void *place(size_t size)
{
	static _Thread_local char *next;
	static _Thread_local size_t left;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (size > left) {
		left = size > 64 * PAGE ? size : 64 * PAGE;
		next = map(left);
	}
	p = next;
	next += size;
	left -= size;
	return p;
}

void *before_hole(size_t size)
{
	size_t pages = (size + PAGE - 1) / PAGE * PAGE;
	char *p = map(pages + PAGE);

	if (munmap(p + pages, PAGE))
		err(2, "munmap");
	return p + pages - size;
}

void *hole(void)
{
	static char *address;

	if (!address) {
		address = map(2 * ALIGNMENT);
		if (munmap(address, 2 * ALIGNMENT))
			err(2, "munmap");
		address += -(uintptr_t)address % ALIGNMENT;
	}
	return address;
}

void *in_kernel(void)
{
	return (void *)(uintptr_t)(ABI32 ? 0xfffff000 : 0xffff888000000000);
}

const void *untouched(const void *content, size_t size)
{
	int fd = memfd_create("untouched", 0);
	void *p;

	if (fd < 0 || write(fd, content, size) != (ssize_t)size)
		err(2, "memfd");
	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_32BIT, fd, 0);
	if (p == MAP_FAILED)
		err(2, "mmap of a file");
	close(fd);
	return p;
}

size_t readable(const void *address, size_t size)
{
	size_t got = 0;
	char sink[PAGE];

	while (got < size) {
		uintptr_t at = (uintptr_t)address + got;
		size_t chunk = PAGE - at % PAGE;
		struct iovec from = {(void *)at, 0}, to = {sink, 0};
		ssize_t n;

		from.iov_len = to.iov_len = chunk < size - got ? chunk : size - got;
		n = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}
