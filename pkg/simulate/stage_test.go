package simulate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// With these arguments the test binary plays a scenario, and has one performed.
const (
	actArgument     = "act"
	performArgument = "perform"
)

var command = []string{"/proc/self/exe", actArgument}

func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) >= 4 && os.Args[1] == actArgument:
		err = Act(os.Args[2], Way(os.Args[3]), len(os.Args) == 5, os.Stdin, os.Stdout)
	case len(os.Args) == 2 && os.Args[1] == performArgument:
		stage := &Stage{Command: command}
		_, err = stage.Perform(context.Background(), Find("IPCW-010"), Direct)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func newStage(t *testing.T) *Stage {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("an IPC namespace takes root")
	}
	s := &Stage{Command: command}
	t.Cleanup(s.Close)
	return s
}

// TestPerform does everything for real.
func TestPerform(t *testing.T) {
	s := newStage(t)
	for _, scenario := range All() {
		for _, way := range scenario.Ways {
			t.Run(scenario.ID+"/"+string(way), func(t *testing.T) {
				p, err := s.Perform(t.Context(), scenario, way)
				switch {
				case err != nil:
					t.Fatal(err)
				case p.Outcome == Skipped:
					t.Skip(p.Reason)
				case p.Outcome != Done || p.IPCNamespace == 0 || p.PID == 0:
					t.Errorf("%+v", p)
				}
			})
		}
	}
}

// TestKilledStage kills who has a scenario performed, while its process is stopped: that
// has to be gone, whatever it was about to do.
func TestKilledStage(t *testing.T) {
	newStage(t)
	stage := exec.Command("/proc/self/exe", performArgument)
	if err := stage.Start(); err != nil {
		t.Fatal(err)
	}
	defer stage.Wait()
	defer stage.Process.Kill()
	actor := awaitActor(t, stage.Process.Pid)
	if err := unix.Kill(actor, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := stage.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(patience); runs(actor); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			unix.Kill(actor, unix.SIGKILL)
			t.Fatalf("process %d outlives who had it act", actor)
		}
	}
}

// awaitActor waits until a process has started another one, and that runs our program.
func awaitActor(t *testing.T, parent int) int {
	t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
		for _, file := range files {
			text, _ := os.ReadFile(file)
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				continue
			}
			if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.Contains(string(line), "\x00"+actArgument+"\x00") {
				return pid
			}
		}
	}
	t.Fatalf("process %d has not started another one", parent)
	return 0
}

// runs tells of a process that is there, and more than a zombie.
func runs(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(text), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}
