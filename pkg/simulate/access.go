package simulate

import "github.com/ipcwarden/ipcwarden/pkg/event"

const (
	swept      = 3  // objects of another user that are removed
	enumerated = 16 // places that are asked for
)

var access = []*Scenario{
	{ID: "IPCW-002", Does: "creates a queue of mode 0666", Ways: both, act: worldWritable},
	{ID: "IPCW-005", Does: "opens a segment of root as user 65534", Ways: both, act: foreignObject},
	{ID: "IPCW-006", Does: "removes a queue of user 65534 as root", Ways: both, act: func(a *actor) { a.sweep(1) }},
	{ID: "IPCW-020", Does: "asks as root for a queue to be created, under a key where user 65534 has one", Ways: both, act: squatted},
	{ID: "IPCW-021", Does: "removes a queue of user 65534, and has one of root under its key", Ways: both, act: handOver},
	{ID: "IPCW-024", Does: "sets a semaphore of user 65534 as root", Ways: both, act: foreignSemaphores},
	{ID: "IPCW-025", Does: "sends a message to a queue of user 65534 that is for nobody else", Ways: both, act: useCapability},
	{ID: "IPCW-050", Does: "receives as user 65534 from a queue of root that everybody can read", Ways: both, act: stealMessage},
	{ID: "IPCW-017", Does: "asks for 16 queues by their place in the kernel's table", Ways: both, act: enumerate},
	{ID: "IPCW-018", Does: "removes three queues of user 65534 as root", Ways: both, act: func(a *actor) { a.sweep(swept) }},
}

func worldWritable(a *actor) { a.do(event.Msgget, key, create|exclusive|0o666) }

func foreignObject(a *actor) {
	a.do(event.Shmget, key, 4096, create|exclusive|0o644)
	a.as(nobody, func() { a.do(event.Shmget, key, 0, 0o400) })
}

// sweep removes queues that another user has made.
func (a *actor) sweep(n int) {
	queues := make([]uintptr, n)
	a.as(nobody, func() {
		for i := range queues {
			queues[i] = a.do(event.Msgget, private, 0o600)
		}
	})
	for _, queue := range queues {
		a.do(event.Msgctl, queue, remove, 0)
	}
}

func enumerate(a *actor) {
	a.do(event.Msgget, private, 0o600)
	settings := a.settings()
	for i := range uintptr(enumerated) {
		a.call(event.Msgctl, i, msgStat, settings.address()) // most places are empty
	}
}

func squatted(a *actor) {
	needsIPCOwner()
	a.as(nobody, func() { a.do(event.Msgget, key, create|exclusive|0o600) })
	a.do(event.Msgget, key, create|0o600)
}

func handOver(a *actor) {
	a.as(nobody, func() { a.do(event.Msgctl, a.do(event.Msgget, key, create|exclusive|0o600), remove, 0) })
	a.do(event.Msgget, key, create|exclusive|0o600)
}

func foreignSemaphores(a *actor) {
	needsIPCOwner()
	var set uintptr
	a.as(nobody, func() { set = a.newSet() })
	a.setValue(set, 1)
}

func useCapability(a *actor) {
	needsIPCOwner()
	var queue uintptr
	a.as(nobody, func() { queue = a.do(event.Msgget, private, 0o600) })
	message := a.message(1, "root", 8)
	a.do(event.Msgsnd, queue, message.address(), 4, 0)
}

func stealMessage(a *actor) {
	queue := a.do(event.Msgget, private, 0o644)
	message := a.message(1, "root", 8)
	a.do(event.Msgsnd, queue, message.address(), 4, 0)
	a.as(nobody, func() { a.do(event.Msgrcv, queue, message.address(), 8, 0, noWait) })
}
