package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// ipcwarden runs a command line in this process.
func ipcwarden(args ...string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	code = execute(args, &out, &err)
	return out.String(), err.String(), code
}

func TestMistakesAreOneLineAndSuggest(t *testing.T) {
	tests := []struct{ args, want string }{
		{"evnts", `unknown command "evnts" (did you mean events?); see ipcwarden --help`},
		{"zzzzzz", `unknown command "zzzzzz"; see ipcwarden --help`},
		{"signatures lst", `unknown command "lst" (did you mean list?); see ipcwarden signatures --help`},
		{"completion bsh", `unknown command "bsh" (did you mean bash?); see ipcwarden completion --help`},
		{"help evnts", `unknown command "evnts" (did you mean events?); see ipcwarden --help`},
		{"events msgsn", `unknown event "msgsn" (did you mean msgsnd?); ipcwarden events lists all`},
		{"events --otput json", `unknown flag --otput (did you mean --output?); see ipcwarden events --help`},
		{"events --zzzzzz", `unknown flag --zzzzzz; see ipcwarden events --help`},
		{"events -x", `unknown flag -x; see ipcwarden events --help`},
		{"--vrsion", `unknown flag --vrsion (did you mean --version?); see ipcwarden --help`},
		{"version extra", `unknown command "extra" for "ipcwarden version"`},
		{"version -o xml", `--output: "xml" is neither table nor json`},
		{"trace --events msgsn", `--events: unknown event "msgsn" (did you mean msgsnd?); ipcwarden events lists all`},
	}
	for _, test := range tests {
		stdout, stderr, code := ipcwarden(strings.Fields(test.args)...)
		if want := "ipcwarden: " + test.want + "\n"; code != 1 || stdout != "" || stderr != want {
			t.Errorf("ipcwarden %s: code %d\nstdout %q\nstderr %q\nwant   %q", test.args, code, stdout, stderr, want)
		}
	}
}

func TestCounted(t *testing.T) {
	for n, want := range []string{"0 libraries", "1 library", "2 libraries"} {
		if got := counted(n, "library", "libraries"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{
		"", "--help", "help", "help events", "events --help", "version --help", "completion --help",
		"completion bash --help", "completion zsh --help", "completion fish --help", "run --help", "trace --help",
		"doctor --help", "signatures --help", "config --help", "config check --help", "status --help", "alerts --help", "simulate --help",
	} {
		stdout, stderr, code := ipcwarden(strings.Fields(args)...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage:") {
			t.Errorf("ipcwarden %s: code %d\nstdout %q\nstderr %q", args, code, stdout, stderr)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if stdout, stderr, code := ipcwarden("completion", shell); code != 0 || stderr != "" || !strings.Contains(stdout, "ipcwarden") {
			t.Errorf("completion %s: code %d, stderr %q", shell, code, stderr)
		}
	}
	for args, want := range map[string]string{
		"events msgsnd ": "msgrcv\t", "events --output ": "json\n", "help ": "events\t", "help signatures ": "list\t", "": "version\t",
	} {
		stdout, _, code := ipcwarden(append([]string{"__complete"}, strings.Split(args, " ")...)...)
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("completing %q: code %d, %q not in %q", args, code, want, stdout)
		}
	}
	if stdout, _, _ := ipcwarden("__complete", "events", "msgsnd", ""); strings.Contains(stdout, "msgsnd\t") {
		t.Errorf("msgsnd is offered twice: %q", stdout)
	}
}

func TestVersion(t *testing.T) {
	stdout, _, _ := ipcwarden("version", "--output", "json")
	var b build
	if err := json.Unmarshal([]byte(stdout), &b); err != nil || b.Version == "" || b.Go == "" || b.OS == "" || b.Arch == "" {
		t.Errorf("%q: %v", stdout, err)
	}
	if stdout, _, code := ipcwarden("version"); code != 0 || !strings.HasPrefix(stdout, "version ") {
		t.Errorf("code %d, %q", code, stdout)
	}
	if stdout, _, _ := ipcwarden("--version"); stdout != "ipcwarden "+b.Version+"\n" {
		t.Errorf("--version: %q", stdout)
	}
}

func TestEvents(t *testing.T) {
	stdout, _, code := ipcwarden("events")
	if code != 0 || strings.Count(stdout, "\n") != 1+len(event.All.Names()) {
		t.Errorf("code %d\n%s", code, stdout)
	}
	stdout, _, code = ipcwarden("events", "ipc")
	for _, want := range []string{"__ia32_compat_sys_ipc", "raw tracepoint sys_enter", "Tracee's page says [OPT]", "SHMCTL"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("code %d, %q not in\n%s", code, want, stdout)
		}
	}
	stdout, _, code = ipcwarden("events", "shmat", "ipc", "--output", "json")
	var events []struct{ Name string }
	if err := json.Unmarshal([]byte(stdout), &events); err != nil || code != 0 || len(events) != 2 || events[0].Name != "shmat" {
		t.Errorf("code %d, %v\n%s", code, err, stdout)
	}
}
