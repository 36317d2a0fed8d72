// Package e2e tests the binary against the kernel that runs the tests: programs
// written in C make System V IPC calls and say what they did, and every word of
// it is compared with what ipcwarden reports.
//
// The tests need root, and bin/ipcwarden or another binary in $IPCWARDEN_BIN.
// $IPCWARDEN_E2E_STREAMS names a directory for what was reported (see keepStream);
// $IPCWARDEN_E2E_HOOK names the hook to test, which then has to attach completely.
//
// The programs are compiled with gcc, unless $IPCWARDEN_E2E_PROGRAMS names a
// directory that has them (see buildAll), as on a machine without a compiler.
package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// limit is how long anything may take that is not known to take longer, in an
// emulated machine too.
const limit = 3 * time.Minute

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

// diagnosis is what `ipcwarden doctor --output json` says.
type diagnosis struct {
	Usable *bool
	Hook   string // that auto takes
	Why    string
	Checks []check
}

type check struct{ Name, Status, Found, Effect string }

// hook is the hook to test.
func hook() string { return cmp.Or(os.Getenv("IPCWARDEN_E2E_HOOK"), "auto") }

// attaches tells whether a hook takes every call.
func (d diagnosis) attaches(hook string) bool {
	return slices.ContainsFunc(d.Checks, func(c check) bool { return c.Name == "hook "+hook && c.Status == "ok" })
}

// missing names what this machine lacks. That the probe does not attach is not
// among it: where all is there that it needs, that is a failure.
func (d diagnosis) missing() (list []string) {
	for _, c := range d.Checks {
		if c.Status == "fail" && !strings.HasPrefix(c.Name, "hook ") {
			list = append(list, c.Name+": "+c.Found)
		}
	}
	return list
}

var diagnose = sync.OnceValues(func() (d diagnosis, err error) {
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

// emulated leaves a test to the live kernel where -short says that this is an
// emulated machine, on which each start of ipcwarden takes long: what it tests does
// not depend on the kernel or on the hook, or there is too much of it.
func emulated(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("left to the live kernel with -short")
	}
}

// anyHook leaves a test that is the same for every hook to one of them where emulated
// would leave it to the live kernel: tracepoint, which every kernel has.
func anyHook(t *testing.T) {
	t.Helper()
	if testing.Short() && hook() != "tracepoint" {
		t.Skip("the same for every hook; left to tracepoint with -short")
	}
}

// requireEveryCall skips for a hook that auto passes over although it attaches, for the
// kernel does not run its programs for every call: fentry, where the kernel preempts
// them. What they miss is counted, which other tests look at.
func requireEveryCall(t *testing.T) {
	t.Helper()
	if hook() != "fentry" {
		return
	}
	d, err := diagnose()
	if err != nil {
		t.Fatal(err)
	}
	if d.Hook != hook() {
		t.Skipf("%s misses calls here: auto takes %s, since %s", hook(), d.Hook, d.Why)
	}
}

// requireBPF skips without root, and where the doctor misses something that BPF
// needs. It fails where nothing is missing, and the probe still does not attach.
func requireBPF(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to load BPF programs")
	}
	binary(t)
	d, err := diagnose()
	switch {
	case err != nil:
		t.Fatalf("ipcwarden doctor: %v", err)
	case *d.Usable && hook() != "auto" && !d.attaches(hook()):
		t.Fatalf("hook %s does not attach: %+v", hook(), d.Checks)
	case *d.Usable:
	case len(d.missing()) > 0:
		t.Skipf("BPF cannot be used here, says the doctor: %s", strings.Join(d.missing(), "; "))
	default:
		t.Fatalf("ipcwarden does not attach: %s", d.Why)
	}
}
