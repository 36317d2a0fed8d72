package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Part is what a process of a performance does.
type Part string

// The parts. The first one runs the others, with their names as last argument.
const (
	First   Part = ""
	Second  Part = "second"  // what another program does
	Janitor Part = "janitor" // removes what would be left if the first is killed
)

// lingering is how long a program stays whose name counts: what it ran nobody can find
// out of a process that has ended.
const lingering = 500 * time.Millisecond

// runAs runs the second program of the scenario to its end, under the path of another
// one. The path is there for this process only, in a mount namespace that goes with it.
func (a *actor) runAs(path string) {
	self, err := os.Executable()
	must("find the program", err)
	a.start(func() {
		mountPrivately()
		must("reach the program", bind(self, path))
		run(path, nil)
	}).wait()
}

// mountPrivately gives this thread a mount namespace of its own.
func mountPrivately() {
	must("leave the mount namespace", unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS))
	must("keep mounts from others", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

// bind makes a file appear at a path, in a directory of which nothing else is seen then.
func bind(file, path string) error {
	source, err := os.Open(file) // before something hides it
	if err != nil {
		return err
	}
	defer source.Close()
	if err := unix.Mount("none", filepath.Dir(path), "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		return err
	}
	return unix.Mount(fmt.Sprintf("/proc/thread-self/fd/%d", source.Fd()), path, "", unix.MS_BIND, "")
}

// run runs the second program from this thread, and so in its namespaces. It acts once
// ready, if there is one, has agreed, which gets its process id.
func run(path string, ready func(pid int) bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(path, append(os.Args[1:], string(Second))...)
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	var out bytes.Buffer
	cmd.Stdout = &out
	start, err := cmd.StdinPipe()
	must("start "+path, err)
	must("start "+path, cmd.Start())
	if ready != nil && !ready(cmd.Process.Pid) {
		_ = cmd.Process.Kill() // it waits
		_ = cmd.Wait()
		return
	}
	_, err = start.Write([]byte{'\n'})
	must("start "+path, err)
	must("run "+path, cmd.Wait())
	var ended ending
	must("read what "+path+" says", json.Unmarshal(bytes.TrimSpace(out.Bytes()), &ended))
	switch ended.Outcome {
	case Done:
	case Skipped:
		skip("%s", ended.Reason)
	default:
		fail("%s: %s", path, ended.Reason)
	}
}
