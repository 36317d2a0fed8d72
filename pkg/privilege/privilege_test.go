package privilege

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// inside names the variable that tells the test that it is the process that is to give
// up its capabilities: the others need theirs.
const inside = "IPCWARDEN_TEST_PRIVILEGE"

// TestKeep looks at every thread of a process, which start others all the time.
func TestKeep(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, which has something to give up")
	}
	if os.Getenv(inside) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^TestKeep$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestKeep") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	before, err := read("self")
	if err != nil {
		t.Fatal(err)
	}
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP) // has a thread of its own
	var threads sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		threads.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var one sync.WaitGroup
				one.Go(func() { runtime.LockOSThread() }) // ends its thread
				one.Wait()
			}
		})
	}
	kept, err := Keep(unix.CAP_BPF)
	close(stop)
	threads.Wait()
	if err != nil {
		t.Fatal(err)
	}
	want := before.permitted & (1 << unix.CAP_BPF)
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		got, err := read("self/task/" + entry.Name())
		if err == nil && got != (thread{want, true}) {
			t.Errorf("thread %s has %+v, want %#x", entry.Name(), got, want)
		}
	}
	if len(kept) == 0 || len(list) < 2 {
		t.Errorf("kept %v in %d threads", kept, len(list))
	}
	// A program that root executes does not get them back.
	out, err := exec.Command("cat", "/proc/self/status").Output()
	if expected := fmt.Sprintf("CapEff:\t%016x\n", want); err != nil || !strings.Contains(string(out), expected) {
		t.Errorf("error %v, no %q in\n%s", err, expected, out)
	}
}
