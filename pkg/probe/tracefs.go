package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tracefsDirs are where the kernel's tracing files are mounted; the second is the
// older place.
var tracefsDirs = []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}

// tracefsGroup is the group of our probes. Their names tell which process owns
// them, and which of its probes: enter_PID_NTH_FUNCTION, and leave_ the same.
const tracefsGroup = "ipcwarden"

// MaxKretprobes is the most calls that a kretprobe can follow at a time
// (kernel/trace/trace_kprobe.c: KRETPROBE_MAXACTIVE_MAX).
const MaxKretprobes = 4096

// kretprobesPerCPU is the default: enough for calls that wait for each other in
// the hundreds, at some 100 bytes each.
const kretprobesPerCPU = 256

// tracefs defines kprobes by the kernel's tracing files: other than
// perf_event_open(2), they take the number of calls that a kretprobe can follow at
// a time, and count the hits that were missed on every kernel.
type tracefs struct {
	dir   string
	owner string // in the names of our probes: PID_NTH_
}

var errNoTracefs = errors.New("no tracing files in " + strings.Join(tracefsDirs, " or ") + ": mount -t tracefs tracefs " + tracefsDirs[0])

// tracefsDir is where the tracing files are.
func tracefsDir() (string, error) {
	for _, dir := range tracefsDirs {
		if _, err := os.Stat(filepath.Join(dir, "events")); err == nil {
			return dir, nil
		}
	}
	return "", errNoTracefs
}

func openTracefs(nth uint64) (*tracefs, error) {
	dir, err := tracefsDir()
	if err != nil {
		return nil, err
	}
	fs := &tracefs{dir: dir, owner: fmt.Sprintf("%d_%d_", os.Getpid(), nth)}
	fs.removeLeftovers()
	return fs, nil
}

// define makes a probe at the entry of function, or at its return with room for
// maxActive calls at a time, and returns its perf event, disabled.
func (t *tracefs) define(function string, atReturn bool, maxActive int) (fd int, err error) {
	kind, name := "p", "enter_"+t.owner+function
	if atReturn {
		kind, name = "r"+strconv.Itoa(maxActive), "leave_"+t.owner+function
	}
	if err := t.write(fmt.Sprintf("%s:%s/%s %s", kind, tracefsGroup, name, function)); err != nil {
		return -1, err
	}
	b, err := os.ReadFile(filepath.Join(t.dir, "events", tracefsGroup, name, "id"))
	if err != nil {
		return -1, fmt.Errorf("read the number of probe %s: %w", name, err)
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return -1, fmt.Errorf("number of probe %s: %w", name, err)
	}
	attr := &unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample: 1, Wakeup: 1}
	// A program at a kprobe runs on every CPU, whichever the event is opened for.
	fd, err = unix.PerfEventOpen(attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("open the perf event of probe %s: %w", name, err)
	}
	return fd, nil
}

func (t *tracefs) write(line string) error {
	file, err := os.OpenFile(filepath.Join(t.dir, "kprobe_events"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("define a probe: %w", err)
	}
	defer file.Close()
	if _, err := file.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("define probe %q: %w", line, err)
	}
	return nil
}

// exactMisses is the first kernel that counts as missed what is: the ones before
// also count each fault of a handler, and ours read memory that may not be there
// (arch/x86/kernel/kprobes/core.c: kprobe_fault_handler, until Linux 5.14).
var exactMisses = [2]int{5, 14}

// missed sums up the hits of our entry probes that the kernel could not handle; 0
// where it does not count them. Those of returns are counted by the programs, call
// by call, since older kernels do not list them all.
func (t *tracefs) missed() (sum uint64, err error) {
	release, err := kernelRelease()
	if err != nil {
		return 0, err
	}
	if older, err := olderThan(release, exactMisses); err != nil || older {
		return 0, err
	}
	b, err := os.ReadFile(filepath.Join(t.dir, "kprobe_profile"))
	if err != nil {
		return 0, fmt.Errorf("count missed probes: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		// The name without its group, hits, and misses.
		fields := strings.Fields(line)
		if len(fields) != 3 || !strings.HasPrefix(fields[0], "enter_"+t.owner) {
			continue
		}
		n, err := strconv.ParseUint(fields[2], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("count missed probes: %q: %w", line, err)
		}
		sum += n
	}
	return sum, nil
}

// remove takes away the definitions of our probes. Their events must be closed.
func (t *tracefs) remove() error {
	return t.removeIf(func(owner string) bool { return owner == t.owner })
}

// removeLeftovers takes away what processes left that were killed. Such probes are
// disabled and cost nothing but a line in a list; and one that is still in use, by
// a process that cannot be seen from here, the kernel keeps.
func (t *tracefs) removeLeftovers() {
	_ = t.removeIf(func(owner string) bool {
		pid, err := strconv.Atoi(owner[:strings.IndexByte(owner, '_')])
		return err == nil && errors.Is(unix.Kill(pid, 0), unix.ESRCH)
	})
}

// ownProbe takes the owner out of a line of kprobe_events such as
// "r64:ipcwarden/leave_123_1_FUNCTION FUNCTION".
var ownProbe = regexp.MustCompile(`^[pr]\d*:(` + tracefsGroup + `/(?:enter|leave)_(\d+_\d+_)\w+) `)

func (t *tracefs) removeIf(unwanted func(owner string) bool) error {
	b, err := os.ReadFile(filepath.Join(t.dir, "kprobe_events"))
	if err != nil {
		return fmt.Errorf("list probes: %w", err)
	}
	var errs []error
	for line := range strings.Lines(string(b)) {
		if m := ownProbe.FindStringSubmatch(line); m != nil && unwanted(m[2]) {
			errs = append(errs, t.write("-:"+m[1]))
		}
	}
	return errors.Join(errs...)
}
