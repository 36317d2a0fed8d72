package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ipcwarden runs a command that ends by itself, and returns what it printed.
func ipcwarden(t *testing.T, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(binary(t), args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ipcwarden %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// TestReplayGivesTheAlertsOfTheRun records what run judges, all that the built-in
// signatures find, with some of it suppressed and what is alike put together, and replays
// it ten times.
func TestReplayGivesTheAlertsOfTheRun(t *testing.T) {
	requireBPF(t)
	emulated(t)
	own := signatures(t, map[string]string{"end.rego": endSignature})
	dir := t.TempDir()
	recording, config := filepath.Join(dir, "calls.ipcwcap"), filepath.Join(dir, "config.yaml")
	writeFile(t, config, "throttle: {window: 300ms}\nsuppress:\n  - {signature: IPCW-002, reason: the programs have to have segments}\n")
	w := start(t, "run", "--config", config, "--output", "json", "--signatures", own, "--record", recording)
	for _, path := range []string{suspicious.build(t), many.build(t)} {
		for _, act := range strings.Fields(string(runProgram(t, path).stdout)) {
			perform(w, path, act)
		}
	}
	w.stop()
	want := bytes.Join(w.stdout.rest(t), nil)
	if n := bytes.Count(want, []byte(`"correlation"`)); n == 0 {
		t.Error("no alert of a correlation: the test is worth little")
	}
	if !bytes.Contains(want, []byte(`"repeated"`)) || bytes.Contains(want, []byte(`"id":"IPCW-002"`)) {
		t.Error("nothing is put together, or what is suppressed is there: the test is worth little")
	}
	for i := range 10 {
		if got := ipcwarden(t, "replay", recording, "--config", config, "--signatures", own); !bytes.Equal(got, want) {
			at := 0
			for at < min(len(got), len(want)) && got[at] == want[at] {
				at++
			}
			t.Fatalf("replay %d differs at byte %d of %d:\n%s\nof run:\n%s", i, at, len(want),
				head(string(got[max(0, at-200):]), 400), head(string(want[max(0, at-200):]), 400))
		}
	}
}

// TestRecordingOutlivesItsWriter kills ipcwarden: what it had written can be read.
func TestRecordingOutlivesItsWriter(t *testing.T) {
	requireBPF(t)
	emulated(t)
	recording := filepath.Join(t.TempDir(), "calls.ipcwcap")
	w := start(t, "record", "--output", recording)
	pid := runProgram(t, variants[0].calls().build(t), "--private").pid
	traced := func() bool {
		return bytes.Contains(ipcwarden(t, "trace", "--from", recording, "--output", "json", "--events", "msgctl"), []byte(endID))
	}
	for deadline := time.Now().Add(limit); !traced(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("none of the last calls is in the recording after %s\nstderr: %s", limit, w.stderr.text())
		}
	}
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.exited
	if !traced() {
		t.Errorf("the last calls of process %d are gone", pid)
	}
	info, err := os.Stat(recording)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %o, want 600", mode)
	}
}
