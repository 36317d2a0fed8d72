package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// performance is what `ipcwarden simulate --verify --output json` says of a scenario.
type performance struct {
	ID, Way, Outcome, Reason     string
	OffByDefault, Expected, Seen bool
}

// simulate runs simulate to its end, against the ipcwarden that listens at socket.
func simulate(t *testing.T, socket string, args ...string) (list []performance, complaint string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	args = append([]string{"simulate", "--verify", "--output", "json", "--api", socket}, args...)
	cmd := exec.CommandContext(ctx, binary(t), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd, err)
	}
	if err := json.Unmarshal(out, &list); err != nil || len(list) == 0 {
		t.Fatalf("%v: %v\nstdout: %s\nstderr: %s", cmd, err, out, &stderr)
	}
	return list, stderr.String(), cmd.ProcessState.ExitCode()
}

// offByDefault are the ids of signatures that run uses only if they are asked for.
func offByDefault(t *testing.T) (ids []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary(t), "simulate", "--list", "--output", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []performance
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.OffByDefault {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// TestSimulate wants an alert for every signature that is simulated, by every way.
func TestSimulate(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	anyHook(t)
	names := []string{"--all"}
	if testing.Short() { // a process to act takes long to start there
		names = []string{"IPCW-005", "IPCW-007", "IPCW-016"}
	}
	socket := filepath.Join(t.TempDir(), "api.sock")
	args := []string{"run", "--output", "json", "--api", socket}
	for _, id := range offByDefault(t) {
		args = append(args, "--enable", id)
	}
	w := start(t, args...)
	list, complaint, code := simulate(t, socket, names...)
	s := w.stop()
	missed := s.Dropped["entry_missed"] + s.Dropped["return_missed"]
	if code != 0 && missed == 0 {
		t.Errorf("exit code %d: %s\nstderr of run: %s", code, complaint, w.stderr.text())
	}
	for _, p := range list {
		t.Run(p.ID+"/"+p.Way, func(t *testing.T) {
			switch {
			case p.Outcome == "skipped":
				t.Skip(p.Reason)
			case p.Outcome != "done":
				t.Errorf("%s: %s", p.Outcome, p.Reason)
			case !p.Expected:
				t.Error("no alert is expected")
			case !p.Seen && missed > 0:
				t.Skipf("the kernel did not run a program for %d calls", missed)
			case !p.Seen:
				t.Error("no alert")
			}
		})
	}
}

// TestSimulateMissing wants to be told of a signature that the daemon does not have.
func TestSimulateMissing(t *testing.T) {
	requireBPF(t)
	emulated(t)
	socket := filepath.Join(t.TempDir(), "api.sock")
	start(t, "run", "--no-builtin", "--signatures", signatures(t, map[string]string{"end.rego": endSignature}), "--api", socket)
	list, complaint, code := simulate(t, socket, "IPCW-002", "IPCW-033", "--timeout", "1s")
	if code != 1 || !strings.Contains(complaint, "expected alerts are missing") {
		t.Errorf("exit code %d, %q", code, complaint)
	}
	for _, p := range list {
		if want := p.ID == "IPCW-002" && p.Outcome == "done"; p.Expected != want || p.Seen {
			t.Errorf("%+v", p)
		}
	}
}
