package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// compile makes a validator of the schema of v.
func compile(t *testing.T, v any) *jsonschema.Schema {
	t.Helper()
	text, err := schema("T", "d", v)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("t.json", parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("t.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func validate(t *testing.T, s *jsonschema.Schema, v any) error {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(parsed)
}

// everyEvent yields an event of each row and ABI with all that it can have.
func everyEvent(yield func(event.Event) bool) {
	memory := bytes.Repeat([]byte{1, 2, 0xff, 0}, 40)
	for _, row := range event.Rows() {
		for _, abi := range event.ABIs() {
			e := event.Event{ID: row.ID, ABI: abi, Multiplexed: abi == event.I386, Return: -11, RawCommand: event.IPCSet}
			e.Args = [event.MaxArgs]uint64{0, 1, 2, 3, 4, 1<<64 - 1}
			e.Object.Kind = row.Kind
			for i := range e.Memory {
				view := event.View{State: event.Cut, Bytes: memory}
				e.Memory[i] = event.Memory{Pointee: event.Pointee(i), Arg: "ptr", Entry: view, Exit: view}
			}
			if at := row.MainAt(); at >= 0 {
				e.Memory[event.MainMemory].Pointee = row.Args[at].Pointee
			}
			if !yield(e) {
				return
			}
		}
	}
}

func TestSchemaDescribesEveryEvent(t *testing.T) {
	compiled := compile(t, event.Document{})
	for e := range everyEvent {
		var d event.Document
		e.Document(&d)
		if err := validate(t, compiled, &d); err != nil {
			t.Errorf("%s of %s: %v", e.ID, e.ABI, err)
		}
	}
}

func TestSchemaDescribesAlerts(t *testing.T) {
	compiled := compile(t, alert.Alert{})
	factory := alert.Factory{Host: "host"}
	e := event.Event{ID: event.Shmat}
	var d event.Document
	e.Document(&d)
	for _, a := range []*alert.Alert{
		factory.FromFinding(&detect.Metadata{ID: "X-1", Severity: detect.High}, detect.Finding{Evidence: map[string]any{"a": 1}}, &d),
		factory.FromGap(alert.Gap{From: time.Now(), To: time.Now(), Count: 3, Cause: "ring_full", Hook: "tracepoint"}),
	} {
		if err := validate(t, compiled, a); err != nil {
			t.Errorf("%s: %v", a.Type, err)
		}
	}
}

// TestSchemaRefuses proves that the tests above can fail.
func TestSchemaRefuses(t *testing.T) {
	compiled := compile(t, event.Document{})
	e := event.Event{ID: event.Shmat}
	var d event.Document
	e.Document(&d)
	text, err := json.Marshal(&d)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoiled := range map[string]string{
		"unknown field": strings.Replace(string(text), `"via"`, `"vía"`, 1),
		"wrong type":    strings.Replace(string(text), `"argsNum":3`, `"argsNum":"3"`, 1),
	} {
		if err := validate(t, compiled, json.RawMessage(spoiled)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
