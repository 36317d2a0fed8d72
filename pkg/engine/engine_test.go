package engine

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// fake is a signature that does what its test wants.
type fake struct {
	metadata detect.Metadata
	match    func(*detect.Input) ([]detect.Finding, error)
}

func (f *fake) Metadata() *detect.Metadata { return &f.metadata }

func (f *fake) Match(_ context.Context, in *detect.Input, found []detect.Finding) ([]detect.Finding, error) {
	more, err := f.match(in)
	return append(found, more...), err
}

func signature(id string, events event.Set, match func(*detect.Input) ([]detect.Finding, error)) *fake {
	return &fake{detect.Metadata{ID: id, Events: events, Source: id + ".go"}, match}
}

func yes(*detect.Input) ([]detect.Finding, error) { return []detect.Finding{{}}, nil }
func no(*detect.Input) ([]detect.Finding, error)  { return nil, nil }
func fails(*detect.Input) ([]detect.Finding, error) {
	return nil, errors.New("no verdict")
}
func unexplained(*detect.Input) ([]detect.Finding, error) {
	return []detect.Finding{{}}, errors.New("no evidence")
}
func panics(*detect.Input) ([]detect.Finding, error) { panic("oops") }

func newOf(t testing.TB, signatures []detect.Signature, log *zap.Logger) *Engine {
	t.Helper()
	set, err := NewSet(signatures)
	if err != nil {
		t.Fatal(err)
	}
	e := New(set, log)
	t.Cleanup(e.Close)
	return e
}

func evaluate(e *Engine, id event.ID) (ids []string) {
	e.Evaluate(context.Background(), &event.Event{ID: id}, func(md *detect.Metadata, _ detect.Finding, in *detect.Input) {
		ids = append(ids, md.ID+":"+in.Document().EventName)
	})
	return ids
}

func TestEvaluate(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	e := newOf(t, []detect.Signature{
		signature("E", event.Of(event.Msgsnd), yes),
		signature("D", event.Of(event.Msgsnd), panics),
		signature("C", event.Of(event.Msgsnd), fails),
		signature("B", event.Of(event.Msgsnd, event.Shmat), no),
		signature("A", event.Of(event.Msgsnd, event.Shmat), func(*detect.Input) ([]detect.Finding, error) {
			return []detect.Finding{{}, {}}, nil
		}),
		signature("F", 0, yes),
		signature("G", event.Of(event.Msgsnd), unexplained),
	}, zap.New(core))
	if e.Events() != event.Of(event.Msgsnd, event.Shmat) {
		t.Errorf("events %b", e.Events())
	}
	if got, want := evaluate(e, event.Msgsnd), []string{"A:msgsnd", "A:msgsnd", "E:msgsnd", "G:msgsnd"}; !reflect.DeepEqual(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if got, want := evaluate(e, event.Shmat), []string{"A:shmat", "A:shmat"}; !reflect.DeepEqual(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if got := evaluate(e, event.Shmdt); got != nil {
		t.Errorf("found %q", got)
	}
	want := []Counters{
		{ID: "A", Evaluations: 2, Matches: 2}, {ID: "B", Evaluations: 2}, {ID: "C", Evaluations: 1, Errors: 1},
		{ID: "D", Evaluations: 1, Panics: 1}, {ID: "E", Evaluations: 1, Matches: 1}, {ID: "F"},
		{ID: "G", Evaluations: 1, Matches: 1, Errors: 1},
	}
	if got := e.Counters(); !reflect.DeepEqual(got, want) {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	entries := logs.All()
	if len(entries) != 3 {
		t.Fatalf("logged %v", entries)
	}
	if c := entries[0].ContextMap(); c["signature"] != "C" || c["error"] != "no verdict" {
		t.Errorf("logged %v", c)
	}
	if c := entries[1].ContextMap(); c["signature"] != "D" || c["panic"] != "oops" || !strings.Contains(c["stack"].(string), "engine_test.go") {
		t.Errorf("logged %v", c)
	}
	if c := entries[2].ContextMap(); c["signature"] != "G" || c["error"] != "no evidence" {
		t.Errorf("logged %v", c)
	}
}

// TestCallbackPanics tells a panic of the caller from one of a signature: it is
// not the engine's to hide.
func TestCallbackPanics(t *testing.T) {
	e := newOf(t, []detect.Signature{signature("A", event.All, yes)}, zap.NewNop())
	defer func() {
		if recover() == nil || e.Counters()[0].Panics != 0 {
			t.Error("the panic was taken for the signature's")
		}
	}()
	e.Evaluate(t.Context(), &event.Event{ID: event.Shmat}, func(*detect.Metadata, detect.Finding, *detect.Input) { panic("caller") })
}

func TestLogIsLimited(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	e := newOf(t, []detect.Signature{signature("A", event.All, fails), signature("B", event.All, panics)}, zap.New(core))
	now := time.Unix(1, 0)
	for _, entry := range e.state.Load().entries {
		entry.log.now = func() time.Time { return now }
	}
	for range 10 {
		evaluate(e, event.Shmat)
	}
	now = now.Add(logInterval)
	evaluate(e, event.Shmat)
	var suppressed []any
	for _, entry := range logs.All() {
		suppressed = append(suppressed, entry.ContextMap()["suppressed"])
	}
	if want := []any{uint64(0), uint64(0), uint64(9), uint64(9)}; !reflect.DeepEqual(suppressed, want) {
		t.Errorf("suppressed %v, want %v", suppressed, want)
	}
}

func TestNewRefuses(t *testing.T) {
	for want, signatures := range map[string][]detect.Signature{
		"signature id A is defined by A.go and by A.go": {signature("A", 0, no), signature("A", 0, no)},
		"signature *engine.fake has no id":              {signature("", 0, no)},
	} {
		if _, err := NewSet(signatures); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestNothingSelectedCostsNothing(t *testing.T) {
	e := newOf(t, []detect.Signature{signature("A", event.Of(event.Msgsnd), yes)}, zap.NewNop())
	ev := &event.Event{ID: event.Shmat}
	found := func(*detect.Metadata, detect.Finding, *detect.Input) { t.Error("a finding") }
	if n := testing.AllocsPerRun(100, func() { e.Evaluate(context.Background(), ev, found) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if e.Counters()[0].Evaluations != 0 {
		t.Error("evaluated")
	}
}

// TestElapsed has a signature that takes long: the estimate of one in many is near what
// all of them took.
func TestElapsed(t *testing.T) {
	const each, times = time.Millisecond, 3 * timedOf
	e := newOf(t, []detect.Signature{
		signature("A", event.Of(event.Msgsnd), func(*detect.Input) ([]detect.Finding, error) {
			time.Sleep(each)
			return nil, nil
		}),
	}, zap.NewNop())
	begin := time.Now()
	for range times {
		evaluate(e, event.Msgsnd)
	}
	if got, most := e.Counters()[0].Elapsed, 10*time.Since(begin); got < times*each || got > most {
		t.Errorf("%s, want %s to %s", got, times*each, most)
	}
}
