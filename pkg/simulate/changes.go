package simulate

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const (
	racing  = 5 * time.Second
	hits    = 8 // calls that met an object in the moment of its removal
	signals = 300

	// hostPIDNamespace is the inode of the first one (include/linux/proc_ns.h:
	// PROC_PID_INIT_INO).
	hostPIDNamespace = 4026531836
)

var changes = []*Scenario{
	{ID: "IPCW-033", Does: "sends a message that looks like a password", Ways: both, act: sendSecret},
	{ID: "IPCW-034", Does: "gives a queue away, as user 65534, to root", Ways: both, act: giveAway},
	{ID: "IPCW-035", Does: "changes the mode of a queue from 0600 to 0666", Ways: both, act: openUp},
	{ID: "IPCW-036", Does: "asks for queues in the moment of their removal, until it has met some", Ways: both, act: meetRemoval},
	{ID: "IPCW-040", Does: "makes a segment of three megabytes in a program that is called cron", Ways: both, act: largeInCron, second: largeForAll},
	{ID: "IPCW-041", Does: "attaches a segment, and once more in a cgroup that is named like Docker's", Ways: both, act: crossContainers, second: attachAgain},
	{ID: "IPCW-047", Does: "makes a segment with a key in a program below /tmp", Ways: both, act: makeInTmp, second: makeKeyed},
	{ID: "IPCW-048", Does: "asks for the limits of queues and how many there are", Ways: both, act: takeInventory},
	{ID: "IPCW-042", Does: "changes a semaphore of root 300 times as user 65534", Ways: both, act: signalCovertly},
}

func sendSecret(a *actor) {
	text := "password: not-a-real-one"
	a.do(event.Msgsnd, a.do(event.Msgget, private, 0o600), a.message(1, text, 0).address(), uintptr(len(text)), 0)
}

// Where settings have the owner and the mode, on every ABI (struct ipc64_perm).
const (
	ownerAt = 4
	modeAt  = 20
)

// change changes one number in the settings of a queue.
func (a *actor) change(queue uintptr, at int, value uint32) {
	settings := a.settings()
	a.do(event.Msgctl, queue, stat, settings.address())
	settings.putUint32(at, value)
	a.do(event.Msgctl, queue, set, settings.address())
}

func giveAway(a *actor) {
	var namespace unix.Stat_t
	must("look at the PID namespace", unix.Stat("/proc/self/ns/pid", &namespace))
	if namespace.Ino != hostPIDNamespace {
		skip("what is done in a PID namespace of its own, as here, is left out")
	}
	a.as(nobody, func() { a.change(a.do(event.Msgget, private, 0o600), ownerAt, 0) })
}

func openUp(a *actor) { a.change(a.do(event.Msgget, private, 0o600), modeAt, 0o666) }

// meetRemoval has one thread ask for a queue again and again while another one removes
// it and makes a new one. Those calls that have found the queue, and then wait for its
// lock while it is being removed, end with EIDRM.
func meetRemoval(a *actor) {
	if runtime.NumCPU() < 2 {
		skip("two threads meet on two processors only")
	}
	var queue, asked, met atomic.Int64
	var stop atomic.Bool
	settings := a.settings()
	queue.Store(int64(a.do(event.Msgget, private, 0o600)))
	asker := a.start(func() {
		for !stop.Load() {
			if _, errno := a.call(event.Msgctl, uintptr(queue.Load()), stat, settings.address()); errno == unix.EIDRM {
				met.Add(1)
			}
			asked.Add(1)
		}
	})
	for until := time.Now().Add(racing); met.Load() < hits && time.Now().Before(until); {
		for before := asked.Load(); asked.Load() == before; {
		}
		a.do(event.Msgctl, uintptr(queue.Load()), remove, 0)
		queue.Store(int64(a.do(event.Msgget, private, 0o600)))
	}
	stop.Store(true)
	asker.wait()
	if met.Load() < hits {
		skip("only %d of %d calls met a removal in %s", met.Load(), hits, racing)
	}
}

func largeInCron(a *actor) { a.runAs("/tmp/cron") }

func largeForAll(a *actor) {
	a.do(event.Shmget, private, 3<<20, 0o644)
	time.Sleep(lingering)
}

func makeInTmp(a *actor) { a.runAs("/tmp/program") }

func makeKeyed(a *actor) {
	a.do(event.Shmget, key, 4096, create|0o600)
	time.Sleep(lingering)
}

func takeInventory(a *actor) { a.do(event.Msgctl, 0, ipcInfo, a.settings().address()) }

func signalCovertly(a *actor) {
	semaphores := a.do(event.Semget, private, 1, 0o666)
	add := a.operations(operation{add: 1})
	a.as(nobody, func() {
		for range signals {
			a.operate(semaphores, add)
		}
	})
}

// limitQueues sets the number of queues that the namespace may have.
func limitQueues(n int) {
	if err := os.WriteFile("/proc/sys/kernel/msgmni", fmt.Append(nil, n), 0); err != nil {
		skip("the limits of its own namespace cannot be set: %v", err)
	}
}
