package regosig

import (
	"encoding/json"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// lost are the members of a document that depend on what documents do not have: when
// processes started.
var lost = []string{"threadEntityId", "processEntityId", "parentEntityId"}

// TestRecordedEvent makes documents of random events, events of these, and documents
// again, which must have all that those before had.
func TestRecordedEvent(t *testing.T) {
	kinds := map[string]bool{}
	for seed := range uint64(3_000) {
		e := randomEvent(seed)
		printableEvent(e)
		text := documentText(t, e)
		documents, warnings, err := ReadRecorded("random", strings.NewReader(text))
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%v %q\n%s", err, warnings, text)
		}
		restored, err := documents[0].Event()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		got, want := object(t, []byte(documentText(t, restored))), object(t, []byte(text))
		for _, key := range lost {
			delete(got, key)
			delete(want, key)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("event %d: got\n%s\nwant\n%s", seed, jsonOf(t, got), jsonOf(t, want))
		}
		kinds[e.ID.String()] = true
	}
	if len(kinds) != len(event.Rows()) {
		t.Errorf("only %d kinds of events", len(kinds))
	}
}

// printableEvent gives an event what a recording of this machine can have, and text
// that JSON can write.
func printableEvent(e *event.Event) {
	native, compat := event.AMD64, event.I386
	if runtime.GOARCH == event.ARM64.String() {
		native, compat = event.ARM64, event.ARM
	}
	e.Compat = e.ABI.Is32Bit()
	if e.ABI = native; e.Compat {
		e.ABI = compat
	}
	e.Multiplexed = (e.Multiplexed || e.ID == event.IPC) && e.Compat || e.ID == event.IPC
	if e.Time64 = e.Time64 && e.Compat && e.ID == event.Semtimedop; e.Multiplexed {
		e.Time64 = false
	}
	if m := &e.Memory[event.MainMemory]; e.ID == event.IPC || e.RawCommand&event.IPC64 != 0 {
		e.RawCommand |= event.IPC64
		m.Length = 1 // not that of an old structure
	} else if m.Pointee == event.Settings || m.Pointee == event.SettingsOut {
		m.Length = uint64(event.SettingsSize(e.Row().Kind, e.ABI, event.OldStructures(e.ABI, e.Multiplexed, e.RawCommand)))
	}
	for i := range e.Memory {
		m := &e.Memory[i]
		for _, look := range []*event.View{&m.Entry, &m.Kernel, &m.Exit} {
			if look.State == event.Absent {
				*look = event.View{}
			}
		}
	}
	p := &e.Process
	for _, text := range []*string{&p.Comm, &p.Executable, &p.HostName, &p.ContainerID} {
		*text = strings.ToValidUTF8(*text, "\ufffd")
	}
}

func documentText(t testing.TB, e *event.Event) string {
	t.Helper()
	var d event.Document
	e.Document(&d)
	text, err := json.Marshal(&d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRecordedEventRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                       `eventName: no event is called ""`,
		`{"eventName": "msgsndd"}`: `eventName: no event is called "msgsndd"`,
		`{"eventName": "msgsnd", "arg": {"msqid": "x"}}`:                                                     `arg.msqid: "x" is neither`,
		`{"eventName": "msgsnd", "arg": {"shmid": 1}}`:                                                       "arg.shmid: msgsnd has no such argument",
		`{"eventName": "msgsnd", "arg": []}`:                                                                 "arg is not an object",
		`{"eventName": "msgsnd", "userId": -1}`:                                                              "userId",
		`{"eventName": "msgsnd", "memory": [{"arg": "msgp"}]}`:                                               `memory[0].address: "" is neither`,
		`{"eventName": "msgsnd", "memory": [{"address": "0x0", "atEntry": {}}]}`:                             `memory[0].atEntry.state: "" is no state`,
		`{"eventName": "msgsnd", "memory": [{"address": "0x0", "atExit": {"state": "read", "bytes": "0"}}]}`: "memory[0].atExit.bytes: ",
		`{"eventName": "msgsnd", "memory": [{"address": "0x0", "mappings": [{"byte": "7"}]}]}`:               `memory[0].mappings[0].byte: "7" is neither`,
		`{"eventName": "msgsnd", "overlaps": [{"eventName": "x"}]}`:                                          `overlaps[0].eventName: no event is called "x"`,
	} {
		documents, _, err := ReadRecorded("f", strings.NewReader("\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := documents[0].Event(); err == nil || !strings.HasPrefix(err.Error(), "f:2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}
