package simulate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// With these arguments the test binary plays a scenario, and has one performed.
const (
	actArgument     = "act"
	performArgument = "perform"
)

// cgroupsVariable names the file of another machine's cgroups.
const cgroupsVariable = "SIMULATE_TEST_CGROUPS"

var command = []string{"/proc/self/exe", actArgument}

func TestMain(m *testing.M) {
	var err error
	if list := os.Getenv(cgroupsVariable); list != "" {
		ownCgroups = list
	}
	switch {
	case len(os.Args) >= 4 && os.Args[1] == actArgument:
		err = Act(os.Args[2], Way(os.Args[3]), Part(strings.Join(os.Args[4:], "")), os.Stdin, os.Stdout)
	case len(os.Args) == 3 && os.Args[1] == performArgument:
		stage := &Stage{Command: command}
		var p Performance
		if p, err = stage.Perform(context.Background(), Find(os.Args[2]), Direct); err == nil {
			fmt.Println(p.Outcome, p.Reason)
		}
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

// TestStagesApart wants namespaces that are not taken for those of the stages before.
// Others may make and leave some meanwhile, so that two may be alike by chance.
func TestStagesApart(t *testing.T) {
	inodes := map[uint32]bool{}
	for range 4 {
		s := newStage(t)
		p, err := s.Perform(t.Context(), Find("IPCW-002"), Direct)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		inodes[p.IPCNamespace] = true
		time.Sleep(100 * time.Millisecond) // a program takes that long to start
	}
	if len(inodes) == 1 {
		t.Errorf("all stages had namespace %v", inodes)
	}
}

// TestFewFiles has a stage leave files to its performances.
func TestFewFiles(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	for range 3 {
		s := newStage(t)
		if _, err := s.Perform(t.Context(), Find("IPCW-002"), Direct); err != nil {
			t.Error(err)
		}
		s.Close()
	}
}

// TestOneUser performs where there is no other user: that is no failure.
func TestOneUser(t *testing.T) {
	newStage(t)
	onlyRoot := []syscall.SysProcIDMap{{Size: 1}}
	for id, want := range map[string]string{"IPCW-002": "done", "IPCW-005": "skipped user and group 65534 cannot be had here"} {
		stage := exec.Command("/proc/self/exe", performArgument, id)
		stage.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: onlyRoot, GidMappings: onlyRoot}
		if got, err := stage.CombinedOutput(); !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %s, %v", id, got, err)
		}
	}
}

// TestNoCapability performs as a root that may not use what others have made for
// themselves.
func TestNoCapability(t *testing.T) {
	newStage(t)
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip(err)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"IPCW-005": "done", "IPCW-020": "skipped CAP_IPC_OWNER", "IPCW-024": "skipped CAP_IPC_OWNER", "IPCW-025": "skipped CAP_IPC_OWNER"} {
		got, err := exec.Command(setpriv, "--bounding-set", "-ipc_owner", "--inh-caps", "-ipc_owner", own, performArgument, id).CombinedOutput()
		if !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %s, %v", id, got, err)
		}
	}
}

// TestKilledStage kills who has a scenario performed, while its process is stopped: that
// has to be gone, whatever it was about to do.
func TestKilledStage(t *testing.T) {
	newStage(t)
	stage := exec.Command("/proc/self/exe", performArgument, "IPCW-010")
	if err := stage.Start(); err != nil {
		t.Fatal(err)
	}
	defer stage.Wait()
	defer stage.Process.Kill()
	actor := awaitChild(t, stage.Process.Pid, runsWith(actArgument))
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

// awaitChild waits until a process has started another one that is wanted.
func awaitChild(t *testing.T, parent int, wanted func(pid int) bool) int {
	t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
		for _, file := range files {
			text, _ := os.ReadFile(file)
			for word := range strings.FieldsSeq(string(text)) {
				if pid, err := strconv.Atoi(word); err == nil && wanted(pid) {
					return pid
				}
			}
		}
	}
	t.Fatalf("process %d has not started another one", parent)
	return 0
}

// runsWith tells of processes whose program has an argument; before that it is a copy of
// its parent, or one by which os tries what the kernel can do.
func runsWith(argument string) func(pid int) bool {
	return func(pid int) bool {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return strings.Contains(string(line), "\x00"+argument+"\x00")
	}
}

// runs tells of a process that is there, and more than a zombie.
func runs(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(text), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}
