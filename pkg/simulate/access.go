package simulate

import "github.com/ipcwarden/ipcwarden/pkg/event"

const (
	swept      = 3  // objects of another user that are removed
	enumerated = 16 // places that are asked for
)

var access = []*Scenario{
	{"IPCW-002", "creates a queue of mode 0666", both, worldWritable},
	{"IPCW-005", "opens a segment of root as user 65534", both, foreignObject},
	{"IPCW-006", "removes a queue of user 65534 as root", both, func(a *actor) { a.sweep(1) }},
	{"IPCW-017", "asks for 16 queues by their place in the kernel's table", both, enumerate},
	{"IPCW-018", "removes three queues of user 65534 as root", both, func(a *actor) { a.sweep(swept) }},
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
