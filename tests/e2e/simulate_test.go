package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// performance is what `ipcwarden simulate --verify --output json` says of a scenario.
type performance struct {
	ID, Way, Outcome, Reason     string
	OffByDefault, Expected, Seen bool
}

// atOnce is how many scenarios are done within limit, in an emulated machine too.
const atOnce = 8

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

// scenarios lists what can be simulated.
func scenarios(t *testing.T) (list []performance) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary(t), "simulate", "--list", "--output", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestSimulate wants an alert for every signature that is simulated, by every way.
func TestSimulate(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	anyHook(t)
	socket := filepath.Join(t.TempDir(), "api.sock")
	args := []string{"run", "--output", "json", "--api", socket}
	var ids []string
	for _, s := range scenarios(t) {
		ids = append(ids, s.ID)
		if s.OffByDefault {
			args = append(args, "--enable", s.ID)
		}
	}
	if testing.Short() { // a process to act takes long to start there
		ids = []string{"IPCW-005", "IPCW-007", "IPCW-016"}
	}
	w := start(t, args...)
	var all []performance
	for some := range slices.Chunk(ids, atOnce) {
		list, complaint, code := simulate(t, socket, append(some, "--timeout", "30s")...)
		if code != 0 {
			t.Logf("exit code %d: %s", code, complaint)
		}
		all = append(all, list...)
	}
	s := w.stop()
	missed := s.Dropped["entry_missed"] + s.Dropped["return_missed"]
	for _, p := range all {
		t.Run(p.ID+"/"+p.Way, func(t *testing.T) {
			switch {
			case p.Outcome == "skipped" && mayLack(p.Reason):
				t.Skip(p.Reason)
			case p.Outcome != "done":
				t.Errorf("%s: %s", p.Outcome, p.Reason)
			case !p.Expected:
				t.Error("no alert is expected")
			case !p.Seen && missed > 0:
				t.Skipf("the kernel did not run a program for %d calls", missed)
			case !p.Seen:
				t.Errorf("no alert\nstderr of run: %s", w.stderr.text())
			}
		})
	}
}

// mayLack tells of a reason to skip a scenario that some of the tested machines have:
// no 32-bit calls on the live host, one processor only in the emulated ones.
func mayLack(reason string) bool {
	return slices.ContainsFunc([]string{"no int 0x80", "on two processors only", "calls met a removal"},
		func(known string) bool { return strings.Contains(reason, known) })
}

// TestSimulateMissing wants to be told of a signature that the daemon does not have.
func TestSimulateMissing(t *testing.T) {
	requireBPF(t)
	emulated(t)
	socket := filepath.Join(t.TempDir(), "api.sock")
	start(t, "run", "--no-builtin", "--signatures", signatures(t, map[string]string{"end.rego": endSignature}), "--api", socket)
	list, complaint, code := simulate(t, socket, "IPCW-002", "IPCW-033", "--timeout", "1s")
	if code != 1 || !strings.Contains(complaint, "missing: ") {
		t.Errorf("exit code %d, %q", code, complaint)
	}
	for _, p := range list {
		if want := p.ID == "IPCW-002" && p.Outcome == "done"; p.Expected != want || p.Seen {
			t.Errorf("%+v", p)
		}
	}
}
