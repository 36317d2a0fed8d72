#define _GNU_SOURCE
#include <errno.h>
#include <sys/msg.h>
#include <string.h>

#include "forms.h"
#include "place.h"

/* message writes one that is not terminated, as messages are not. */
static struct message *message(word mtype, const char *text)
{
	struct message *m = place(sizeof *m + strlen(text) + 1);

	m->mtype = mtype;
	memcpy(m->text, text, strlen(text));
	return m;
}

static void get(void)
{
	int q = MAKE("queue: private", 0, MSGGET, IPC_PRIVATE, 0600);
	int k = MAKE("queue: create exclusively", 0, MSGGET, KEY, IPC_CREAT | IPC_EXCL | 0640);

	MAKE("queue: open", 0, MSGGET, KEY, 0);
	MAKE("queue: open or create", 0, MSGGET, KEY, IPC_CREAT | 0640);
	MAKE("queue: exists", -EEXIST, MSGGET, KEY, IPC_CREAT | IPC_EXCL | 0600);
	MAKE("queue: no such key", -ENOENT, MSGGET, KEY + 1, 0600);
	MAKE("queue: negative key", -ENOENT, MSGGET, (uword)-2, 0600);
	MAKE("queue: remove the private one", 0, MSGCTL, q, IPC_RMID, 0);
	MAKE("queue: remove the keyed one", 0, MSGCTL, k, IPC_RMID, 0);
}

static void send(int q)
{
	struct message *m = message(7, "hello, queue"), *old;
	struct message *longer = place(sizeof *longer + 1000);

	MAKE("send", 0, MSGSND, q, P(m), 12, 0);
	MAKE("send without waiting", 0, MSGSND, q, P(m), 5, IPC_NOWAIT);
	MAKE("send nothing but a type", 0, MSGSND, q, P(message(1, "")), 0, 0);
	longer->mtype = 0x7fffffff;
	for (int i = 0; i < 1000; i++)
		longer->text[i] = (char)('a' + i % 26);
	MAKE("send 1000 bytes", 0, MSGSND, q, P(longer), 1000, IPC_NOWAIT);
	old = message(3, "quote \" backslash \\ newline \n");
	MAKE("send special characters", 0, MSGSND, q, P(old), 29, IPC_NOWAIT);

	MAKE("send with type 0", -EINVAL, MSGSND, q, P(message(0, "zero")), 4, 0);
	MAKE("send with a negative type", -EINVAL, MSGSND, q, P(message(-5, "minus")), 5, 0);
	MAKE("send more than MSGMAX", -EINVAL, MSGSND, q, P(m), 1 << 20, 0);
	MAKE("send with unknown flags", 0, MSGSND, q, P(m), 4, 0x40000000 | IPC_NOWAIT | MSG_NOERROR);
}

static void receive(int q)
{
	struct message *m = place(sizeof *m + 2000);

	MAKE("peek at the first", 0, MSGRCV, q, P(m), 2000, 0, MSG_COPY | IPC_NOWAIT);
	MAKE("peek beyond the last", -ENOMSG, MSGRCV, q, P(m), 2000, 999, MSG_COPY | IPC_NOWAIT);
	MAKE("peek waiting", -EINVAL, MSGRCV, q, P(m), 2000, 0, MSG_COPY);
	MAKE("peek except", -EINVAL, MSGRCV, q, P(m), 2000, 0, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT);
	MAKE("receive too big", -E2BIG, MSGRCV, q, P(m), 3, 7, IPC_NOWAIT);
	MAKE("receive truncated", 0, MSGRCV, q, P(m), 3, 7, IPC_NOWAIT | MSG_NOERROR);
	MAKE("receive except", 0, MSGRCV, q, P(m), 2000, 7, IPC_NOWAIT | MSG_EXCEPT);
	MAKE("receive by type", 0, MSGRCV, q, P(m), 2000, 0x7fffffff, 0);
	MAKE("receive the lowest type", 0, MSGRCV, q, P(m), 2000, (uword)-5, 0);
	MAKE("receive", 0, MSGRCV, q, P(m), 2000, 0, 0);
	MAKE("receive the last", 0, MSGRCV, q, P(m), 2000, 0, IPC_NOWAIT);
	MAKE("receive from an empty queue", -ENOMSG, MSGRCV, q, P(m), 2000, 0, IPC_NOWAIT);
	MAKE("receive a type that is not there", -ENOMSG, MSGRCV, q, P(m), 2000, 42, IPC_NOWAIT);
}

static void overfill(int q)
{
	struct queue *settings = place(sizeof *settings);
	struct message *m = place(sizeof *m + 100);

	MAKE("queue: stat", 0, MSGCTL, q, IPC_STAT, P(settings));
	settings->qbytes = 150;
	settings->perm.mode = 0620;
	MAKE("queue: make smaller", 0, MSGCTL, q, IPC_SET, P(settings));
	m->mtype = 1;
	memset(m->text, 'x', 100);
	MAKE("send to an empty small queue", 0, MSGSND, q, P(m), 100, IPC_NOWAIT);
	MAKE("send to a full queue", -EAGAIN, MSGSND, q, P(m), 100, IPC_NOWAIT);
}

static void control(int q)
{
	struct queue *buf = place(1024);

	MAKE("queue: IPC_INFO", 0, MSGCTL, 0, IPC_INFO, P(buf));
	MAKE("queue: MSG_INFO", 0, MSGCTL, 0, MSG_INFO, P(buf));
	MAKE("queue: MSG_STAT", 0, MSGCTL, q % 32768, MSG_STAT, P(buf));
	MAKE("queue: MSG_STAT_ANY", 0, MSGCTL, q % 32768, MSG_STAT_ANY, P(buf));
	MAKE("queue: unknown command", -EINVAL, MSGCTL, q, 77, P(buf));
	MAKE("queue: remove", 0, MSGCTL, q, IPC_RMID, 0);
	MAKE("queue: remove again", -EINVAL, MSGCTL, q, IPC_RMID, 0);
	MAKE("queue: stat after removal", -EINVAL, MSGCTL, q, IPC_STAT, P(buf));
	MAKE("send after removal", -EINVAL, MSGSND, q, P(message(1, "late")), 4, IPC_NOWAIT);
}

void queues(void)
{
	int q;

	get();
	q = MAKE("queue", 0, MSGGET, IPC_PRIVATE, IPC_CREAT | 0600);
	send(q);
	receive(q);
	overfill(q);
	control(q);
}
