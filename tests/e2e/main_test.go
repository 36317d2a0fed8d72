// Package e2e tests the binary against the kernel that runs the tests: programs
// written in C make System V IPC calls and say what they did, and every word of
// it is compared with what ipcwarden reports.
//
// The tests need root, and bin/ipcwarden or another binary in $IPCWARDEN_BIN.
// The programs are compiled with gcc, unless $IPCWARDEN_E2E_PROGRAMS names a
// directory that has them (see buildAll), as on a machine without a compiler.
package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// limit is how long anything may take that is not known to take longer.
const limit = 30 * time.Second

// scratch is a directory that lasts as long as the test run and that everybody
// may enter.
var scratch string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "ipcwarden-e2e-"); err == nil {
		err = os.Chmod(scratch, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	if dir := os.Getenv("IPCWARDEN_E2E_BUILD"); dir != "" {
		return buildAll(dir)
	}
	return m.Run()
}

// binary returns the path of the ipcwarden under test, and fails the test if
// there is none: a missing binary is no reason to skip.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("IPCWARDEN_BIN")
	if path == "" {
		path = filepath.Join("..", "..", "bin", "ipcwarden")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no binary to test: %v", err)
	}
	return path
}

// diagnosis is what `ipcwarden doctor` says about this machine.
var diagnosis = sync.OnceValues(func() (d struct {
	Usable *bool
	Why    string
}, err error,
) {
	path := os.Getenv("IPCWARDEN_BIN")
	if path == "" {
		path = filepath.Join("..", "..", "bin", "ipcwarden")
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "doctor", "--output", "json").Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // a bad diagnosis exits with 1
		return d, err
	}
	if err := json.Unmarshal(out, &d); err != nil {
		return d, fmt.Errorf("doctor --output json: %w in %q", err, out)
	}
	if d.Usable == nil {
		return d, fmt.Errorf("doctor --output json: no field usable in %q", out)
	}
	return d, nil
})

// requireBPF skips where BPF cannot be used: not root, or the doctor says so.
func requireBPF(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to load BPF programs")
	}
	binary(t)
	d, err := diagnosis()
	if err != nil {
		t.Fatalf("ipcwarden doctor: %v", err)
	}
	if !*d.Usable {
		t.Skipf("BPF cannot be used here, says the doctor: %s", d.Why)
	}
}
