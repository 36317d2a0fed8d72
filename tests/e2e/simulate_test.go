package e2e

import (
	"context"
	"encoding/json"
	"os/exec"
	"testing"
	"time"
)

// performance is what `ipcwarden simulate --output json` says of a scenario.
type performance struct {
	ID, Way, Outcome, Reason string
	IPCNamespace             json.Number
	OffByDefault             bool
}

// performed runs simulate to its end. Nothing may fail.
func performed(t *testing.T, args ...string) (list []performance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), append([]string{"simulate", "--output", "json"}, args...)...)
	out, err := cmd.Output()
	if jsonErr := json.Unmarshal(out, &list); err != nil || jsonErr != nil || len(list) == 0 {
		t.Fatalf("%v: %v, %v\n%s", cmd, err, jsonErr, out)
	}
	return list
}

// TestSimulate wants an alert for every signature that is simulated, through every way.
func TestSimulate(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	anyHook(t)
	names := []string{"--all"}
	if testing.Short() { // a process to act takes long to start there
		names = []string{"IPCW-005", "IPCW-007", "IPCW-016"}
	}
	w := start(t, "run", "--output", "json")
	for _, p := range performed(t, names...) {
		t.Run(p.ID+"/"+p.Way, func(t *testing.T) {
			switch {
			case p.Outcome == "skipped":
				t.Skip(p.Reason)
			case p.OffByDefault:
				t.Skip("the signature is off by default")
			}
			isSeen := func(line []byte) bool {
				a := decode[alert](t, line)
				return a.Signature.ID == p.ID && a.Event != nil && a.Event.IPCNamespace == p.IPCNamespace
			}
			if _, ok := w.stdout.awaitAfter(0, 10*time.Second, isSeen); !ok {
				t.Errorf("no alert in IPC namespace %s\nstdout: %s\nstderr: %s", p.IPCNamespace, tail(w.stdout.text(), 2000), w.stderr.text())
			}
		})
	}
}
