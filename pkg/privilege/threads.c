#include "threads.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3];
static struct sigaction before;

int threads_signal(void) { return SIGRTMAX - 1; }

// give_up does nothing but system calls, as is fit for a handler. Whether they succeed
// shows in /proc.
static void give_up(int signal)
{
	int saved = errno;
	struct __user_cap_header_struct self = { .version = _LINUX_CAPABILITY_VERSION_3 };

	(void)signal;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	syscall(SYS_capset, &self, kept);
	errno = saved;
}

int prepare(uint64_t keep)
{
	// On the signal stack, since those of Go are small; https://pkg.go.dev/os/signal
	struct sigaction action = { .sa_handler = give_up, .sa_flags = SA_ONSTACK | SA_RESTART };

	memset(kept, 0, sizeof(kept));
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		kept[i].permitted = kept[i].effective = keep >> (32 * i);
	sigfillset(&action.sa_mask);
	return sigaction(threads_signal(), &action, &before) ? errno : 0;
}

void restore(void) { sigaction(threads_signal(), &before, 0); }
