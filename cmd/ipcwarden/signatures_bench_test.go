package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recordingFile has real calls.
const recordingFile = "../../pkg/regosig/testdata/bench/recording.jsonl"

func bench(args ...string) (stdout, stderr string, code int) {
	return ipcwarden(append([]string{"signatures", "bench", "--time", "1ms"}, args...)...)
}

func TestSignaturesBench(t *testing.T) {
	dir := authored(t)
	stdout, stderr, code := bench(dir, "--events", recordingFile)
	if code != 0 || stderr != "" {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	listing, _, _ := ipcwarden("signatures", "list", dir)
	if len(lines) != strings.Count(listing, "\n")+1 {
		t.Errorf("%d lines for\n%s", len(lines), listing)
	}
	contains(t, lines[0], "NS/EVENT", "ALLOCATIONS")
	contains(t, stdout, "SITE-001", "IPCW-001", "events per second of processor time")

	stdout, _, _ = bench(dir, "--no-builtin", "--events", recordingFile)
	contains(t, stdout, "\ntogether, 1 signature: ")

	stdout, _, code = bench(dir, "--no-builtin", "--events", recordingFile, "-o", "json")
	var report struct {
		Events     int
		Signatures []struct {
			ID                                   string
			Selected, Evaluated, Matches, Errors int
			PerSelectedEvent, PerEvaluation      struct{ NS, Allocations, Bytes float64 }
		}
		Together struct{ NS, EventsPerSecond float64 }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
		t.Fatalf("code %d, %v\n%s", code, err, stdout)
	}
	recording, err := os.ReadFile(recordingFile)
	if err != nil {
		t.Fatal(err)
	}
	if s := report.Signatures[0]; report.Events != strings.Count(string(recording), "\n") || len(report.Signatures) != 1 ||
		s.ID != "SITE-001" || s.Selected == 0 || s.Evaluated > s.Selected ||
		s.PerSelectedEvent.NS <= 0 || report.Together.NS <= 0 || report.Together.EventsPerSecond <= 0 {
		t.Errorf("%s", stdout)
	}
}

// TestSignaturesBenchFails has a signature that has no verdict on what it selects,
// and one that selects nothing of the recording.
func TestSignaturesBenchFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.rego")
	head := "# METADATA\n# title: a\n# custom:\n#   id: ID\n#   severity: low\n#   events: [EVENT]\npackage a\n"
	text := strings.NewReplacer("ID", "FAILS", "EVENT", "msgrcv").Replace(head) + "match := x if some x in [true, false]\n"
	save(t, file, text)
	stdout, stderr, code := bench(file, "--no-builtin", "--events", recordingFile)
	if code != 0 || stderr != "" {
		t.Errorf("code %d, %q", code, stderr)
	}
	contains(t, stdout, "FAILS fails on ", " events: evaluating data.a.match: ")
	save(t, file, strings.NewReplacer("ID", "IDLE", "EVENT", "shmdt").Replace(head)+"match if true\n")
	events := filepath.Join(t.TempDir(), "one.json")
	save(t, events, `{"eventName": "msgget"}`)
	stdout, stderr, code = bench(file, "--no-builtin", "--events", events)
	if row := strings.Fields(strings.Split(stdout, "\n")[1]); code != 0 || stderr != "" || strings.Join(row, " ") != "- - - - 0 0 0 0 IDLE" {
		t.Errorf("code %d, %q\n%s", code, stderr, stdout)
	}
}

func TestSignaturesBenchRefuses(t *testing.T) {
	odd := filepath.Join(t.TempDir(), "odd.json")
	save(t, odd, `{"eventName": "\u001b[31m", "colour": 1}`)
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "ipcwarden: " + needRecording + "\n"},
		{[]string{"--events", recordingFile, "--time", "0s"}, "ipcwarden: --time: 0s is no time to measure in\n"},
		{[]string{"--events", "none"}, "ipcwarden: --events: open none: no such file or directory\n"},
		{[]string{"--events", recordingFile, "--no-builtin"}, "ipcwarden: --no-builtin needs at least one directory with signatures\n"},
		{[]string{"--events", recordingFile, "-o", "xml"}, `ipcwarden: --output: "xml" is neither table nor json` + "\n"},
		{[]string{"--events", "../../go.mod"}, "../../go.mod:1:1: not JSON: invalid character 'm' looking for beginning of value\n" +
			"ipcwarden: 1 problem: --events could not be read\n"},
		{[]string{"--events", odd}, "warning: " + odd + ":1:29: input has no field colour; the nearest is error\n" +
			"ipcwarden: --events: " + odd + `:1: eventName: no event is called "\x1b[31m"` + "\n"},
	} {
		stdout, stderr, code := bench(test.args...)
		if code != 1 || stdout != "" || stderr != test.want {
			t.Errorf("%q: code %d, %q, want %q", test.args, code, stderr, test.want)
		}
	}
}
