package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExecutable has a process execute one file after the other with one call each,
// and end: by the time that the events are read nothing of it is left in /proc.
func TestExecutable(t *testing.T) {
	requireBPF(t)
	program, err := os.ReadFile(moves.build(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "with blanks", "and depth")
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	for _, err := range []error{
		os.MkdirAll(dir, 0o755),
		os.WriteFile(first, program, 0o755),
		os.Link(first, second),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{first, second, second + " (deleted)", "/memfd:hidden (deleted)"}
	w := trace(t, "--events", "shmget")
	p := runProgram(t, first, second)
	s := w.stop()
	got := ofProcess(w.documents(), p.pid)
	if missed := s.dropped(); missed > 0 && len(got) < len(want) {
		t.Skipf("the kernel did not run the programs for all calls: %v", s.Dropped)
	}
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	self := []uint32{uint32(os.Getpid()), uint32(os.Getppid())}
	for i, d := range got {
		if d.Executable.Path != want[i] {
			t.Errorf("call %d: executable %q, want %q", i, d.Executable.Path, want[i])
		}
		above := d.Ancestors
		if len(above) < 2 || above[0].HostProcessID != self[0] || above[1].HostProcessID != self[1] || above[0].ProcessName != strings.TrimSpace(string(comm)) {
			t.Errorf("call %d: ancestors %+v, want %s, with the ids %d", i, above, comm, self)
		}
	}
}
