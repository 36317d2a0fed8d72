package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrivilegesAreGivenUp looks at every thread of an ipcwarden that watches: it has
// CAP_BPF left, and can get no others.
func TestPrivilegesAreGivenUp(t *testing.T) {
	requireBPF(t)
	emulated(t)
	w := start(t, "run")
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", w.cmd.Process.Pid))
	if err != nil || len(threads) < 2 {
		t.Fatalf("%d threads, error %v", len(threads), err)
	}
	for _, name := range threads {
		status, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		for _, want := range []string{"CapPrm:\t0000008000000000\n", "CapEff:\t0000008000000000\n", "CapAmb:\t0000000000000000\n", "NoNewPrivs:\t1\n"} {
			if !strings.Contains(string(status), want) {
				t.Errorf("%s has no %q:\n%s", name, want, status)
			}
		}
	}
}
