package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resources is what a process takes of the machine.
type resources struct {
	descriptors, threads, goroutines int
	residentKiB, peakKiB             int
}

func (r resources) String() string {
	return fmt.Sprintf("%d descriptors, %d threads, %d goroutines, %d MiB resident, %d MiB at its peak",
		r.descriptors, r.threads, r.goroutines, r.residentKiB>>10, r.peakKiB>>10)
}

// takes reads what ipcwarden, which answers at an address, takes at the moment.
func (w *warden) takes(at string) (r resources) {
	w.t.Helper()
	var err error
	if r.goroutines, err = strconv.Atoi(metric(w.t, at, "go_goroutines")); err != nil {
		w.t.Fatal(err)
	}
	// The connection of that stays for a while, and counts each time.
	proc := filepath.Join("/proc", strconv.Itoa(w.cmd.Process.Pid))
	descriptors, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		w.t.Fatalf("%v\nstderr: %s", err, w.stderr.text())
	}
	r.descriptors = len(descriptors)
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		for name, value := range map[string]*int{"Threads:": &r.threads, "VmRSS:": &r.residentKiB, "VmHWM:": &r.peakKiB} {
			if rest, found := strings.CutPrefix(line, name); found {
				if _, err := fmt.Sscan(rest, value); err != nil {
					w.t.Fatalf("%s: %v", line, err)
				}
			}
		}
	}
	return r
}

// TestSoak makes as many calls as the machine can, from ever new processes, and wants
// each accounted for, and that ipcwarden takes no more of the machine at the end than
// after a while. $IPCWARDEN_SOAK is how long, 10s without; make soak takes ten minutes.
func TestSoak(t *testing.T) {
	emulated(t)
	requireBPF(t)
	lasts := 10 * time.Second
	if text := os.Getenv("IPCWARDEN_SOAK"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatalf("IPCWARDEN_SOAK: %v", err)
		}
	}
	path := count.build(t)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	// Without push-down, so that every call is judged in user space.
	w := launch(t, null, "run", "--output", "json", "--no-pushdown", "--metrics", "127.0.0.1:0")
	at := w.listens()
	if _, ok := w.stderr.await(limit, isMessage("watching")); !ok {
		t.Fatalf("not watching\nstderr: %s", w.stderr.text())
	}

	const memory = 32 << 10 // KiB by which the collector lets the heap vary
	var calls uint64
	var settled resources
	begin := time.Now()
	for next := lasts / 10; time.Since(begin) < lasts; {
		calls += decode[counted](t, runProgram(t, path, "2", "20000").stdout).Calls
		if passed := time.Since(begin); passed > next {
			now := w.takes(at)
			t.Logf("%s: %d calls, %.0f a second: %s", passed.Round(time.Second), calls, float64(calls)/passed.Seconds(), now)
			if next += lasts / 10; passed < lasts/2 {
				settled = now
			}
		}
	}
	end := w.takes(at)
	if end.descriptors > settled.descriptors {
		t.Errorf("ipcwarden had %d descriptors before half of the time was over, and %d at the end", settled.descriptors, end.descriptors)
	}
	if end.goroutines > settled.goroutines+2 {
		t.Errorf("ipcwarden had %d goroutines before half of the time was over, and %d at the end", settled.goroutines, end.goroutines)
	}
	if end.threads > settled.threads+4 {
		t.Errorf("ipcwarden had %d threads before half of the time was over, and %d at the end", settled.threads, end.threads)
	}
	if end.residentKiB > settled.residentKiB*5/4+memory {
		t.Errorf("ipcwarden had %d KiB before half of the time was over, and %d at the end", settled.residentKiB, end.residentKiB)
	}
	// Others may have made calls too; that what was entered adds up, stop looks at.
	if s := w.stop(); s.Entered < calls {
		t.Errorf("the programs made %d calls, of which %d were entered: %+v", calls, s.Entered, s)
	} else {
		t.Logf("%d calls made: %+v", calls, s)
	}
}
