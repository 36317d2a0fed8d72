// Package privilege gives up what is not needed any more, for the whole process.
package privilege

// #include "threads.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// patience is how long threads have to take the signal.
	patience = 5 * time.Second
	// pause is the time between two looks at the threads.
	pause = time.Millisecond
)

// Names of the capabilities that Keep can keep, by their numbers.
var names = map[int]string{unix.CAP_BPF: "CAP_BPF"}

// Keep takes every capability but these from all threads of the process, for good, and
// sets no_new_privs: nor does a program that it executes get any back. It returns the
// names of those that it had, and keeps. It must not be called twice at a time.
//
// The kernel has capabilities by thread, and only a thread can give up its own. Go can
// make its threads do that in programs without cgo only (syscall.AllThreadsSyscall), so
// a signal does, whose handler is C.
func Keep(capabilities ...int) (kept []string, err error) {
	var keep uint64
	for _, c := range capabilities {
		keep |= 1 << c
	}
	self, err := read("self")
	if err != nil {
		return nil, err
	}
	held := self.permitted
	// The thread of os/signal takes only those signals that somebody asked for.
	asked, number := make(chan os.Signal, 1), unix.Signal(C.threads_signal())
	signal.Notify(asked, number)
	defer signal.Stop(asked)
	if code := C.prepare(C.uint64_t(keep & held)); code != 0 {
		return nil, fmt.Errorf("give up capabilities: handle a signal: %w", unix.Errno(code))
	}
	defer C.restore()
	if err := everyThread(keep & held); err != nil {
		return nil, fmt.Errorf("give up capabilities: %w", err)
	}
	for _, c := range capabilities {
		if held&(1<<c) != 0 {
			kept = append(kept, names[c])
		}
	}
	return kept, nil
}

// everyThread signals threads until none has more than it should.
func everyThread(keep uint64) error {
	// A thread can start another before it takes the signal, and after we have looked
	// for new ones; that is there in the next look. So one look is not enough.
	for clean, deadline := 0, time.Now().Add(patience); clean < 2; {
		left, err := signalThreads(keep)
		switch {
		case err != nil:
			return err
		case left == 0:
			clean++
			continue
		case time.Now().After(deadline):
			return fmt.Errorf("%d threads do not", left)
		}
		clean = 0
		time.Sleep(pause)
	}
	return nil
}

// signalThreads has the threads that hold more than keep give it up, and says how many
// there are.
func signalThreads(keep uint64) (left int, err error) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0, err
	}
	for _, entry := range threads {
		t, err := read("self/task/" + entry.Name())
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return 0, err
		}
		if t.permitted&^keep == 0 && t.noNewPrivs {
			continue
		}
		left++
		id, err := strconv.Atoi(entry.Name())
		if err != nil {
			return 0, err
		}
		if err := unix.Tgkill(os.Getpid(), id, unix.Signal(C.threads_signal())); err != nil && !errors.Is(err, unix.ESRCH) {
			return 0, err
		}
	}
	return left, nil
}

// thread is what a thread can do.
type thread struct {
	permitted  uint64 // capabilities, which bound those that it uses
	noNewPrivs bool
}

// read reads that of one below /proc.
func read(name string) (t thread, err error) {
	status, err := os.ReadFile("/proc/" + name + "/status")
	if err != nil {
		return t, err
	}
	found := false
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		switch key {
		case "CapPrm":
			found = true
			if t.permitted, err = strconv.ParseUint(value, 16, 64); err != nil {
				return t, fmt.Errorf("/proc/%s/status: CapPrm: %w", name, err)
			}
		case "NoNewPrivs":
			t.noNewPrivs = value == "1"
		}
	}
	if !found {
		return t, fmt.Errorf("/proc/%s/status has no CapPrm", name)
	}
	return t, nil
}
