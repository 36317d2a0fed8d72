package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/api"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// found is what is read of an alert.
type found struct {
	Severity  detect.Severity
	Signature struct{ ID, Title string }
	Event     struct {
		EventName, ProcessName string
		EffectiveUserID        uint32
		IPCNamespace           uint32
		Object                 json.RawMessage
	}
	Gap *gap
}

// gap is what is read of a loss.
type gap struct {
	Count uint64
	Cause string
}

// aggregated is the cause of calls that the kernel has counted for a signature, which
// are not lost.
const aggregated = "aggregated"

// settle is how long ipcwarden has for what a workload did last.
const settle = 2 * time.Second

// watcher is ipcwarden, twice: run with a profile, and trace for the calls that get an
// object, which prove that a workload made any.
type watcher struct {
	client *api.Client
	alerts []found
	calls  map[uint32]int // by IPC namespace
	daemon []*daemon
}

// daemon is an ipcwarden whose output is read until it ends.
type daemon struct {
	cmd  *exec.Cmd
	read chan error // what reading its output ended with
}

func watch(ctx context.Context, o options, profile string) (w *watcher, err error) {
	socket := filepath.Join(os.TempDir(), fmt.Sprintf("ipcwarden-benign-%d.sock", os.Getpid()))
	w = &watcher{client: api.NewClient(socket), calls: map[uint32]int{}}
	defer func() {
		if err != nil {
			w.kill()
		}
	}()
	err = w.start(ctx, o, func(line []byte) error {
		var alert found
		if err := json.Unmarshal(line, &alert); err != nil {
			return err
		}
		w.alerts = append(w.alerts, alert)
		return nil
	}, "run", "--config", profile, "--api", socket)
	if err != nil {
		return nil, err
	}
	err = w.start(ctx, o, func(line []byte) error {
		var call struct{ IPCNamespace uint32 }
		if err := json.Unmarshal(line, &call); err != nil {
			return err
		}
		w.calls[call.IPCNamespace]++
		return nil
	}, "trace", "--events", "msgget,semget,shmget")
	return w, err
}

// start starts ipcwarden, which calls line for each line that it prints, and waits
// until it watches.
func (w *watcher) start(ctx context.Context, o options, line func([]byte) error, command string, args ...string) error {
	log, err := os.Create(filepath.Join(o.logs, "ipcwarden-"+command+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	// What it loses for want of a CPU is no matter here.
	args = append([]string{"-n", "-10", o.binary, command, "--output", "json"}, args...)
	cmd := exec.CommandContext(ctx, "nice", args...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	d := &daemon{cmd, make(chan error, 1)}
	w.daemon = append(w.daemon, d)
	go func() { d.read <- eachLine(out, line) }()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if text, err := os.ReadFile(log.Name()); err != nil {
			return err
		} else if bytes.Contains(text, []byte(`"msg":"watching"`)) {
			return nil
		}
	}
	return fmt.Errorf("ipcwarden %s does not watch; see %s", command, log.Name())
}

func eachLine(in io.Reader, line func([]byte) error) error {
	r := bufio.NewReaderSize(in, 1<<20)
	for {
		text, err := r.ReadBytes('\n')
		if len(text) > 0 {
			if err := line(text); err != nil {
				return fmt.Errorf("read what ipcwarden prints: %w in %s", err, text)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// stop has ipcwarden deliver what it has and end, tells each result what is its own,
// and returns what was lost and what was suppressed.
func (w *watcher) stop(ctx context.Context, results []*result) (lost []gap, suppressed []status.Suppression, err error) {
	time.Sleep(settle)
	now, err := w.client.Status(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range w.daemon {
		err = errors.Join(err, d.cmd.Process.Signal(unix.SIGTERM), <-d.read, d.cmd.Wait())
	}
	for _, r := range results {
		r.calls = w.calls[r.namespace]
	}
	for _, alert := range w.alerts {
		if alert.Gap != nil && alert.Gap.Cause != aggregated {
			lost = append(lost, *alert.Gap)
		}
		for _, r := range results {
			if r.namespace != 0 && r.namespace == alert.Event.IPCNamespace {
				r.alerts = append(r.alerts, alert)
			}
		}
	}
	return lost, now.Suppressions, err
}

// kill ends what has not ended by itself.
func (w *watcher) kill() {
	w.client.Close()
	for _, d := range w.daemon {
		_ = d.cmd.Process.Kill() // it has ended if stop was called
	}
}
