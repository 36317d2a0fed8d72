package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// deliverySettings suppresses what is found of getting and removing queues, gives at most
// five alerts of the rest, and has three sinks, of which one is down.
const deliverySettings = `
signatures: {builtin: false, paths: [%s, %s]}
suppress:
  - {signature: E2E-NOBODY, where: {comm: count}, reason: the program has to have a queue}
throttle: {limit: 5, every: 1h}
sinks:
  log: {kind: file, file: {path: %s}}
  hook: {kind: webhook, webhook: {url: "%s"}}
  down: {kind: webhook, webhook: {url: "http://127.0.0.1:1"}}
spool: {path: %s}
`

// TestDelivery runs with sinks beside each other, and wants each that works to get the
// same, and what the spool has for the one that is down to be delivered by a second run.
func TestDelivery(t *testing.T) {
	emulated(t)
	requireBPF(t)
	dir := t.TempDir()
	r, up := newReceiver(t), newReceiver(t)
	file, log := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "alerts.json")
	queue := strings.NewReplacer("[msgsnd, msgrcv]", "[msgget, msgctl]", "input.userId == 123456789", `input.processName == "count"`).Replace(nobodySignature)
	settings := fmt.Sprintf(deliverySettings, signatures(t, map[string]string{"a.rego": edition(1, "msgsnd")}),
		signatures(t, map[string]string{"a.rego": queue}), log, r.URL, filepath.Join(dir, "spool"))
	writeFile(t, file, settings)
	w := start(t, "run", "--config", file)
	runProgram(t, count.build(t), "1", "50") // and two calls for its queue
	w.stop()
	if out := w.stdout.rest(t); len(out) != 0 {
		t.Errorf("%d lines on stdout beside the sinks", len(out))
	}

	written, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v: %v", info.Mode(), err)
	}
	lines := bytes.Split(bytes.TrimSpace(written), []byte("\n"))
	of := func(bodies [][]byte, kind string) (list []string) {
		for _, b := range bodies {
			if a := decode[struct{ ID, Type string }](t, b); a.Type == kind {
				list = append(list, a.ID)
			}
		}
		return list
	}
	if n := len(of(lines, "finding")); n != 5 || len(of(lines, "suppressed")) != 1 || !bytes.Contains(written, []byte(`"suppressed":{"count":45,"limit":5`)) {
		t.Errorf("%d findings in the file, want 5, and 45 suppressed:\n%s", n, written)
	}
	if !strings.Contains(w.stderr.text(), "the program has to have a queue") {
		t.Errorf("the log does not say what was suppressed:\n%s", w.stderr.text())
	}

	// The one that was down is up, and the others get nothing again.
	writeFile(t, file, strings.Replace(settings, "http://127.0.0.1:1", up.URL, 1))
	start(t, "run", "--config", file).stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	up.mu.Lock()
	defer up.mu.Unlock()
	for _, kind := range []string{"finding", "suppressed"} {
		want := fmt.Sprint(of(lines, kind))
		if got := fmt.Sprint(of(r.bodies, kind)); got != want {
			t.Errorf("%s: the webhook got %s, the file %s", kind, got, want)
		}
		if got := fmt.Sprint(of(up.bodies, kind)); got != want {
			t.Errorf("%s: the webhook that was down got %s, the file %s", kind, got, want)
		}
	}
}
