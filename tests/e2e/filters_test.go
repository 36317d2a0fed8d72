package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
)

// TestFilters gives trace one filter after the other. Each program that runs
// under it makes calls that must be reported and calls that must not.
func TestFilters(t *testing.T) {
	emulated(t)
	requireBPF(t)
	t.Run("events", testFilterEvents)
	t.Run("pid", testFilterPID)
	t.Run("uid", testFilterUID)
	t.Run("comm", testFilterComm)
	t.Run("together", testFilterTogether)
	t.Run("count", testCount)
	t.Run("timeout", testTimeout)
	t.Run("unknown event", testUnknownEvent)
}

func testFilterEvents(t *testing.T) {
	path := variants[0].calls().build(t)
	w := trace(t, "--events", "msgctl,shmat")
	p := runProgram(t, path, "--private")
	w.awaitEnd(p.pid)
	s := w.stop()
	want := map[string]int{}
	for _, call := range parseSaid(t, p.stdout) {
		if call.Event == "msgctl" || call.Event == "shmat" {
			want[call.Event]++
		}
	}
	got := map[string]int{}
	for _, d := range ofProcess(w.documents(), p.pid) {
		got[d.EventName]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if s.Filtered == 0 {
		t.Error("no call was counted as filtered")
	}
}

// gated is a program that has a process id, but does not begin before it may.
type gated struct {
	cmd   *exec.Cmd
	start *os.File
}

// hold starts a shell that waits for a line before it becomes the program.
func hold(t *testing.T, credential *syscall.Credential, path string, args ...string) *gated {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", `read line; exec "$0" "$@"`, path}, args...)...)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	g := &gated{cmd, w}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // nothing to do if it has exited
		_ = cmd.Wait()
		w.Close()
	})
	return g
}

func (g *gated) pid() uint32 { return uint32(g.cmd.Process.Pid) }

// run lets the program begin, and waits for its end.
func (g *gated) run(t *testing.T) {
	t.Helper()
	if _, err := g.start.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Wait(); err != nil {
		t.Fatalf("%s: %v", g.cmd, err)
	}
}

func testFilterPID(t *testing.T) {
	path := count.build(t)
	chosen, other := hold(t, nil, path, "1", "10"), hold(t, nil, path, "1", "10")
	w := trace(t, "--pid", fmt.Sprint(chosen.pid()))
	other.run(t)
	chosen.run(t)
	w.stop()
	all := w.documents()
	if mine := ofProcess(all, chosen.pid()); len(mine) != 22 || len(all) != 22 {
		t.Errorf("%d events, of which %d of process %d; want 22 of it and no others", len(all), len(mine), chosen.pid())
	}
}

func testFilterUID(t *testing.T) {
	path := count.build(t)
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	w := trace(t, "--uid", "65534")
	runProgram(t, path, "1", "10")
	g := hold(t, nobody, path, "1", "10")
	g.run(t)
	w.stop()
	all := w.documents()
	if mine := ofProcess(all, g.pid()); len(mine) != 22 || len(all) != 22 {
		t.Errorf("%d events, of which %d of process %d; want 22 of it and no others", len(all), len(mine), g.pid())
	}
	for _, d := range all {
		if d.UserID != 65534 {
			t.Errorf("event of user %d: %s", d.UserID, dump(d))
		}
	}
}

func testFilterComm(t *testing.T) {
	path, other := count.build(t), suspicious.build(t)
	w := trace(t, "--comm", "count")
	runProgram(t, other, "msg-copy-peek")
	p := runProgram(t, path, "1", "10")
	w.stop()
	all := w.documents()
	if mine := ofProcess(all, p.pid); len(mine) != 22 || len(all) != 22 {
		t.Errorf("%d events, of which %d of process %d; want 22 of it and no others", len(all), len(mine), p.pid)
	}
}

// testFilterTogether has filters of two kinds, which must both match, and two
// values of one kind, which are alternatives.
func testFilterTogether(t *testing.T) {
	path, other := count.build(t), suspicious.build(t)
	w := trace(t, "--comm", "count", "--comm", "suspicious", "--events", "msgget", "--events", "shmget")
	p := runProgram(t, path, "2", "10")
	q := runProgram(t, other, "executable-attach")
	w.stop()
	var got []string
	for _, d := range w.documents() {
		got = append(got, fmt.Sprint(d.HostProcessID, " ", d.EventName))
	}
	msgget := fmt.Sprint(p.pid, " msgget")
	want := []string{msgget, msgget, fmt.Sprint(q.pid, " shmget")}
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

func testCount(t *testing.T) {
	path := count.build(t)
	w := trace(t, "--comm", "count", "--count", "5")
	runProgram(t, path, "1", "100")
	if s := w.wait(); s.Events != 5 {
		t.Errorf("summary says %d events, want 5", s.Events)
	}
	if n := len(w.documents()); n != 5 {
		t.Errorf("%d events, want 5", n)
	}
}

func testTimeout(t *testing.T) {
	w := trace(t, "--timeout", "300ms", "--comm", "count")
	w.wait()
	if n := len(w.documents()); n != 0 {
		t.Errorf("%d events, want none", n)
	}
}

func testUnknownEvent(t *testing.T) {
	w := launch(t, nil, "trace", "--events", "msgsdn")
	if code := w.exitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if out := w.stdout.rest(t); len(out) != 0 {
		t.Errorf("stdout: %q, want nothing", out)
	}
	w.stderr.rest(t)
	mustContain(t, "stderr", w.stderr.text(), "msgsdn", "msgsnd")
}
