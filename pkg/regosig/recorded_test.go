package regosig

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func TestReadRecorded(t *testing.T) {
	text := "\n{\"eventName\": \"a\"} {\"eventName\": \"b\"}\n\n{\n  \"eventName\": \"c\",\n  \"returnValue\": 18446744073709551615\n}\n"
	documents, warnings, err := ReadRecorded("x", strings.NewReader(text))
	if err != nil || len(warnings) > 0 || len(documents) != 3 || documents[0].Line != 2 || documents[1].Line != 2 || documents[2].Line != 4 {
		t.Fatalf("got %+v, warnings %q, error %v", documents, warnings, err)
	}
	if got := documents[2].value["returnValue"]; got != json.Number("18446744073709551615") {
		t.Errorf("number %v", got)
	}
	if _, err := Choose(documents, 0); err == nil || err.Error() != "3 events: say which one, by its line" {
		t.Errorf("error %v", err)
	}
	if d, err := Choose(documents, 4); err != nil || d.value["eventName"] != "c" {
		t.Errorf("got %+v and error %v", d, err)
	}
	if _, err := Choose(documents, 5); !errors.Is(err, ErrNoEvent) {
		t.Errorf("error %v", err)
	}
	if d, err := Choose(documents[:1], 0); err != nil || d != &documents[0] {
		t.Errorf("got %+v and error %v", d, err)
	}
}

// TestReadRecordedOfFlood reads an event that stands for others: what tells so is none of
// what signatures see.
func TestReadRecordedOfFlood(t *testing.T) {
	text := `{"eventName": "semop", "repeats": {"count": 7, "first": 1, "last": 2, "alone": true}, "returnValue": 0}`
	documents, warnings, err := ReadRecorded("x", strings.NewReader(text))
	if err != nil || len(warnings) > 0 || len(documents) != 1 || len(documents[0].value) != 2 {
		t.Errorf("got %+v, warnings %q, error %v", documents, warnings, err)
	}
}

func TestReadRecordedWarns(t *testing.T) {
	text := `{"eventName": 7, "object": {"mod": 1, "id": "x"}, "memory": [{"lenght": 1}],
  "args": [{"value": [1]}], "flags": null, "processId": 1.5, "contextFlags": []}`
	_, warnings, err := ReadRecorded("x", strings.NewReader(text))
	want := []string{
		"x:1:15: input.eventName is a number; in an event it is a string",
		"x:1:29: input.object has no field mod; the nearest is mode",
		"x:1:45: input.object.id is a string; in an event it is an integer",
		"x:1:63: input.memory[_] has no field lenght; the nearest is length",
		"x:2:57: input.processId is a number; in an event it is an integer",
		"x:2:78: input.contextFlags is an array or a set; in an event it is an object",
	}
	if err != nil || strings.Join(warnings, "\n") != strings.Join(want, "\n") {
		t.Errorf("error %v, got\n%s\nwant\n%s", err, strings.Join(warnings, "\n"), strings.Join(want, "\n"))
	}
}

// TestEventsAreAsDescribed reads back what trace prints.
func TestEventsAreAsDescribed(t *testing.T) {
	for name, d := range documents() {
		if name == "extremes" {
			continue // has arguments that no event has
		}
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		_, warnings, err := ReadRecorded(name, strings.NewReader(string(text)))
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: warnings %q, error %v", name, warnings, err)
		}
	}
}

// FuzzReadRecorded reads anything as events: with a place and a printable reason
// for what is wrong, and the same value that encoding/json reads.
func FuzzReadRecorded(f *testing.F) {
	var d event.Document
	sample(event.Msgsnd).Document(&d)
	text, err := json.Marshal(&d)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(text), "{}\n{}", "{\"a\": [1, {\"b\": null}]}", "{\"a\":", "[]", "{\"a\" 1}", strings.Repeat("[", 1000), "\x00", "{}x", "{\"\\u001b[31m\": 1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ps := &problems{}
		documents, warned := readRecorded("x", text, ps)
		for _, p := range append(ps.list, warned...) {
			if p.Line < 1 || p.Column < 1 || strings.ContainsFunc(p.String(), unprintable) {
				t.Errorf("problem %q at %d:%d", p.String(), p.Line, p.Column)
			}
		}
		if len(ps.list) == 0 && len(documents) == 0 {
			t.Error("neither events nor problems")
		}
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		last := 0
		for _, got := range documents {
			var want map[string]any
			if err := decoder.Decode(&want); err != nil {
				t.Fatalf("encoding/json refuses what was read: %v", err)
			}
			a, _ := json.Marshal(got.value)
			b, _ := json.Marshal(want)
			if string(a) != string(b) {
				t.Errorf("got %s, want %s", a, b)
			}
			if got.Line < last {
				t.Errorf("line %d after %d", got.Line, last)
			}
			last = got.Line
		}
	})
}
