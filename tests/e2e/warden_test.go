package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// warden is a running ipcwarden whose probe is attached.
type warden struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *lines
	stderr *lines
	looked int    // lines of stdout that alertsUntil has passed
	missed uint64 // calls of which these say that no program was run for them
	exited chan struct{}
	err    error // of Wait, once exited is closed
}

// summary is the log line with which ipcwarden says what became of every call.
type summary struct {
	Events     uint64
	Entered    uint64
	Filtered   uint64
	Unmatched  uint64
	Aggregated uint64
	Repeated   uint64
	Emitted    uint64
	Dropped    map[string]uint64
	Inflight   uint64
}

func (s summary) dropped() (n uint64) {
	for _, lost := range s.Dropped {
		n += lost
	}
	return n
}

// everyEvent names all thirteen events.
const everyEvent = "ipc,msgget,msgsnd,msgrcv,msgctl,semget,semop,semtimedop,semctl,shmget,shmat,shmdt,shmctl"

// snapshotBytes is how much of a message's text the tests ask for.
const snapshotBytes = 256

// trace starts `ipcwarden trace --output json`.
func trace(t *testing.T, args ...string) *warden {
	t.Helper()
	return start(t, append([]string{"trace", "--output", "json"}, args...)...)
}

// start starts ipcwarden and waits until it watches.
func start(t *testing.T, args ...string) *warden {
	t.Helper()
	w := launch(t, nil, args...)
	if _, ok := w.stderr.await(limit, isMessage("watching")); !ok {
		t.Fatalf("ipcwarden %s: not watching after %s\nstderr: %s", strings.Join(args, " "), limit, w.stderr.text())
	}
	return w
}

// launch starts ipcwarden with the hook to test. A nil stdout collects the output.
func launch(t *testing.T, stdout *os.File, args ...string) *warden {
	t.Helper()
	if slices.Contains([]string{"trace", "run", "record"}, args[0]) {
		args = slices.Insert(args, 1, "--hook", hook())
	}
	w := &warden{t: t, cmd: exec.Command(binary(t), args...), exited: make(chan struct{})}
	w.cmd.Stdout = stdout
	if stdout == nil {
		w.stdout = collect(pipe(t, &w.cmd.Stdout))
	}
	w.stderr = collect(pipe(t, &w.cmd.Stderr))
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	closeChildEnds(w.cmd)
	go func() {
		w.err = w.cmd.Wait()
		close(w.exited)
	}()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill() // nothing to do if it has exited
		<-w.exited
	})
	return w
}

func isMessage(msg string) func([]byte) bool {
	return func(line []byte) bool {
		var entry struct{ Msg string }
		return json.Unmarshal(line, &entry) == nil && entry.Msg == msg
	}
}

// stop asks ipcwarden to drain and end, and returns its summary.
func (w *warden) stop() summary {
	w.t.Helper()
	return w.stopBy(syscall.SIGTERM)
}

func (w *warden) stopBy(sig syscall.Signal) summary {
	w.t.Helper()
	if err := w.cmd.Process.Signal(sig); err != nil {
		w.t.Fatalf("signal ipcwarden: %v\nstderr: %s", err, w.stderr.text())
	}
	return w.wait()
}

// wait waits for ipcwarden to end with success, and returns its summary.
func (w *warden) wait() summary {
	w.t.Helper()
	if code := w.exitCode(); code != 0 {
		w.t.Fatalf("ipcwarden exited with %d, want 0\nstderr: %s", code, w.stderr.text())
	}
	line, ok := w.stderr.await(limit, isMessage("stopped"))
	if !ok {
		w.t.Fatalf("no log line \"stopped\"\nstderr: %s", w.stderr.text())
	}
	var s summary
	if err := json.Unmarshal(line, &s); err != nil {
		w.t.Fatalf("log line \"stopped\": %v in %s", err, line)
	}
	if out := s.Emitted + s.Filtered + s.Unmatched + s.Aggregated + s.dropped() + s.Inflight; s.Entered != out {
		w.t.Errorf("calls entered %d, but emitted + filtered + unmatched + aggregated + dropped + inflight = %d: %s", s.Entered, out, line)
	}
	return s
}

// exitCode waits until ipcwarden has ended.
func (w *warden) exitCode() int {
	w.t.Helper()
	select {
	case <-w.exited:
	case <-time.After(limit):
		w.t.Fatalf("ipcwarden still runs after %s\nstderr: %s", limit, w.stderr.text())
	}
	var exit *exec.ExitError
	if w.err != nil && !errors.As(w.err, &exit) {
		w.t.Fatalf("ipcwarden: %v", w.err)
	}
	return w.cmd.ProcessState.ExitCode()
}

// documents returns all that was printed. ipcwarden must have ended.
func (w *warden) documents() []document {
	w.t.Helper()
	var all []document
	for _, line := range w.stdout.rest(w.t) {
		all = append(all, decode[document](w.t, line))
	}
	return all
}

// awaitEnd waits for one of the last calls of a program.
func (w *warden) awaitEnd(pid uint32) {
	w.t.Helper()
	_, ok := w.stdout.await(limit, func(line []byte) bool {
		if !bytes.Contains(line, []byte(endID)) {
			return false
		}
		d := decode[document](w.t, line)
		return d.EventName == "msgctl" && (pid == 0 || d.HostProcessID == pid)
	})
	if !ok {
		w.t.Fatalf("none of the last calls of process %d was reported within %s\nlast lines: %s\nstderr: %s",
			pid, limit, tail(w.stdout.text(), 1000), w.stderr.text())
	}
}

// A program asks endCalls times for the queue endID when all of its other calls have
// been made; see programs/end.h.
const (
	endID    = "-464374526"
	endCalls = 3
)

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

func head(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// decode reads JSON without losing a bit of any number.
func decode[T any](t *testing.T, line []byte) (v T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return v
}

// TestEndCalls wants the last calls of every program that has them to be made endCalls
// times: of fewer the kernel might leave out all while it is asked what it has counted.
func TestEndCalls(t *testing.T) {
	emulated(t)
	requireBPF(t)
	w := trace(t, "--events", "msgctl")
	ended := map[uint32]string{}
	for _, c := range []struct {
		program
		args []string
	}{
		{blocked, nil}, {steps, []string{"steps"}}, {variants[0].calls(), []string{"--private"}},
		{suspicious, []string{"msg-copy-peek"}}, {variants[0].races(), []string{"--benign", "change-message"}},
	} {
		ended[runProgram(t, c.build(t), c.args...).pid] = c.name
	}
	s := w.stop()
	seen := map[string]int{}
	for _, d := range w.documents() {
		if name, ok := ended[d.HostProcessID]; ok && fmt.Sprint(d.Arg["msqid"]) == endID {
			seen[name]++
		}
	}
	for _, name := range ended {
		if n := seen[name]; n > endCalls || n+int(s.dropped()) < endCalls {
			t.Errorf("%s made %d last calls, want %d: %+v", name, n, endCalls, s)
		}
	}
}
