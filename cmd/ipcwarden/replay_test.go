package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
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

func TestReplayRefuses(t *testing.T) {
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
		"neither table nor json":    {"replay", damaged, "--output", "xml"},
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
