package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// limit is how long a workload may take.
const limit = 5 * time.Minute

// result is what became of a workload.
type result struct {
	workload  *workload
	skipped   string // why
	err       error
	took      time.Duration
	namespace uint32
	file      *os.File // keeps the namespace, so that no other one has its number

	calls  int // that got an object
	alerts []found
}

func (r *result) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// play plays a workload, in a process with an IPC namespace of its own, that ends with
// this one.
func play(ctx context.Context, w *workload, logs string) (*result, error) {
	r := &result{workload: w}
	if r.skipped = w.missing(); r.skipped != "" {
		return r, nil
	}
	name := filepath.Join(logs, w.name+".log")
	log, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// The kernel ends the process with the thread that has started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", playArgument, w.name)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWIPC, Pdeathsig: unix.SIGKILL}
	start, err := cmd.StdinPipe() // it waits for the end of its input
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a process to play %s: %w", w.name, err)
	}
	namespaceErr := r.keepNamespace(cmd.Process.Pid)
	start.Close()
	r.err = errors.Join(cmd.Wait(), namespaceErr)
	r.took = time.Since(began)
	if r.err != nil {
		r.err = fmt.Errorf("%w; see %s", r.err, name)
	}
	return r, nil
}

func (r *result) keepNamespace(pid int) (err error) {
	if r.file, err = os.Open(fmt.Sprintf("/proc/%d/ns/ipc", pid)); err != nil {
		return err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(int(r.file.Fd()), &stat); err != nil {
		return fmt.Errorf("look at the IPC namespace of process %d: %w", pid, err)
	}
	r.namespace = uint32(stat.Ino)
	return nil
}
