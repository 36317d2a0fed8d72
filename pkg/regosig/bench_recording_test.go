package regosig

import (
	"bytes"
	"os"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const recordingFile = "testdata/bench/recording.jsonl"

// recording reads the events of the recording, with their memory. Its lines are
// documents without what is derived.
func recording(t testing.TB) (events []*event.Event) {
	t.Helper()
	documents, warnings, err := ReadRecordedFile(recordingFile)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if events, err = Events(documents); err != nil {
		t.Fatal(err)
	}
	return events
}

func recordedLines(t testing.TB) [][]byte {
	t.Helper()
	text, err := os.ReadFile(recordingFile)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}
