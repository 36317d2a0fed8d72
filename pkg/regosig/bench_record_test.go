package regosig

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"reflect"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

var record = flag.String("record", "", "what trace --output json printed, to make testdata/bench/recording.jsonl of")

// repeats is how many calls are kept that look the same.
const repeats = 2

// derived are the members of a document that follow from the others, and those
// that are always the same. The reader makes them anew.
var derived = []string{
	"args", "argsNum", "flags", "command", "error", "syscall", "via", "eventId", "container", "containerId", "kubernetes",
	"matchedPolicies", "stackAddresses", "contextFlags", "threadEntityId", "processEntityId", "parentEntityId",
}

// decoded are the members of a look at memory that follow from its bytes.
var decoded = []string{"mtype", "text", "sops", "tvSec", "tvNsec", "uid", "gid", "mode", "qbytes", "values", "pointer", "lengthRead"}

// TestRecord makes the recording that the benchmarks use, of what trace printed
// while the programs of tests/e2e ran:
//
//	ipcwarden trace --output json --comm calls,count,races,suspicious > FILE
//	go test ./pkg/regosig -run TestRecord -record FILE
func TestRecord(t *testing.T) {
	if *record == "" {
		t.Skip("-record says of what to make a recording")
	}
	text, err := os.ReadFile(*record)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	seen := map[string]int{}
	var out bytes.Buffer
	for decoder.More() {
		var d map[string]any
		if err := decoder.Decode(&d); err != nil {
			t.Fatal(err)
		}
		looks := likeness(d)
		if seen[looks]++; seen[looks] > repeats || len(fmt.Sprint(d["memory"])) > 4000 {
			continue
		}
		line, err := json.Marshal(reduced(d))
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	if err := os.WriteFile(recordingFile, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// likeness is the same for calls that differ in ids, times and addresses only.
func likeness(d map[string]any) string {
	looks := []any{d["processName"], d["eventName"], d["flags"], d["command"], d["error"], d["overlaps"] != nil}
	regions, _ := d["memory"].([]any)
	for _, r := range regions {
		r := r.(map[string]any)
		looks = append(looks, r["arg"], r["differing"], r["mappings"])
	}
	return fmt.Sprint(looks...)
}

// reduced is a document without what is derived. Where the program was is no
// business of the recording.
func reduced(d map[string]any) map[string]any {
	for _, key := range derived {
		delete(d, key)
	}
	d["executable"] = map[string]any{"path": path.Join("/usr/libexec", fmt.Sprint(d["processName"]))}
	if object, ok := d["object"].(map[string]any); ok {
		delete(object, "namespace")
	}
	regions, _ := d["memory"].([]any)
	for _, r := range regions {
		r := r.(map[string]any)
		for _, key := range []string{"type", "changed", "differing"} {
			delete(r, key)
		}
		for _, look := range []string{"atEntry", "inKernel", "atExit"} {
			content, _ := r[look].(map[string]any)
			for _, key := range decoded {
				delete(content, key)
			}
		}
	}
	return d
}

// TestRecording reads events and writes them again: nothing that the recording has
// of them, least of all their memory, may get lost on the way.
func TestRecording(t *testing.T) {
	lines, memory := recordedLines(t), map[string]bool{}
	for i, e := range recording(t) {
		var d event.Document
		e.Document(&d)
		text, err := json.Marshal(&d)
		if err != nil {
			t.Fatal(err)
		}
		got, want := object(t, text), object(t, lines[i])
		if got = reduced(got); !reflect.DeepEqual(got, want) {
			t.Errorf("line %d: got\n%s\nwant\n%s", i+1, jsonOf(t, got), jsonOf(t, want))
		}
		if main := &e.Memory[event.MainMemory]; len(main.Best().Bytes) > 0 {
			memory[e.ID.String()] = true
		}
	}
	for _, id := range []event.ID{event.Msgsnd, event.Msgrcv, event.Semop, event.Semtimedop, event.Msgctl} {
		if !memory[id.String()] {
			t.Errorf("no %s with memory", id)
		}
	}
}

// object reads a JSON object with its numbers as they are written.
func object(t *testing.T, text []byte) (o map[string]any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&o); err != nil {
		t.Fatal(err)
	}
	return o
}
