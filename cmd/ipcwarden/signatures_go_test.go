package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestSignaturesInGo wants the signatures in Go to be there like those in Rego.
func TestSignaturesInGo(t *testing.T) {
	dir := authored(t)
	builtin, _, _ := ipcwarden("signatures", "list")
	all := strings.Count(builtin, "\n") // without the heading, but with the one in dir
	for args, want := range map[string]string{
		"list":                             "IPCW-030  medium    on       semop,semtimedop ",
		"show IPCW-030":                    "defined in  builtin/signatures/impossible_operations.go\n",
		"check " + dir:                     fmt.Sprintf("%d signatures, ", all),
		"show IPCW-030 ":                   "func newImpossibleOperations() *impossibleOperations {\n",
		"show IPCW-030  ":                  "  - semop, semtimedop: nsops ",
		"list -o json":                     `"source": "builtin/signatures/impossible_operations.go"`,
		"bench -t 1ms -e " + recordingFile: "  IPCW-030\n",
	} {
		stdout, stderr, code := ipcwarden(append([]string{"signatures"}, strings.Fields(args)...)...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Errorf("%s: code %d, no %q in\n%s%s", args, code, want, stdout, stderr)
		}
	}
	stdout, _, code := ipcwarden("signatures", "show", "IPCW-030", "-o", "json")
	var shown struct {
		ID, Contract string
		Verdict      []any
		Files        []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(stdout), &shown); err != nil || code != 0 || shown.ID != "IPCW-030" || shown.Contract != "go" ||
		shown.Verdict == nil || len(shown.Files) != 1 {
		t.Errorf("code %d, %v\n%s", code, err, stdout)
	}
	if stdout, _, _ := ipcwarden("signatures", "list", "--no-builtin", dir); strings.Contains(stdout, "IPCW-030") {
		t.Errorf("--no-builtin lists\n%s", stdout)
	}
	if stdout, _, _ := ipcwarden("__complete", "signatures", "show", ""); !strings.Contains(stdout, "IPCW-030\t") {
		t.Errorf("completion has\n%s", stdout)
	}
	taken := "signature id IPCW-030 is taken by builtin/signatures/impossible_operations.go\n"
	file := filepath.Join(dir, "a.rego")
	save(t, file, "# METADATA\n# title: a\n# custom:\n#   id: IPCW-030\n#   severity: low\n#   events: [shmat]\npackage a\n\nmatch if true\n")
	for args, want := range map[string]string{
		"check " + file:       "ipcwarden: " + file + ": " + taken,
		"new IPCW-030 " + dir: "ipcwarden: " + strings.TrimPrefix(taken, "signature "),
		"show IPCW-0300":      `ipcwarden: unknown signature "IPCW-0300" (did you mean IPCW-030?); ipcwarden signatures list lists all` + "\n",
		"show IPCW-030 --no-builtin -s " + dir + "/site-001": `ipcwarden: unknown signature "IPCW-030"; ipcwarden signatures list lists all` + "\n",
	} {
		if _, stderr, code := ipcwarden(append([]string{"signatures"}, strings.Fields(args)...)...); code != 1 || stderr != want {
			t.Errorf("%s: code %d, %q, want %q", args, code, stderr, want)
		}
	}
}

func TestSignaturesExplainInGo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "calls.jsonl")
	call := `{"eventName": "semop", "error": "EAGAIN", "returnValue": -11, "memory": [{"arg": "sops", "type": "sembuf[]", "address": "0x10", ` +
		`"length": 12, "atEntry": {"state": "read", "bytes": "BYTES"}}]}` + "\n"
	save(t, file, strings.Replace(call, "BYTES", "000001000000000000000000", 1)+
		strings.Replace(call, "BYTES", "000000000000000001000000", 1)+`{"eventName": "shmat"}`+"\n"+`{"eventName": "semopp"}`)
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"1": {0, "IPCW-030 matches semop (" + file + ":1)\n  evidence:\n    durationNs = 0\n    operation = 1\n"},
		"2": {1, "IPCW-030 does not match semop (" + file + ":2)\n"},
		"3": {1, "  it is not evaluated: the signature is for semop, semtimedop, and this is shmat\n"},
		"4": {2, "ipcwarden: " + file + `:4: eventName: no event is called "semopp"` + "\n"},
	} {
		stdout, stderr, code := ipcwarden("signatures", "explain", "IPCW-030", "--event", file, "--line", line)
		if code != want.code || !strings.Contains(stdout+stderr, want.text) {
			t.Errorf("line %s: code %d\n%s%s\nwant %d, %q", line, code, stdout, stderr, want.code, want.text)
		}
	}
}
