package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const (
	// processors is more than the threads of any act that the scheduler does not know
	// to sleep.
	processors = 8

	// patience is how long an act waits for another thread of it.
	patience = 10 * time.Second
)

// Act does what a scenario does, by one way, in this process: Stage.Perform runs it,
// in a process and an IPC namespace that are for this alone. It waits until there is
// something to read at start, and writes to out how it ended.
func Act(id string, way Way, part Part, start io.Reader, out io.Writer) error {
	s := Find(id)
	if s == nil {
		return fmt.Errorf("no scenario is called %s", id)
	}
	if _, err := start.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("not started: %w", err)
	}
	var play func(*actor)
	switch part {
	case First:
		play = s.act
	case Second:
		play = s.second
	case Janitor:
		return clean(start)
	}
	if play == nil {
		return fmt.Errorf("%s has no part %q", id, part)
	}
	// Signals would wake who sleeps, and a collection would wait for threads that
	// sleep in a call which the scheduler does not know of. The stage switches off
	// preemption by signals.
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(processors)
	runtime.LockOSThread()
	ended := ending{Outcome: Done}
	var skip *skipped
	switch err := act(play, way); {
	case errors.As(err, &skip):
		ended = ending{Skipped, skip.why}
	case err != nil:
		ended = ending{Failed, err.Error()}
	}
	return json.NewEncoder(out).Encode(ended)
}

// ending is what a process says of its act.
type ending struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
}

func act(play func(*actor), way Way) error {
	if way == Multiplexed {
		if err := serves32(); err != nil {
			return &skipped{err.Error()}
		}
	}
	memory, err := newArena(way)
	if err != nil {
		return err
	}
	a := &actor{kernel: kernel{way: way, memory: memory}, arena: memory}
	return caught(func() { play(a) })
}

// actor is who acts. Its methods end the act if what they do fails, by a panic that
// caught turns into an error.
type actor struct {
	kernel
	*arena
}

// failure is the panic value of an act that cannot go on, and skipped that of one that
// cannot be done on this machine.
type failure struct{ err error }

type skipped struct{ why string }

func (s *skipped) Error() string { return s.why }

// caught runs part of an act, and returns why it ended if it did not come to its end.
func caught(body func()) (err error) {
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case failure:
			err = reason.err
		default:
			panic(reason)
		}
	}()
	body()
	return nil
}

func fail(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// skip ends the act since this machine lacks something.
func skip(format string, args ...any) {
	panic(failure{&skipped{fmt.Sprintf(format, args...)}})
}

// must ends the act if err is one.
func must(what string, err error) {
	if err != nil {
		fail("%s: %w", what, err)
	}
}

// do makes a call that has to succeed.
func (a *actor) do(id event.ID, args ...uintptr) uintptr {
	result, errno := a.call(id, args...)
	if errno != 0 {
		fail("%s: %w", show(id, args), errno)
	}
	return result
}

// refused makes a call that has to fail with one error.
func (a *actor) refused(want unix.Errno, id event.ID, args ...uintptr) {
	if _, errno := a.call(id, args...); errno != want {
		fail("%s ended with %v, not with %v", show(id, args), errno, want)
	}
}

// operate performs operations on a set of semaphores.
func (a *actor) operate(set uintptr, sops region) uintptr {
	return a.do(event.Semop, set, sops.address(), uintptr(len(sops)/event.SembufSize))
}

// setValue sets the first semaphore of a set, and lets those go on who wait for it.
func (a *actor) setValue(set uintptr, value int) { a.do(event.Semctl, set, 0, setval, uintptr(value)) }

// thread is one that acts beside the main one.
type thread struct {
	ended chan error
	id    int
}

// start runs body in a thread of its own.
func (a *actor) start(body func()) *thread {
	t := &thread{ended: make(chan error, 1)}
	id := make(chan int)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		id <- unix.Gettid()
		t.ended <- caught(body)
	}()
	t.id = <-id
	return t
}

// wait waits until the thread has ended.
func (t *thread) wait() {
	select {
	case err := <-t.ended:
		if err != nil {
			panic(failure{err})
		}
	case <-time.After(patience):
		fail("a thread has not ended after %s", patience)
	}
}

// awaitSleep waits until the thread sleeps in a call.
func (a *actor) awaitSleep(t *thread, id event.ID) {
	file, want := fmt.Sprintf("/proc/self/task/%d/syscall", t.id), strconv.Itoa(int(a.sleepsAs(id)))
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(file)
		must("look at a thread", err)
		if now, _, _ := strings.Cut(string(text), " "); now == want {
			return
		}
	}
	fail("a thread has not come to sleep in %s after %s", id, patience)
}

// nobody is the user and the group that another user is.
const nobody = 65534

// as runs body as another user, in a thread of its own: the kernel knows users of
// threads, it is the C library that makes them those of a process. A user namespace may
// have no other one.
func (a *actor) as(uid int, body func()) {
	a.start(func() {
		id := uintptr(uid)
		for _, call := range []uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} {
			if _, _, errno := unix.RawSyscall(call, id, id, id); errno != 0 {
				skip("user and group %d cannot be had here: %v", uid, errno)
			}
		}
		body()
	}).wait()
}

// needsIPCOwner skips the act where root may not use what is for another user alone.
func needsIPCOwner() {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	must("ask for capabilities", unix.Capget(&header, &sets[0]))
	if sets[0].Effective&(1<<unix.CAP_IPC_OWNER) == 0 {
		skip("CAP_IPC_OWNER is missing")
	}
}
