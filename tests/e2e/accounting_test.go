package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// counted is what the count program says.
type counted struct {
	PID   uint32
	Calls uint64
}

// TestExactAccounting compares the number of calls that a program made with what
// ipcwarden says became of them. None may be missing without a cause.
func TestExactAccounting(t *testing.T) {
	requireBPF(t)
	for _, load := range []struct{ threads, rounds int }{{1, 1000}, {4, 20_000}, {32, 20_000}} {
		if testing.Short() { // on an emulated machine
			load.rounds = min(load.rounds, 4000/load.threads)
		}
		t.Run(fmt.Sprintf("%d threads", load.threads), func(t *testing.T) {
			path := count.build(t)
			null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			w := launch(t, null, "trace", "--output", "json", "--comm", "count")
			if _, ok := w.stderr.await(limit, isMessage("watching")); !ok {
				t.Fatalf("not watching\nstderr: %s", w.stderr.text())
			}
			p := runProgram(t, path, fmt.Sprint(load.threads), fmt.Sprint(load.rounds))
			s := w.stop()
			calls := decode[counted](t, p.stdout).Calls
			t.Logf("%d calls: %+v", calls, s)
			if s.Events+s.dropped() != calls {
				t.Errorf("%d printed + %d dropped = %d, but the program made %d calls: %+v",
					s.Events, s.dropped(), s.Events+s.dropped(), calls, s)
			}
			if s.Emitted != s.Events {
				t.Errorf("emitted %d, but printed %d", s.Emitted, s.Events)
			}
			if load.threads == 1 && s.dropped() != 0 {
				t.Errorf("a light load was dropped: %v", s.Dropped)
			}
		})
	}
}

// TestSlowReader does not read ipcwarden's output until the program has ended.
func TestSlowReader(t *testing.T) {
	emulated(t)
	requireBPF(t)
	path := count.build(t)
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w := launch(t, out, "trace", "--output", "json", "--comm", "count")
	if _, ok := w.stderr.await(limit, isMessage("watching")); !ok {
		t.Fatalf("not watching\nstderr: %s", w.stderr.text())
	}
	p := runProgram(t, path, "4", "50000")
	printed := collect(r)
	s := w.stop()
	calls, events := decode[counted](t, p.stdout).Calls, uint64(len(printed.rest(t)))
	t.Logf("%d calls: %+v", calls, s)
	if s.dropped() == 0 {
		t.Error("nothing was dropped: the load was too light to test anything")
	}
	if events != s.Events {
		t.Errorf("%d lines were printed, but the summary says %d", events, s.Events)
	}
	if events+s.dropped() != calls {
		t.Errorf("%d printed + %d dropped = %d, but the program made %d calls: %+v",
			events, s.dropped(), events+s.dropped(), calls, s)
	}
}

// untrustworthyMetrics is how stress-ng ends when it killed a worker while that counted
// its rounds, see stress-ng(1); the calls were made.
const untrustworthyMetrics = 7

// TestStress keeps the books under stress-ng; stop compares their two sides.
func TestStress(t *testing.T) {
	requireBPF(t)
	stress, err := exec.LookPath("stress-ng")
	if err != nil {
		t.Skipf("needs stress-ng: %v", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := launch(t, null, "trace", "--output", "json")
	if _, ok := w.stderr.await(limit, isMessage("watching")); !ok {
		t.Fatalf("not watching\nstderr: %s", w.stderr.text())
	}
	cmd := exec.CommandContext(t.Context(), stress, strings.Fields("--msg 1 --sem-sysv 1 --shm-sysv 1 -t 3 --quiet")...)
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != untrustworthyMetrics {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	s := w.stop()
	if s.Entered < 1000 {
		t.Errorf("stress-ng made only %d calls: %+v", s.Entered, s)
	}
	if s.Emitted != s.Events {
		t.Errorf("emitted %d, but printed %d", s.Emitted, s.Events)
	}
	if lost := bytes.Count([]byte(w.stderr.text()), []byte(`"calls were lost"`)); s.dropped() > 0 && lost == 0 {
		t.Errorf("%d calls were dropped, but no gap was logged\nstderr: %s", s.dropped(), w.stderr.text())
	}
}
