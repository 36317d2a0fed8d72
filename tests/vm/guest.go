package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// parameter is the word of the kernel command line that has the order.
const parameter = "ipcwarden.vm="

// recordLine is the serial line for the records. The kernel writes to the other,
// at any time, so that it cannot write into a record.
const recordLine = "/dev/ttyS1"

// guestArgument makes this program the one that runs the tests in the guest.
const guestArgument = "guest"

// The guest has the layout that initramfs.go gives it.
var guestPlace = place{ipcwarden: "/bin/ipcwarden", binaries: "/bin", programs: "/programs", work: "/tests", streams: "/tmp/streams"}

// firstProcess is /init: it prepares the machine, lets another process of this
// program run the tests, and powers off. It has to wait for every process whose
// parent is gone, or they would stay zombies and tests take them for alive.
func firstProcess() {
	prepare()
	child, err := os.StartProcess("/init", []string{"/init", guestArgument}, &os.ProcAttr{
		Env:   []string{"PATH=/bin", "HOME=/", "TMPDIR=/tmp"},
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		fmt.Println("vm: starting the tests:", err)
	} else {
		reap(child.Pid)
	}
	syscall.Sync()
	err = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	fmt.Println("vm: power off:", err)
	time.Sleep(time.Hour) // PID 1 must not end; the host notices the silence
}

// reap waits for all children until one ends.
func reap(child int) {
	for {
		pid, err := syscall.Wait4(-1, nil, 0, nil)
		if pid == child || (err != nil && !errors.Is(err, syscall.EINTR)) {
			return
		}
	}
}

// prepare mounts what this kernel has of what tests look at, and switches the
// loopback interface on.
func prepare() {
	for _, m := range []struct{ kind, target string }{
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"tmpfs", "/tmp"},
		{"cgroup2", "/sys/fs/cgroup"},
		{"securityfs", "/sys/kernel/security"},
		{"debugfs", "/sys/kernel/debug"},
		{"tracefs", "/sys/kernel/tracing"},
	} {
		// sysfs has its directories, or not.
		if err := os.MkdirAll(m.target, 0o755); err != nil && !strings.HasPrefix(m.target, "/sys/") {
			fmt.Println("vm:", err)
		}
		if err := syscall.Mount(m.kind, m.target, m.kind, 0, ""); err != nil {
			fmt.Printf("vm: mounting %s at %s: %v\n", m.kind, m.target, err)
		}
	}
	if err := os.Chmod("/tmp", 0o1777); err != nil {
		fmt.Println("vm:", err)
	}
	if out, err := exec.Command("/bin/busybox", "ifconfig", "lo", "127.0.0.1", "up").CombinedOutput(); err != nil {
		fmt.Printf("vm: switching lo on: %v: %s\n", err, out)
	}
}

// guest runs the tests.
func guest() error {
	o, err := readOrder("/proc/cmdline")
	if err != nil {
		return err
	}
	line, err := os.OpenFile(recordLine, os.O_WRONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return fmt.Errorf("opening the line to the host: %w", err)
	}
	w := bufio.NewWriter(line)
	encoder := json.NewEncoder(w)
	var failure error
	send := func(r record) {
		failure = errors.Join(failure, encoder.Encode(r), w.Flush())
	}
	if err := os.MkdirAll(guestPlace.work, 0o755); err != nil {
		return err
	}
	runSuite(context.Background(), o, guestPlace, send)
	send(warnings())
	send(record{Type: recordEnd})
	return errors.Join(failure, drain(line))
}

func readOrder(file string) (o order, err error) {
	line, err := os.ReadFile(file)
	if err != nil {
		return o, err
	}
	for _, word := range strings.Fields(string(line)) {
		if encoded, ok := strings.CutPrefix(word, parameter); ok {
			if o, err = decodeOrder(encoded); err != nil {
				return o, fmt.Errorf("reading the order in %s: %w", file, err)
			}
			return o, nil
		}
	}
	return o, fmt.Errorf("no %s in %s", parameter, file)
}

// warnings collects what the quiet console does not show.
func warnings() record {
	log, err := kernelLog()
	if err != nil {
		return record{Type: recordError, Error: err.Error()}
	}
	var found []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, "WARNING: ") || strings.Contains(line, "detected stall") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return record{Type: recordKernel, Output: strings.Join(found, "\n")}
}

// drain waits until the line has sent everything, as tcdrain does: powering off
// would lose the rest.
func drain(line *os.File) error {
	const tcsbrk = 0x5409
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, line.Fd(), tcsbrk, 1); errno != 0 {
		return fmt.Errorf("waiting for the line to the host: %w", errno)
	}
	return line.Close()
}

// hostPlace is guestPlace on this machine.
func hostPlace(work string) (p place, err error) {
	if work, err = filepath.Abs(work); err != nil {
		return p, err
	}
	ipcwarden, err := filepath.Abs(ipcwardenBinary)
	if err != nil {
		return p, err
	}
	p = place{
		ipcwarden: ipcwarden,
		binaries:  filepath.Join(work, "bin"),
		programs:  filepath.Join(work, "programs"),
		work:      filepath.Join(work, "host"),
		streams:   filepath.Join(work, "host", "streams"),
	}
	if err := os.RemoveAll(p.work); err != nil {
		return p, err
	}
	return p, os.MkdirAll(p.work, 0o755)
}
