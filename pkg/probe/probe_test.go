package probe

import (
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// openOrSkip attaches a probe that sees this process only. It skips where a
// requirement is not met, and fails where all are and the probe does not attach.
func openOrSkip(t testing.TB, filter Filter) *Probe {
	t.Helper()
	return openWith(t, Options{Filter: filter, SnapshotBytes: 64, DigestBytes: MaxDigestBytes})
}

// openWith does so with other options than those of most tests.
func openWith(t testing.TB, opts Options) *Probe {
	t.Helper()
	opts.Filter.PIDs = []uint32{uint32(os.Getpid())}
	return openFor(t, opts)
}

// openFor is openWith for other processes too.
func openFor(t testing.TB, opts Options) *Probe {
	t.Helper()
	if err := missing(); err != nil {
		t.Skip("the probe cannot run here:", err)
	}
	opts.Hook, opts.Log = hookToTest(), zap.NewNop()
	p, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// drain detaches p and returns how many events it had left.
func drain(t testing.TB, p *Probe, each func(*event.Event)) (events uint64) {
	t.Helper()
	if err := p.Detach(); err != nil {
		t.Fatal(err)
	}
	var e event.Event
	for {
		switch err := p.Next(&e); {
		case err == nil:
			events++
			each(&e)
		case errors.Is(err, io.EOF):
			return events
		case !errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatal(err)
		}
	}
}

func TestCaptureOfThisProcess(t *testing.T) {
	p := openOrSkip(t, Filter{Events: event.All})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	id, _, errno := unix.Syscall(unix.SYS_MSGGET, event.IPCPrivate, 0o600|event.IPCCreat, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	if _, _, errno := unix.Syscall(unix.SYS_MSGCTL, id, event.IPCRmid, 0); errno != 0 {
		t.Fatal(errno)
	}
	var got []event.Event
	events := drain(t, p, func(e *event.Event) { got = append(got, *e) })
	if events != 2 {
		t.Fatalf("%d events, want 2", events)
	}
	get, remove := &got[0], &got[1]
	if get.ID != event.Msgget || get.Return != int64(id) || !get.Object.Created || get.Object.ID != int32(id) || get.Object.Mode != 0o600 {
		t.Errorf("msgget event %+v", get)
	}
	if remove.ID != event.Msgctl || remove.Command() != "IPC_RMID" || remove.Object.ID != int32(id) || remove.Object.Created {
		t.Errorf("msgctl event %+v", remove)
	}
	who := &remove.Process
	if who.HostTID != uint32(unix.Gettid()) || who.HostPID != uint32(os.Getpid()) || who.HostParentPID != uint32(os.Getppid()) ||
		who.EUID != uint32(os.Geteuid()) || who.IPCNamespace == 0 || who.ThreadStartNS < who.ProcessStartNS {
		t.Errorf("process %+v", who)
	}
	counts, err := p.Counts()
	if err != nil {
		t.Fatal(err)
	}
	if counts.Emitted != 2 || counts.Entered != counts.Emitted+counts.Filtered+counts.InFlight {
		t.Errorf("counts %+v do not add up", counts)
	}
}

// TestCreatedTellsNewFromOld opens every one of many keys twice without IPC_EXCL:
// the kernel's table of keys grows meanwhile, and its chains have several objects.
func TestCreatedTellsNewFromOld(t *testing.T) {
	const keys = 4000
	p := openOrSkip(t, Filter{Events: event.Of(event.Semget)})
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with its namespace
		done <- openTwice(keys)
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	seen := map[int32]int{}
	drain(t, p, func(e *event.Event) {
		key := e.Object.Key
		if created := seen[key] == 0; e.Object.Created != created || e.Object.ID != int32(e.Return) {
			t.Errorf("opening %d of key %d: created %t, object %d, returned %d", seen[key]+1, key, e.Object.Created, e.Object.ID, e.Return)
		}
		seen[key]++
	})
	if len(seen) != keys {
		t.Errorf("%d keys, want %d", len(seen), keys)
	}
}

func openTwice(keys int) error {
	if err := unix.Unshare(unix.CLONE_NEWIPC); err != nil {
		return err
	}
	for key := 1; key <= keys; key++ {
		for range 2 {
			if _, _, errno := unix.Syscall(unix.SYS_SEMGET, uintptr(key), 1, 0o600|event.IPCCreat); errno != 0 {
				return errno
			}
		}
	}
	return nil
}

func TestFilterByEvent(t *testing.T) {
	p := openOrSkip(t, Filter{Events: event.Of(event.Semctl)})
	unix.Syscall(unix.SYS_MSGCTL, ^uintptr(0), event.IPCRmid, 0)
	unix.Syscall6(unix.SYS_SEMCTL, ^uintptr(0), 0, event.IPCRmid, 0, 0, 0)
	drain(t, p, func(e *event.Event) {
		if e.ID != event.Semctl {
			t.Errorf("event %s got through", e.ID)
		}
	})
	if counts, err := p.Counts(); err != nil || counts.Emitted != 1 || counts.Filtered == 0 {
		t.Errorf("counts %+v, %v", counts, err)
	}
}

// TestSetEvents changes the filter while the programs are attached.
func TestSetEvents(t *testing.T) {
	p := openOrSkip(t, Filter{Events: event.Of(event.Semctl)})
	call := func() { unix.Syscall(unix.SYS_SHMDT, 0, 0, 0) }
	call()
	if err := p.SetEvents(event.Of(event.Shmdt)); err != nil {
		t.Fatal(err)
	}
	call()
	unix.Syscall6(unix.SYS_SEMCTL, ^uintptr(0), 0, event.IPCRmid, 0, 0, 0)
	if n := drain(t, p, func(e *event.Event) {
		if e.ID != event.Shmdt {
			t.Errorf("event %s got through", e.ID)
		}
	}); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

func TestOpenRefusesSnapshot(t *testing.T) {
	for _, bytes := range []int{-1, MaxSnapshotBytes + 1} {
		if _, err := Open(Options{SnapshotBytes: bytes, Log: zap.NewNop()}); err == nil {
			t.Errorf("a snapshot of %d bytes was accepted", bytes)
		}
	}
}
