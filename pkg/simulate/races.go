package simulate

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// stall is how long the kernel is held up: IPCW-010 speaks of 100 ms and more.
const stall = 200 * time.Millisecond

var races = []*Scenario{
	{ID: "IPCW-007", Does: "changes semaphore operations while a thread sleeps in the call with them", Ways: both, act: changeInput},
	{ID: "IPCW-008", Does: "exchanges semaphore operations after the call has begun, before the kernel reads them", Ways: both, act: exchangeInput},
	{ID: "IPCW-009", Does: "sends a message from the buffer into which another thread is receiving", Ways: both, act: shareBuffer},
	{ID: "IPCW-010", Does: "holds up the kernel for 200 ms while it copies a message", Ways: both, act: stallCopy},
	{ID: "IPCW-011", Does: "gives the kernel semaphore operations that lie in a shared segment", Ways: both, act: pointIntoSegment},
	{ID: "IPCW-012", Does: "sends a message from memory whose page faults it serves by userfaultfd", Ways: both, act: pointIntoServed},
}

func changeInput(a *actor) {
	set, take := a.newSet(), a.operations(operation{add: -1})
	sleeper := a.start(func() { a.operate(set, take) })
	a.awaitSleep(sleeper, event.Semop)
	take.putOperation(0, operation{add: -2})
	a.setValue(set, 1)
	sleeper.wait()
}

// exchangeInput has the kernel wait for the timeout, which it reads first, and puts
// another operation there meanwhile: one on a semaphore that the set does not have,
// which the kernel refuses.
func exchangeInput(a *actor) {
	set, add := a.newSet(), a.operations(operation{add: 1})
	timeout, content := a.pages(1), a.pages(1)
	a.putTimeout(content, patience)
	faults := serve(timeout)
	server := a.start(func() {
		address := faults.awaitFault()
		add.putOperation(0, operation{number: 99, add: 1})
		faults.put(address, content)
	})
	a.refused(unix.EFBIG, event.Semtimedop, set, add.address(), 1, timeout.address())
	server.wait()
}

func shareBuffer(a *actor) {
	in, out := a.do(event.Msgget, private, 0o600), a.do(event.Msgget, private, 0o600)
	buffer, other := a.message(1, "sent", 8), a.message(1, "received", 8)
	receiver := a.start(func() { a.do(event.Msgrcv, in, buffer.address(), 8, 0, 0) })
	a.awaitSleep(receiver, event.Msgrcv)
	a.do(event.Msgsnd, out, buffer.address(), 8, 0)
	a.do(event.Msgsnd, in, other.address(), 8, 0)
	receiver.wait()
}

func stallCopy(a *actor) {
	queue, pages, content := a.do(event.Msgget, private, 0o600), a.pages(2), a.pages(1)
	content[0] = 'l'
	size := unix.Getpagesize()
	message := pages[size-a.word-8 : size+8] // eight bytes in each page
	a.putMessage(message, 1, "in time")
	faults := serve(pages[size:])
	server := a.start(func() {
		address := faults.awaitFault()
		time.Sleep(stall)
		faults.put(address, content)
	})
	a.do(event.Msgsnd, queue, message.address(), 16, noWait)
	server.wait()
}

func pointIntoSegment(a *actor) {
	set := a.newSet()
	segment := a.do(event.Shmget, private, 4096, 0o600)
	shared := at(a.do(event.Shmat, segment, 0, 0), 4096)
	shared.putOperation(0, operation{add: 1})
	a.operate(set, shared[:event.SembufSize])
}

// pointIntoServed has all pages there: that the faults could be served is what counts.
func pointIntoServed(a *actor) {
	queue, page := a.do(event.Msgget, private, 0o600), a.pages(1)
	message := page[:a.word+8]
	a.putMessage(message, 1, "served")
	serve(page)
	a.do(event.Msgsnd, queue, message.address(), 8, noWait)
}
