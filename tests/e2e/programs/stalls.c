/*
 * stalls.c: acts in which the kernel is held up while it reads a call's memory.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "must.h"
#include "races.h"

enum { STALL_NS = 200000000, HALF = 16 };

struct split_message {
	long mtype;
	char text[2 * HALF];
};

/* The page that nobody has put there yet, and who is asked for it. */
struct missing {
	int fd;
	long page; /* size of one */
	const char *content;
	pthread_t thread;
	void (*before)(void), (*after)(void); /* what else to do, if anything */
};

/* serve puts the page there when the kernel has waited long enough for it. */
static void *serve(void *argument)
{
	static const struct timespec stall = {0, STALL_NS};
	struct missing *m = argument;
	struct uffd_msg asked;
	struct uffdio_copy copy = {.src = (uintptr_t)m->content, .len = m->page};

	if (read(m->fd, &asked, sizeof asked) != sizeof asked || asked.event != UFFD_EVENT_PAGEFAULT)
		err(2, "read from userfaultfd");
	MUST(nanosleep(&stall, NULL));
	if (m->before)
		m->before();
	copy.dst = asked.arg.pagefault.address & -(uint64_t)m->page;
	MUST(ioctl(m->fd, UFFDIO_COPY, &copy));
	if (m->after)
		m->after();
	return NULL;
}

/* take_over has the faults of a page served, those in the kernel too. */
static const char *take_over(struct missing *m, char *page)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {{(uintptr_t)page, m->page}, UFFDIO_REGISTER_MODE_MISSING, 0};

	m->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (m->fd < 0)
		return strerror(errno);
	MUST(ioctl(m->fd, UFFDIO_API, &api));
	MUST(ioctl(m->fd, UFFDIO_REGISTER, &range));
	if (pthread_create(&m->thread, NULL, serve, m))
		errx(2, "pthread_create");
	return NULL;
}

static int64_t now(void)
{
	struct timespec t;

	MUST(clock_gettime(CLOCK_MONOTONIC, &t));
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/*
 * stalled_message sends a message of which the second half lies in a page that is
 * missing when the call begins. So it is known to change within the call, when the
 * queue has that half and the call took the time of the stall.
 */
void stalled_message(bool benign, struct outcome *o)
{
	static const char halves[2 * HALF + 1] = "there from the 1stput there late";
	struct missing missing = {.page = sysconf(_SC_PAGESIZE)};
	char *pages = (char *)MUST(mmap(NULL, 3 * missing.page, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *second = pages + missing.page, *content = second + missing.page;
	struct split_message *message = (struct split_message *)(second - offsetof(struct split_message, text[HALF]));
	struct split_message received;
	int queue = new_queue();
	int64_t start, took;

	message->mtype = 1;
	memcpy(message->text, halves, HALF);
	memcpy(benign ? second : content, halves + HALF, HALF);
	missing.content = content;
	if (!benign)
		o->skipped = take_over(&missing, second);
	if (!o->skipped) {
		start = now();
		MUST(CALL(MSGSND, queue, P(message), sizeof message->text, IPC_NOWAIT));
		took = now() - start;
		MUST(msgrcv(queue, &received, sizeof received.text, 0, IPC_NOWAIT));
		if (memcmp(received.text, halves, sizeof received.text))
			errx(2, "not the message was received");
		o->mutated = !benign && took >= STALL_NS;
		detail(o, ",\"tookNs\":%lld", (long long)took);
	}
	if (!benign && !o->skipped && pthread_join(missing.thread, NULL))
		errx(2, "pthread_join");
	destroy_queue(queue);
}

/* What phantom_operations shows and hides. */
static struct operation operation_shown = {0, 1, 0};
static int phantom_set;

static void exchange(void)
{
	operation_shown.sem_op = -1;
}

/* put_back waits until the kernel has taken the other operation, which waits. */
static void put_back(void)
{
	while (MUST(semctl(phantom_set, 0, GETNCNT)) != 1)
		sched_yield();
	operation_shown.sem_op = 1;
	let_through(phantom_set, 1);
}

/*
 * phantom_operations has the kernel take away from a semaphore, where all that can
 * be seen in memory before and after the call is that it adds to it. The kernel reads
 * the timeout first, which lies in a page that is missing: time enough to exchange
 * the operation behind the back of who has looked at it already. So the memory is
 * known to have changed within the call when the semaphore had somebody waiting.
 */
void phantom_operations(bool benign, struct outcome *o)
{
	struct missing missing = {.page = sysconf(_SC_PAGESIZE), .before = exchange, .after = put_back};
	char *pages = (char *)MUST(mmap(NULL, 2 * missing.page, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	struct timeout *timeout = (struct timeout *)(benign ? pages : pages + missing.page);

	phantom_set = new_set();
	timeout->sec = LIMIT;
	missing.content = pages + missing.page;
	if (!benign)
		o->skipped = take_over(&missing, pages);
	if (!o->skipped) {
		MUST(CALL(SEMTIMEDOP, phantom_set, P(&operation_shown), 1, P(pages)));
		if (benign)
			exchange();
		else if (pthread_join(missing.thread, NULL))
			errx(2, "pthread_join");
		o->mutated = MUST(semctl(phantom_set, 0, GETVAL)) == 0;
	}
	destroy_set(phantom_set);
}
