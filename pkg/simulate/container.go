package simulate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/enrich"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// hostCgroupNamespace is the inode of the first one (include/linux/proc_ns.h:
// PROC_CGROUP_INIT_INO).
const hostCgroupNamespace = 4026531835

// ownCgroups is where the kernel lists the cgroups of this process.
var ownCgroups = "/proc/self/cgroup"

// crossContainers attaches a segment, and has a program do so in a cgroup that has the
// name of a container: no more of a container can be told from outside.
func crossContainers(a *actor) {
	a.do(event.Shmat, a.do(event.Shmget, key, 4096, create|0o600), 0, 0)
	list, err := os.ReadFile(ownCgroups)
	must("look at the cgroups", err)
	var namespace unix.Stat_t
	must("look at the cgroup namespace", unix.Stat("/proc/self/ns/cgroup", &namespace))
	if namespace.Ino != hostCgroupNamespace || enrich.ContainerOf(string(list)) != "" {
		skip("the host is needed, and this is a container")
	}
	a.start(func() {
		mountPrivately()
		var errs []error
		for _, h := range hierarchies(string(list)) {
			err := h.runContained()
			if err == nil {
				return
			}
			errs = append(errs, err)
		}
		skip("no cgroup can be made: %v", errors.Join(errs...))
	}).wait()
}

func attachAgain(a *actor) {
	a.do(event.Shmat, a.do(event.Shmget, key, 0, 0), 0, 0)
	time.Sleep(lingering)
}

// hierarchy is one of cgroups, and where in it this process is.
type hierarchy struct{ filesystem, options, path string }

// hierarchies reads /proc/<pid>/cgroup: lines of number:controllers:path. That of
// version 2, which has no controllers there, comes first.
func hierarchies(list string) (all []hierarchy) {
	for line := range strings.Lines(list) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			all = slices.Insert(all, 0, hierarchy{"cgroup2", "", parts[2]})
		default:
			all = append(all, hierarchy{"cgroup", parts[1], parts[2]})
		}
	}
	return all
}

// runContained runs the second program in a cgroup below that of this process, in this
// thread's mount namespace. An error says that there can be no such cgroup.
func (h hierarchy) runContained() error {
	const mounted = "/tmp"
	if err := unix.Mount("none", mounted, h.filesystem, 0, h.options); err != nil {
		return fmt.Errorf("mount %s %s: %w", h.filesystem, h.options, err)
	}
	id := hex.EncodeToString(fmt.Appendf(nil, "simulated by process %011d", os.Getpid()))
	dir := filepath.Join(mounted, h.path, "docker-"+id+".scope")
	leave := removeLater(dir)
	defer leave()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	var moved error
	run("/proc/self/exe", func(pid int) bool {
		moved = os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Append(nil, pid), 0)
		return moved == nil
	})
	return moved
}

// removeLater has a directory of cgroups removed by a process that outlives this one,
// and what else is killed with it. leave has it removed now.
func removeLater(dir string) (leave func()) {
	cmd := exec.Command("/proc/self/exe", append(os.Args[1:], string(Janitor))...)
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true} // no terminal's signals
	order, err := cmd.StdinPipe()
	must("tell what to remove", err)
	must("start who removes the cgroup", cmd.Start())
	_, err = io.WriteString(order, "\n"+dir)
	must("tell what to remove", err)
	return func() {
		order.Close()
		must("remove the cgroup", cmd.Wait())
	}
}

// clean removes the directory that order names, when that ends.
func clean(order io.Reader) error {
	dir, err := io.ReadAll(order)
	if err != nil {
		return err
	}
	for until := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		err := unix.Rmdir(string(dir))
		switch {
		case err == nil, errors.Is(err, unix.ENOENT): // it was not made yet
			return nil
		case time.Now().After(until): // not even the killed have left
			return fmt.Errorf("remove %s: %w", dir, err)
		}
	}
}
