package simulate

import (
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const (
	sprayQueues = 64
	searched    = 16
	sprayBytes  = 1024
)

var messages = []*Scenario{
	{ID: "IPCW-001", Does: "looks at a message with MSG_COPY and leaves it in its queue", Ways: both, act: peek},
	{ID: "IPCW-015", Does: "fills 64 private queues with two messages of 1024 bytes each", Ways: both, act: spray},
	{ID: "IPCW-016", Does: "fills 16 private queues and looks into each with MSG_COPY", Ways: both, act: sprayAndPeek},
}

func peek(a *actor) {
	queue := a.do(event.Msgget, private, 0o600)
	message := a.message(1, "secret", 8)
	a.do(event.Msgsnd, queue, message.address(), 6, 0)
	a.peekAt(queue, message)
}

// peekAt copies the first message of a queue.
func (a *actor) peekAt(queue uintptr, into region) {
	args := []uintptr{queue, into.address(), uintptr(len(into) - a.word), 0, msgCopy | noWait}
	switch _, errno := a.call(event.Msgrcv, args...); errno {
	case 0:
	case unix.ENOSYS:
		skip("this kernel has no MSG_COPY (CONFIG_CHECKPOINT_RESTORE)")
	default:
		fail("%s: %w", show(event.Msgrcv, args), errno)
	}
}

func spray(a *actor) { a.fill(sprayQueues, a.message(1, "", sprayBytes)) }

// fill sends a message twice to each of n private queues.
func (a *actor) fill(n int, message region) []uintptr {
	queues := make([]uintptr, n)
	for i := range queues {
		queues[i] = a.do(event.Msgget, private, 0o600)
	}
	for range 2 {
		for _, queue := range queues {
			a.do(event.Msgsnd, queue, message.address(), uintptr(len(message)-a.word), 0)
		}
	}
	return queues
}

func sprayAndPeek(a *actor) {
	message := a.message(1, "", sprayBytes)
	for _, queue := range a.fill(searched, message) {
		a.peekAt(queue, message)
	}
}
