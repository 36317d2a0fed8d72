package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asNobody runs the binary without any privilege, from where anybody may run it.
func asNobody(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(scratch, "ipcwarden"), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("ipcwarden %s: %v", strings.Join(args, " "), err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestWithoutRoot wants one line that says what is missing, and all that needs
// no privilege to work.
func TestWithoutRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	program, err := os.ReadFile(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(scratch, "ipcwarden"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"trace", "run"} {
		t.Run(command, func(t *testing.T) {
			code, stdout, stderr := asNobody(t, command)
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if stdout != "" {
				t.Errorf("stdout: %q, want nothing", stdout)
			}
			if lines := strings.Count(strings.TrimSpace(stderr), "\n") + 1; lines != 1 || strings.TrimSpace(stderr) == "" {
				t.Errorf("%d lines on stderr, want one:\n%s", lines, stderr)
			}
			mustContain(t, "stderr", stderr, "CAP_BPF")
		})
	}
	dir := filepath.Join(scratch, "signatures")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "end.rego"), []byte(endSignature), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"events":           {[]string{"events"}, "semtimedop"},
		"version":          {[]string{"version"}, "version"},
		"signatures check": {[]string{"signatures", "check", dir}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := asNobody(t, c.args...)
			if code != 0 {
				t.Errorf("exit code %d, want 0\nstderr: %s", code, stderr)
			}
			mustContain(t, "stdout", stdout, c.want)
		})
	}
}
