package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Outcome is what became of a performance.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Skipped Outcome = "skipped" // this machine lacks something
	Failed  Outcome = "failed"  // a call did not do what it always does
)

// Performance is one scenario that was done by one way.
type Performance struct {
	ID      string    `json:"id"`  // of the signature
	Way     Way       `json:"way"` // direct or ipc
	Outcome Outcome   `json:"outcome"`
	Reason  string    `json:"reason,omitempty"` // why it was skipped or failed
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	// PID is the process, in the PID namespace of the caller, and IPCNamespace the
	// inode of the namespace, which no other performance of the stage has.
	PID          int    `json:"pid,omitempty"`
	IPCNamespace uint32 `json:"ipcNamespace,omitempty"`
}

// limit is how long a performance may take.
const limit = time.Minute

// Stage has scenarios performed, one after the other. It is for one goroutine.
type Stage struct {
	// Command is the program that calls Act with the arguments that it gets after
	// these, an id and a way, and with its standard input and output.
	Command []string

	apart      bool       // from the stages before
	namespaces []*os.File // which keep their inodes from later ones
}

// Perform does a scenario by one way, in a process of its own, which ends with this
// one. An error is one of this machine, that nothing can be performed for, or ctx's.
func (s *Stage) Perform(ctx context.Context, scenario *Scenario, way Way) (Performance, error) {
	if !s.apart {
		s.setApart()
	}
	// The kernel ends the process with the thread that has started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	arguments := slices.Concat(s.Command[1:], []string{scenario.ID, string(way)})
	cmd := exec.CommandContext(ctx, s.Command[0], arguments...)
	cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWIPC, Pdeathsig: unix.SIGKILL}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	start, err := cmd.StdinPipe()
	if err != nil {
		return Performance{}, err
	}
	p := Performance{ID: scenario.ID, Way: way, From: time.Now()}
	if err := cmd.Start(); err != nil {
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w: an IPC namespace takes root, or CAP_SYS_ADMIN", err)
		}
		return p, fmt.Errorf("start a process to act: %w", err)
	}
	p.PID = cmd.Process.Pid
	err = s.keepNamespace(&p)
	if err == nil {
		_, err = start.Write([]byte{'\n'})
	}
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	p.To = time.Now()
	if ctx.Err() != nil {
		return p, fmt.Errorf("%s: %w", scenario.ID, context.Cause(ctx))
	}
	var ended ending
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &ended)
	}
	p.Outcome, p.Reason = ended.Outcome, ended.Reason
	if err != nil {
		line, _, _ := strings.Cut(complaint.String(), "\n")
		p.Outcome, p.Reason = Failed, fmt.Sprintf("its process ended with %v: %s", err, line)
	}
	return p, nil
}

// setApart has the inodes of this stage's namespaces differ from those of the stages
// before. The kernel takes the lowest that is free, and to a daemon that has just alerted
// of a namespace, one with its inode is the same, of which it needs no further alert. So
// some are taken first, for nothing: how many, depends on the time, and is the same again
// after a while that is longer than most timespans. It is of no matter if this fails, as
// the performances then fail as well, and say why.
func (s *Stage) setApart() {
	const step, most = 50 * time.Millisecond, 256
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil {
		return
	}
	// The performances need files, too.
	count := time.Now().UnixNano() / int64(step) % max(1, min(most, int64(files.Cur/4)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends, rather than to be in that namespace
		for range count {
			if unix.Unshare(unix.CLONE_NEWUTS) != nil { // the cheapest, of the same inodes
				return
			}
			file, err := os.Open("/proc/thread-self/ns/uts")
			if err != nil {
				return
			}
			s.namespaces = append(s.namespaces, file)
		}
	}()
	<-done
	s.apart = true
}

// keepNamespace keeps the namespace of a process, so that no later one has the same
// inode.
func (s *Stage) keepNamespace(p *Performance) error {
	file, err := os.Open(fmt.Sprintf("/proc/%d/ns/ipc", p.PID))
	if err != nil {
		return err
	}
	s.namespaces = append(s.namespaces, file)
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		return fmt.Errorf("look at the IPC namespace of process %d: %w", p.PID, err)
	}
	p.IPCNamespace = uint32(stat.Ino)
	return nil
}

// Close lets go of the namespaces of all performances, with what was left in them.
func (s *Stage) Close() {
	for _, file := range s.namespaces {
		file.Close()
	}
	s.namespaces = nil
}
