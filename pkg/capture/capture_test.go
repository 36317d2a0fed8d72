package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill gives every field below v a value of its own.
func fill(v reflect.Value, next *int64) {
	*next++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), next)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(v.Index(i), next)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), next)
	case reflect.String:
		v.SetString(fmt.Sprint("text\x00\xff", *next))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(-*next)
	default:
		v.SetUint(uint64(*next) % 200)
	}
}

// filled is an event of which no field is zero.
func filled(seed int64, id event.ID) *event.Event {
	e := new(event.Event)
	fill(reflect.ValueOf(e).Elem(), &seed)
	e.ID = id
	return e
}

// TestEveryFieldIsKept fails when event.Event has a field that fields.go lacks.
func TestEveryFieldIsKept(t *testing.T) {
	want := filled(0, event.Semop)
	var w coder
	w.eventFields(want)
	got := new(event.Event)
	r := coder{bytes: w.bytes, reading: true, strings: map[string]string{}}
	r.eventFields(got)
	if !reflect.DeepEqual(got, want) || len(r.bytes) > 0 {
		t.Errorf("%d bytes left; got\n%+v\nwant\n%+v", len(r.bytes), got, want)
	}
	for n := range w.bytes { // what an older version wrote, which had fewer fields
		r.bytes = w.bytes[:n]
		r.eventFields(got)
	}
}

// recorded is a recording with n events and a gap after each tenth.
func recorded(t testing.TB, n int) (file []byte, events []*event.Event, gaps []pipeline.Gap) {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{Host: "host", Hook: "tracepoint"})
	must(t, err)
	for i := range n {
		e := filled(int64(i), event.Msgsnd)
		events = append(events, e)
		must(t, w.Event(e))
		if i%10 == 9 {
			g := pipeline.Gap{From: time.Unix(1, int64(i)).UTC(), To: time.Unix(2, 3).UTC(), Count: uint64(i), Cause: "ring_full", Hook: "tracepoint"}
			if i%20 == 9 {
				g.Muted = pushdown.Muted{Signature: "A", HostPID: 7, Event: event.Msgsnd}
			}
			gaps = append(gaps, g)
			must(t, w.Gap(g))
		}
		if i%20 == 19 {
			must(t, w.Flush())
		}
	}
	must(t, w.Close())
	if w.Events() != uint64(n) || w.Bytes() != uint64(out.Len()) {
		t.Errorf("%d events and %d bytes counted, of %d and %d", w.Events(), w.Bytes(), n, out.Len())
	}
	return out.Bytes(), events, gaps
}

// all reads what a recording has.
func all(file []byte) (r *Recording, events []*event.Event, gaps []pipeline.Gap, err error) {
	if r, err = Open(bytes.NewReader(file)); err != nil {
		return nil, nil, nil, err
	}
	var e event.Event
	for {
		gap, err := r.Next(&e)
		switch {
		case errors.Is(err, io.EOF):
			return r, events, gaps, nil
		case err != nil:
			return r, events, gaps, err
		case gap != nil:
			gaps = append(gaps, *gap)
		default:
			own := new(event.Event)
			e.CopyTo(own)
			events = append(events, own)
		}
	}
}

func TestRecording(t *testing.T) {
	file, events, gaps := recorded(t, 2000)
	r, gotEvents, gotGaps, err := all(file)
	must(t, err)
	if !reflect.DeepEqual(gotEvents, events) || !reflect.DeepEqual(gotGaps, gaps) {
		t.Errorf("got %d events and %d gaps, want %d and %d, or they are not the same", len(gotEvents), len(gotGaps), len(events), len(gaps))
	}
	if r.Header().Host != "host" || r.Header().Hook != "tracepoint" || r.Cut() != "" {
		t.Errorf("header %+v, cut %q", r.Header(), r.Cut())
	}
	if _, err := r.Next(new(event.Event)); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

// TestCutAnywhere cuts a recording at every byte, as a crash does: all whole blocks
// are read, and the reader says that something is missing.
func TestCutAnywhere(t *testing.T) {
	file, events, _ := recorded(t, 60)
	most := 0
	for n := range file {
		r, got, _, err := all(file[:n])
		if r == nil {
			if most > 0 || err == nil {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		if err != nil || r.Cut() == "" || len(got)%20 != 0 || len(got) < most || !reflect.DeepEqual(got, events[:len(got):len(got)]) && len(got) > 0 {
			t.Fatalf("cut at %d of %d: %d events, cut %q, error %v", n, len(file), len(got), r.Cut(), err)
		}
		most = len(got)
	}
	if most != 60 {
		t.Errorf("%d events before the last byte, want all", most)
	}
}

// TestDamageIsTold changes every byte, one at a time.
func TestDamageIsTold(t *testing.T) {
	file, events, _ := recorded(t, 30)
	for i := range file {
		file[i] ^= 0x10
		r, got, _, err := all(file)
		var damage *DamageError
		switch {
		case err == nil && r.Cut() == "":
			t.Fatalf("byte %d changed, and nobody noticed", i)
		case r != nil && err != nil && (!errors.As(err, &damage) || damage.Offset > int64(i)):
			t.Fatalf("byte %d changed: %v", i, err)
		case len(got) > 0 && !reflect.DeepEqual(got, events[:len(got)]):
			t.Fatalf("byte %d changed: other events", i)
		}
		file[i] ^= 0x10
	}
}

func TestOpenRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "it is empty",
		"hello":            ErrFormat.Error(),
		"\x28\xb5\x2f\xfd": ErrFormat.Error(),
		magic:              "unexpected EOF",
		magic + "\x09":     "version 9 of the format; this ipcwarden reads version 1",
		magic + "\x01\x00": "unexpected EOF",
		magic + "\x01" + strings.Repeat("\xff", 12): "more than 1048576",
	} {
		if _, err := Open(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

// brokenAfter is a file on a disk that gets full.
type brokenAfter struct{ left int }

var errFull = errors.New("disk full")

func (b *brokenAfter) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// endless yields the same event and idles, in turn.
type endless struct {
	pipeline.Source
	event *event.Event
}

func (s endless) Next(e *event.Event) (*pipeline.Gap, error) {
	s.event.CopyTo(e)
	return nil, nil
}

// TestFullDisk goes on without the recording.
func TestFullDisk(t *testing.T) {
	w, err := NewWriter(&brokenAfter{left: 4096}, Header{})
	must(t, err)
	failures := 0
	source := Tee(endless{event: filled(0, event.Semop)}, w, func(err error) {
		failures++
		if !errors.Is(err, errFull) {
			t.Error(err)
		}
	})
	var e event.Event
	for range 10_000 {
		if _, err := source.Next(&e); err != nil || e.ID != event.Semop {
			t.Fatal(e.ID, err)
		}
		if err := w.Flush(); failures > 0 && !errors.Is(err, errFull) {
			t.Fatal(err)
		}
	}
	if failures != 1 {
		t.Errorf("%d failures, want 1", failures)
	}
	if _, err := NewWriter(&brokenAfter{}, Header{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

// TestLines reads what Lines writes: the same documents, an ipc call and the call that
// it stands for as one event.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{})
	must(t, err)
	through := event.Event{ID: event.Msgsnd, Multiplexed: true, Call: 11, Raw: [event.MaxArgs]uint64{11, 3, 8, 0, 4096}, BootNS: 5, TimeNS: 5}
	undefined := event.Event{ID: event.IPC, Multiplexed: true, Call: 99, Raw: [event.MaxArgs]uint64{99}, Args: [event.MaxArgs]uint64{99}, TimeNS: 7, BootNS: 7}
	through.Repeats = event.Repeats{Count: 3, FirstNS: 2, LastNS: 4}
	for _, e := range []event.Event{{ID: event.Shmat, TimeNS: 1, BootNS: 1}, undefined, through, undefined, {ID: event.Shmdt, TimeNS: 9, BootNS: 9}, undefined} {
		must(t, w.Event(&e))
	}
	must(t, w.Close())
	var first, second bytes.Buffer
	must(t, Lines(bytes.NewReader(out.Bytes()), &first))
	must(t, Lines(bytes.NewReader(first.Bytes()), &second))
	if n := strings.Count(first.String(), "\n"); n != 7 || first.String() != second.String() {
		t.Errorf("%d lines:\n%sthen\n%s", n, first.String(), second.String())
	}
	if _, events, _, err := all(second.Bytes()); err != nil || events[2].Repeats != through.Repeats {
		t.Errorf("repeats %+v, %v", events[2].Repeats, err)
	}
	if _, _, _, err := all([]byte("{}\n")); err == nil || !strings.Contains(err.Error(), `line 1: eventName: no event is called ""`) {
		t.Error(err)
	}
	if _, events, _, err := all([]byte(first.String() + "\n{")); len(events) != 6 || err == nil || !strings.Contains(err.Error(), "line 9: ") {
		t.Errorf("%d events, %v", len(events), err)
	}
	var d event.Document
	must(t, json.Unmarshal(first.Bytes()[:bytes.IndexByte(first.Bytes(), '\n')], &d))
	if d.EventName != "shmat" {
		t.Errorf("the first line is %s", d.EventName)
	}
}
