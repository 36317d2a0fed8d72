package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/simulate"
)

func TestSimulateList(t *testing.T) {
	stdout, stderr, code := ipcwarden("simulate", "--list", "--output", "json")
	var list []listedScenario
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != 0 || len(list) != len(simulate.All()) {
		t.Fatalf("code %d, %v, %d scenarios\n%s", code, err, len(list), stderr)
	}
	for _, s := range list {
		if s.Title == "" || s.Does == "" || len(s.Ways) == 0 {
			t.Errorf("%+v", s)
		}
	}
	stdout, _, code = ipcwarden("simulate", "--list")
	if code != 0 || strings.Count(stdout, "\n") != 2*len(list) || !strings.Contains(stdout, list[0].Title) {
		t.Errorf("code %d\n%s", code, stdout)
	}
}

func TestSimulateMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"":                    "name the signatures to simulate, or --all; --list lists them",
		"--all IPCW-001":      "--all and --list take no ids",
		"IPCW-0016":           `no scenario for signature "IPCW-0016" (did you mean IPCW-001?); ipcwarden simulate --list lists all`,
		"IPCW-001 -o xml":     `--output: "xml" is neither table nor json`,
		"--all --list":        "if any flags in the group [list all] are set none of the others can be; [all list] were all set",
		"IPCW-001 --all=nope": `invalid argument "nope" for "--all" flag: strconv.ParseBool: parsing "nope": invalid syntax; see ipcwarden simulate --help`,
	} {
		stdout, stderr, code := ipcwarden(append([]string{"simulate"}, strings.Fields(args)...)...)
		if code != 2 || stdout != "" || stderr != "ipcwarden: "+want+"\n" {
			t.Errorf("simulate %s: code %d\nstdout %q\nstderr %q\nwant   %q", args, code, stdout, stderr, want)
		}
	}
}

func TestSimulateCompletion(t *testing.T) {
	stdout, _, _ := ipcwarden("__complete", "simulate", "IPCW-001", "")
	if !strings.Contains(stdout, "IPCW-002\t") || strings.Contains(stdout, "IPCW-001\t") {
		t.Errorf("completing: %q", stdout)
	}
	if stdout, _, _ := ipcwarden("--help"); strings.Contains(stdout, actCommand) {
		t.Errorf("the help shows %s:\n%s", actCommand, stdout)
	}
}

// TestActsOnlyWhenTold wants the process of a performance to do nothing without its stage.
func TestActsOnlyWhenTold(t *testing.T) {
	stdin := os.Stdin
	defer func() { os.Stdin = stdin }()
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer nothing.Close()
	os.Stdin = nothing
	if stdout, stderr, code := ipcwarden(actCommand, "IPCW-001", "direct"); code == 0 || stdout != "" || !strings.Contains(stderr, "not started") {
		t.Errorf("code %d\nstdout %q\nstderr %q", code, stdout, stderr)
	}
}
