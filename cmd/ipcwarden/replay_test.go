package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/capture"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

// recordingOf makes a recording of the events in a file, and of a gap.
func recordingOf(t *testing.T, name string) string {
	t.Helper()
	documents, _, err := regosig.ReadRecordedFile(name)
	if err != nil {
		t.Fatal(err)
	}
	events, err := regosig.Events(documents)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := capture.NewWriter(&file, capture.Header{Host: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Unix(0, events[len(events)-1].TimeNS)
	if err := w.Gap(pipeline.Gap{From: at, To: at, Count: 3, Cause: "ring_full"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	recording := filepath.Join(t.TempDir(), "calls.ipcwcap")
	if err := os.WriteFile(recording, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return recording
}

// TestReplay replays both kinds of recordings: the alerts are the same each time, and
// the same of both, but for what the lines of JSON lack.
func TestReplay(t *testing.T) {
	recording := recordingOf(t, recordingFile)
	first, _, code := ipcwarden("replay", recording)
	again, _, _ := ipcwarden("replay", recording)
	if code != 0 || first != again {
		t.Errorf("code %d, or two replays are not the same:\n%s\n%s", code, first, again)
	}
	ofLines, _, code := ipcwarden("replay", recordingFile)
	if code != 0 {
		t.Errorf("code %d", code)
	}
	want, got := alertsOf(t, first), alertsOf(t, ofLines)
	last := want[len(want)-1]
	if last.Gap == nil || last.Gap.Count != 3 || last.Host != "elsewhere" {
		t.Errorf("the last alert is %+v, want the gap", last)
	}
	if len(want) < 2 || len(got) != len(want)-1 {
		t.Fatalf("%d alerts of the recording, %d of the lines", len(want), len(got))
	}
	for i := range got {
		if got[i].Signature.ID != want[i].Signature.ID || !got[i].Time.Equal(want[i].Time) {
			t.Errorf("alert %d: %+v of the lines, %+v of the recording", i, got[i], want[i])
		}
	}
}

type replayed struct {
	Host      string
	Severity  string
	Time      time.Time
	Signature struct{ ID string }
	Gap       *struct{ Count int }
}

func alertsOf(t *testing.T, text string) (alerts []replayed) {
	t.Helper()
	for decoder := json.NewDecoder(strings.NewReader(text)); decoder.More(); {
		var a replayed
		if err := decoder.Decode(&a); err != nil {
			t.Fatal(err)
		}
		alerts = append(alerts, a)
	}
	return alerts
}

// TestRecordingIsTakenEverywhere gives one to the commands that want recorded events.
func TestRecordingIsTakenEverywhere(t *testing.T) {
	recording := recordingOf(t, recordingFile)
	text, err := os.ReadFile(recordingFile)
	if err != nil {
		t.Fatal(err)
	}
	events := bytes.Count(text, []byte("\n"))
	if out, _, code := ipcwarden("trace", "--from", recording); code != 0 || strings.Count(out, "\n") != events {
		t.Errorf("trace --from: code %d, %d lines, want %d", code, strings.Count(out, "\n"), events)
	}
	if out, _, code := ipcwarden("trace", "--from", recording, "--events", "msgsnd", "--count", "2", "--output", "json"); code != 0 ||
		strings.Count(out, `"eventName":"msgsnd"`) != 2 {
		t.Errorf("trace --from --events: code %d, %s", code, out)
	}
	if out, _, code := ipcwarden("trace", "--from", recording, "--uid", "54321"); code != 0 || out != "" {
		t.Errorf("trace --from --uid: code %d, %s", code, out)
	}
	if out, stderr, code := ipcwarden("signatures", "explain", "IPCW-001", "--event", recording, "--line", "1"); code > 1 || out == "" {
		t.Errorf("explain: code %d, %s%s", code, out, stderr)
	}
	if _, stderr, code := ipcwarden("signatures", "bench", "../../rego/executable-attach", "--no-builtin", "--events", recording, "--time", "1ms"); code != 0 {
		t.Errorf("bench: code %d, %s", code, stderr)
	}
}

// replaySettings have a receiver who must not be called without being asked for.
const replaySettings = `
suppress:
  - {signature: %s, reason: known here}
throttle: {limit: 2, every: 1h}
sinks:
  screen: {kind: stdout, format: template, template: "{{.alert.type}} {{get .alert \"signature.id\"}}", min_severity: medium}
  hook: {kind: webhook, webhook: {url: "%s"}}
webhook: %s/too
dead_letters: %s/dead-letters.json
spool: {path: %s/spool}
`

// TestReplayObeysTheConfiguration wants what run would do with it, but nobody called.
func TestReplayObeysTheConfiguration(t *testing.T) {
	recording := recordingOf(t, recordingFile)
	out, _, _ := ipcwarden("replay", recording)
	all := alertsOf(t, out)
	found, suppressed := map[string]int{}, ""
	for _, a := range all {
		if found[a.Signature.ID]++; a.Signature.ID != "" && a.Severity == "high" && found[a.Signature.ID] > found[suppressed] {
			suppressed = a.Signature.ID
		}
	}
	var posted atomic.Int64
	paths := sync.Map{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		posted.Add(1)
		paths.Store(r.URL.Path, true)
	}))
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	settings := fmt.Sprintf(replaySettings, suppressed, server.URL, server.URL, dir, dir)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}

	out, stderr, code := ipcwarden("replay", recording, "--config", file)
	if code != 0 || posted.Load() != 0 {
		t.Errorf("code %d, %d requests that nobody asked for: %s", code, posted.Load(), stderr)
	}
	got := map[string]int{}
	for line := range strings.Lines(out) {
		got[strings.TrimSpace(line)]++
	}
	for _, a := range all {
		id := a.Signature.ID
		want := min(found[id], 2)
		if id == suppressed || a.Severity == "low" || a.Severity == "info" {
			want = 0
		}
		if id != "" && got["finding "+id] != want {
			t.Errorf("%s: %d alerts of %d, want %d", id, got["finding "+id], found[id], want)
		}
		if (got["suppressed "+id] == 1) != (want == 2 && found[id] > 2) {
			t.Errorf("%s: %d alerts of what is beyond the limit", id, got["suppressed "+id])
		}
	}
	asJSON, _, _ := ipcwarden("replay", recording, "--config", file, "--output", "json")
	if n := len(alertsOf(t, asJSON)); n == 0 || n != strings.Count(out, "\n") {
		t.Errorf("%d alerts as JSON, %d by the template", n, strings.Count(out, "\n"))
	}

	delivered, stderr, code := ipcwarden("replay", recording, "--config", file, "--deliver")
	if code != 0 || delivered != out || posted.Load() < 2*int64(strings.Count(out, "\n")) {
		t.Errorf("code %d, %d requests: %s\n%s", code, posted.Load(), delivered, stderr)
	}
	for _, path := range []string{"/", "/too"} {
		if _, called := paths.Load(path); !called {
			t.Errorf("nothing was posted to %s", path)
		}
	}
	for _, name := range []string{"spool", "dead-letters.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s, which is the daemon's, was touched: %v", name, err)
		}
	}
}

// TestReplayToNowhere has stdout take nothing: whoever waits for it is not kept.
func TestReplayToNowhere(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var stderr bytes.Buffer
	if code := execute([]string{"replay", recordingFile}, full, &stderr); code == 0 || !strings.Contains(stderr.String(), "alerts not delivered: write: write /dev/full: no space left") {
		t.Errorf("code %d: %s", code, stderr.String())
	}
}

func TestReplayRefuses(t *testing.T) {
	misspelt := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(misspelt, []byte("supress: []"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := recordingOf(t, recordingFile)
	text, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 1
	if err := os.WriteFile(damaged, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"no such file":              {"replay", "/nowhere"},
		"neither max nor 1x":        {"replay", damaged, "--speed", "2x"},
		"is none of json, table":    {"replay", damaged, "--output", "xml"},
		"unknown key; the nearest":  {"replay", damaged, "--config", misspelt},
		"neither a recording nor":   {"replay", "replay_test.go"},
		"the recording is damaged":  {"replay", damaged},
		"the recording is damaged:": {"signatures", "explain", "IPCW-001", "--event", damaged},
		"--output is needed":        {"record"},
	} {
		_, stderr, code := ipcwarden(args...)
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%q: code %d, %s", args, code, stderr)
		}
	}
}
