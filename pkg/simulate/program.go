package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// secondArgument tells the program that it is the second one.
const secondArgument = "second"

// lingering is how long a program stays whose name counts: what it ran nobody can find
// out of a process that has ended.
const lingering = 500 * time.Millisecond

// runAs runs the second program of the scenario to its end, under the path of another
// one. The path is there for this process only, in a mount namespace that goes with it.
func (a *actor) runAs(path string) {
	self, err := os.Executable()
	must("find the program", err)
	a.start(func() {
		must("leave the mount namespace", unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS))
		must("keep mounts from others", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		must("reach the program", bind(self, path))
		run(path)
	}).wait()
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

// run runs the second program from this thread, and so in its namespaces.
func run(path string) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(path, append(os.Args[1:], secondArgument)...)
	cmd.Stdin = strings.NewReader("\n")
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	out, err := cmd.Output()
	must("run "+path, err)
	var ended ending
	must("read what "+path+" says", json.Unmarshal(bytes.TrimSpace(out), &ended))
	switch ended.Outcome {
	case Done:
	case Skipped:
		skip("%s", ended.Reason)
	default:
		fail("%s: %s", path, ended.Reason)
	}
}
