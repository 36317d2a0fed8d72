package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a server may take to answer or to end.
const patience = 30 * time.Second

// stage is what a workload has to play with. Everything that it starts prints to this
// process's output, and ends with it.
type stage struct {
	ctx    context.Context
	dir    string // of its own, which everybody may read and enter
	groups []int  // of the processes that were started
}

// playHere plays a workload in this process.
func playHere(ctx context.Context, name string) (err error) {
	runtime.LockOSThread() // with which all that is started ends
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	w := find(name)
	if w == nil {
		return fmt.Errorf("no workload is called %s", name)
	}
	dir, err := os.MkdirTemp("", "ipcwarden-benign-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	s := &stage{ctx: ctx, dir: dir}
	defer s.clear()
	return w.play(s)
}

// clear ends what is left of what was started.
func (s *stage) clear() {
	for _, group := range s.groups {
		_ = unix.Kill(-group, unix.SIGKILL) // most have ended
	}
}

// process is one that was started.
type process struct {
	cmd   *exec.Cmd
	ended chan error
}

// start starts a program as a user, in the stage's directory and in a process group of
// its own: Apache signals its whole group.
func (s *stage) start(as string, program string, args ...string) (*process, error) {
	cmd := exec.CommandContext(s.ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "LC_ALL=C.UTF-8")
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL, Setpgid: true}
	if as != "root" {
		uid, gid, err := ids(as)
		if err != nil {
			return nil, err
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	fmt.Println("+", cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.groups = append(s.groups, cmd.Process.Pid)
	p := &process{cmd, make(chan error, 1)}
	go func() { p.ended <- cmd.Wait() }()
	return p, nil
}

// run runs a program as a user to its end.
func (s *stage) run(as string, program string, args ...string) error {
	p, err := s.start(as, program, args...)
	if err == nil {
		err = <-p.ended
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	return nil
}

// stop asks a server to end, and waits until it has.
func (p *process) stop(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("stop %s: %w", p.cmd, err)
	}
	select {
	case err := <-p.ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = nil // however it ends that was told to
		}
		return err
	case <-time.After(patience):
		return fmt.Errorf("%s does not end on %s", p.cmd, sig)
	}
}

// await waits until attempt succeeds.
func (s *stage) await(what string, attempt func() error) error {
	for until := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := attempt()
		if err == nil {
			return nil
		}
		if time.Now().After(until) || s.ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// folder makes a directory for a user.
func (s *stage) folder(as, name string) (string, error) {
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, s.give(as, dir)
}

// write writes a file for a user.
func (s *stage) write(as, name, text string, mode os.FileMode) (string, error) {
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return "", err
	}
	return path, s.give(as, path)
}

func (s *stage) give(as, path string) error {
	uid, gid, err := ids(as)
	if err != nil {
		return err
	}
	return os.Chown(path, int(uid), int(gid))
}

// ids are those of a user.
func ids(name string) (uid, gid uint32, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	var numbers [2]uint64
	for i, text := range []string{u.Uid, u.Gid} {
		if numbers[i], err = strconv.ParseUint(text, 10, 32); err != nil {
			return 0, 0, fmt.Errorf("user %s: %w", name, err)
		}
	}
	return uint32(numbers[0]), uint32(numbers[1]), nil
}
