package simulate

import (
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const spins = 4000

var locks = []*Scenario{
	{ID: "IPCW-013", Does: "is refused a semaphore, and attaches a segment all the same", Ways: both, act: actWithoutLock},
	{ID: "IPCW-014", Does: "asks 4000 times without waiting for a semaphore that is taken", Ways: both, act: spin},
	{ID: "IPCW-045", Does: "is refused a semaphore, and sets it free instead", Ways: both, act: breakLock},
	{ID: "IPCW-030", Does: "adds to a semaphore and waits for it to be zero, in one call", Ways: both, act: impossible},
}

func actWithoutLock(a *actor) {
	segment := a.do(event.Shmget, private, 4096, 0o600)
	take := a.operations(operation{add: -1, flags: noWait})
	a.refused(unix.EAGAIN, event.Semop, a.newSet(), take.address(), 1)
	a.do(event.Shmat, segment, 0, 0)
}

func breakLock(a *actor) {
	set, take := a.newSet(), a.operations(operation{add: -1, flags: noWait})
	a.refused(unix.EAGAIN, event.Semop, set, take.address(), 1)
	a.setValue(set, 1)
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
