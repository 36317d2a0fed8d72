package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfiguration starts run with a file, another beside it, the environment and a
// flag, of which each overrides the one before; and with a file that is wrong.
func TestConfiguration(t *testing.T) {
	emulated(t)
	requireBPF(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	one, two, three := signatures(t, map[string]string{"a.rego": edition(1, "msgsnd")}), signatures(t, map[string]string{"a.rego": edition(2, "msgsnd")}),
		signatures(t, map[string]string{"a.rego": edition(3, "msgsnd")})
	writeFile(t, file, "signatures: {builtin: false, paths: ["+one+"]}\nlog: {level: debug}\noutput: table\n")
	writeFile(t, filepath.Join(dir, "conf.d", "10.yaml"), "signatures: {paths: ["+two+"]}\nlog: {level: error}\n")
	t.Setenv("IPCWARDEN_SIGNATURES_PATHS", three)
	t.Setenv("IPCWARDEN_LOG_LEVEL", "warn")
	w := start(t, "run", "--config", file, "--log-level", "info", "--output", "json")
	runProgram(t, count.build(t), "1", "1")
	w.stop()
	lines := w.stdout.rest(t)
	if len(lines) != 1 || !strings.Contains(string(lines[0]), `"edition":3`) {
		t.Errorf("alerts %s, want one by edition 3", lines)
	}

	writeFile(t, file, "signatures:\n  path: [/tmp]\ncapture:\n  hook: kpobe\n")
	var stderr strings.Builder
	cmd := exec.Command(binary(t), "run", "--config", file)
	cmd.Env = append(os.Environ(), "IPCWARDEN_API_ALERTS=many")
	cmd.Stderr = &stderr
	err := cmd.Run()
	for _, want := range []string{
		file + ":2: signatures.path: unknown key; the nearest is signatures.paths\n",
		file + `:4: capture.hook: "kpobe" is none of auto, fentry, kprobe, tracepoint (did you mean kprobe?)` + "\n",
		`$IPCWARDEN_API_ALERTS: api.alerts: must be a whole number, not "many"` + "\n",
		"ipcwarden: the configuration has 3 problems\n",
	} {
		if err == nil || !strings.Contains(stderr.String(), want) {
			t.Errorf("%v: %q is not in\n%s", err, want, &stderr)
		}
	}
}
