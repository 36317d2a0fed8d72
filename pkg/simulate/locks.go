package simulate

import (
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const spins = 4000

var locks = []*Scenario{
	{"IPCW-013", "is refused a semaphore, and attaches a segment all the same", both, actWithoutLock},
	{"IPCW-014", "asks 4000 times without waiting for a semaphore that is taken", both, spin},
	{"IPCW-030", "adds to a semaphore and waits for it to be zero, in one call", both, impossible},
}

func actWithoutLock(a *actor) {
	segment := a.do(event.Shmget, private, 4096, 0o600)
	take := a.operations(operation{add: -1, flags: noWait})
	a.refused(unix.EAGAIN, event.Semop, a.newSet(), take.address(), 1)
	a.do(event.Shmat, segment, 0, 0)
}

func spin(a *actor) {
	set, take := a.newSet(), a.operations(operation{add: -1, flags: noWait})
	for range spins {
		a.refused(unix.EAGAIN, event.Semop, set, take.address(), 1)
	}
}

func impossible(a *actor) {
	reversed := a.operations(operation{add: 1}, operation{flags: noWait})
	a.refused(unix.EAGAIN, event.Semop, a.newSet(), reversed.address(), 2)
}

// newSet makes a set of one semaphore, which is taken.
func (a *actor) newSet() uintptr { return a.do(event.Semget, private, 1, 0o600) }
