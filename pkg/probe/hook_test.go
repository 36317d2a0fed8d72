package probe

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// hookToTest is what the kernel matrix asks for.
func hookToTest() Hook { return Hook(os.Getenv("IPCWARDEN_E2E_HOOK")) }

// requireHook skips where a hook does not attach, unless it is asked for.
func requireHook(t *testing.T, hook Hook) {
	t.Helper()
	if err := missing(); err != nil {
		t.Skip("the probe cannot run here:", err)
	}
	if err := (&Probe{log: zap.NewNop()}).works(hook); err != nil && hookToTest() != hook {
		t.Skipf("hook %s does not attach here: %v", hook, err)
	}
}

// withQueue makes a queue and removes it.
func withQueue(t *testing.T) {
	t.Helper()
	id, _, errno := unix.Syscall(unix.SYS_MSGGET, event.IPCPrivate, 0o600|event.IPCCreat, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	if _, _, errno := unix.Syscall(unix.SYS_MSGCTL, id, event.IPCRmid, 0); errno != 0 {
		t.Fatal(errno)
	}
}

// TestPartialAttach has one entry function that cannot be attached to: its call is
// watched by tracepoints, all others by the hook, and none twice.
func TestPartialAttach(t *testing.T) {
	const function = "__x64_sys_msgget"
	if runtime.GOARCH != "amd64" {
		t.Skip("needs", function)
	}
	for _, hook := range []Hook{Fentry, Kprobe} {
		t.Run(string(hook), func(t *testing.T) {
			if h := hookToTest(); h != "" && h != hook {
				t.Skip("another hook is tested")
			}
			requireHook(t, hook)
			opts := Options{Filter: Filter{Events: event.All, PIDs: []uint32{uint32(os.Getpid())}},
				Hook: hook, Log: zap.NewNop(), unattachable: []string{function}}
			p, err := Open(opts)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			a := p.Attachment()
			if a.Hook != hook || len(a.FellBack) != 1 || !strings.Contains(a.FellBack[0], "amd64 msgget: "+function) {
				t.Errorf("attachment %+v", a)
			}
			withQueue(t)
			var got []string
			drain(t, p, func(e *event.Event) { got = append(got, e.ID.String()) })
			if strings.Join(got, " ") != "msgget msgctl" {
				t.Errorf("events %v, want msgget and msgctl", got)
			}
			opts.Hook = Auto
			whole, err := Open(opts)
			if err != nil {
				t.Fatal(err)
			}
			defer whole.Close()
			if a := whole.Attachment(); a.Hook != Tracepoint || !strings.Contains(a.Why(), "incomplete") {
				t.Errorf("auto took %s although it is incomplete: %s", a.Hook, a.Why())
			}
		})
	}
}

// TestReturnMissed has two threads wait in a call, where a kretprobe can follow
// one: the other's return is missed, and counted when that thread calls again.
func TestReturnMissed(t *testing.T) {
	if h := hookToTest(); h != "" && h != Kprobe {
		t.Skip("another hook is tested")
	}
	requireHook(t, Kprobe)
	p, err := Open(Options{Filter: Filter{Events: event.Of(event.Msgrcv), PIDs: []uint32{uint32(os.Getpid())}},
		Hook: Kprobe, MaxActive: 1, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	id, _, errno := unix.Syscall(unix.SYS_MSGGET, event.IPCPrivate, 0o600|event.IPCCreat, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	const threads = 2
	done, again := make(chan unix.Errno), make(chan bool)
	for range threads {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			done <- receive(id)
			<-again
			done <- receive(^uintptr(0))
		}()
	}
	awaitEntered(t, p, threads)
	if _, _, errno := unix.Syscall(unix.SYS_MSGCTL, id, event.IPCRmid, 0); errno != 0 {
		t.Fatal(errno)
	}
	for range threads {
		if errno := <-done; errno != unix.EIDRM {
			t.Errorf("msgrcv: %v", errno)
		}
	}
	for range threads { // one after the other
		again <- true
		if errno := <-done; errno != unix.EINVAL {
			t.Errorf("msgrcv without a queue: %v", errno)
		}
	}
	if events := drain(t, p, func(*event.Event) {}); events != 2*threads-1 {
		t.Errorf("%d events, want %d", events, 2*threads-1)
	}
	c, err := p.Counts()
	if err != nil {
		t.Fatal(err)
	}
	if c.Emitted != 2*threads-1 || c.Lost[ReturnMissed] != 1 || c.InFlight != 0 || c.Entered != c.Filtered+2*threads {
		t.Errorf("counts %+v", c)
	}
}

func receive(id uintptr) unix.Errno {
	buf := make([]byte, 16)
	_, _, errno := unix.Syscall6(unix.SYS_MSGRCV, id, uintptr(unsafe.Pointer(&buf[0])), 8, 0, 0, 0)
	return errno
}

func awaitEntered(t *testing.T, p *Probe, calls uint64) {
	t.Helper()
	var c Counts
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var err error
		if c, err = p.Counts(); err != nil {
			t.Fatal(err)
		}
		if c.InFlight >= calls {
			return
		}
	}
	t.Fatalf("waited in vain: %+v", c)
}
