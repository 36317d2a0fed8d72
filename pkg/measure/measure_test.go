package measure

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

// short is as much time as a test of counts needs.
const short = time.Millisecond

// recording is of real calls.
func recording(t testing.TB) (events []*event.Event) {
	t.Helper()
	documents, _, err := regosig.ReadRecordedFile("../regosig/testdata/bench/recording.jsonl")
	if err == nil {
		events, err = regosig.Events(documents)
	}
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// TestRunCountsAsTheEngineDoes measures the built-in signatures.
func TestRunCountsAsTheEngineDoes(t *testing.T) {
	set, err := regosig.Load(regosig.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	events := recording(t)
	all, err := engine.NewSet(set.Signatures())
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(all, zap.NewNop())
	defer e.Close()
	for _, ev := range events {
		e.Evaluate(t.Context(), ev, func(*detect.Metadata, detect.Finding, *detect.Input) {})
	}
	counters := map[string]engine.Counters{}
	for _, c := range e.Counters() {
		counters[c.ID] = c
	}
	var progress []string
	report, err := Run(t.Context(), set.Signatures(), events, Options{Time: short, Progress: func(number, total int, id string) {
		if progress = append(progress, id); number != len(progress) || total != all.Len()+1 {
			t.Errorf("%d of %d: %s", number, total, id)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Events != len(events) || len(report.Signatures) != all.Len() || len(progress) != all.Len()+1 || progress[all.Len()] != "" {
		t.Errorf("%d events, %d signatures, progress %q", report.Events, len(report.Signatures), progress)
	}
	evaluated, matches, last := 0, 0, math.Inf(1)
	for _, s := range report.Signatures {
		c := counters[s.ID]
		if uint64(s.Evaluated) != c.Evaluations || uint64(s.Matches) != c.Matches || s.Errors != 0 || s.Selected < s.Evaluated || (s.Evaluated == 0) != (s.Evaluation == nil) {
			t.Errorf("%+v, the engine has %+v", s, c)
		}
		if matches += s.Matches; s.Event == nil || s.Event.Nanoseconds <= 0 || s.Event.Nanoseconds > last {
			t.Fatalf("%s costs %+v, the one before %v", s.ID, s.Event, last)
		}
		last = s.Event.Nanoseconds
		if s.Evaluated == 0 {
			continue
		}
		evaluated++
		if s.Evaluation.Nanoseconds <= 0 {
			t.Errorf("%s: an evaluation costs %+v", s.ID, s.Evaluation)
		}
	}
	if c := report.Together; matches == 0 || evaluated < 12 || c.Nanoseconds <= 0 || c.EventsPerSecond != 1e9/c.Nanoseconds || c.Suspended != nil {
		t.Errorf("%d matches, together %+v", matches, c)
	}
}

// fake is a signature that does what its test wants.
type fake struct {
	metadata detect.Metadata
	match    func(*event.Event) (bool, error)
}

func (f *fake) Metadata() *detect.Metadata { return &f.metadata }

func (f *fake) Match(_ context.Context, in *detect.Input, found []detect.Finding) ([]detect.Finding, error) {
	matches, err := f.match(in.Event())
	if matches {
		found = append(found, detect.Finding{})
	}
	return found, err
}

func signature(id string, events event.Set, match func(*event.Event) (bool, error)) *fake {
	return &fake{detect.Metadata{ID: id, Events: events}, match}
}

var sink any // keeps what is allocated from the stack

func allocates(n int) func(*event.Event) (bool, error) {
	return func(*event.Event) (bool, error) {
		for range n {
			sink = new([64]byte)
		}
		return false, nil
	}
}

func TestRunMeasures(t *testing.T) {
	events := []*event.Event{{ID: event.Msgsnd}, {ID: event.Msgsnd}, {ID: event.Shmat}}
	sends := event.Of(event.Msgsnd)
	report, err := Run(t.Context(), []detect.Signature{
		signature("NONE", event.Of(event.Msgget), allocates(1)),
		signature("FEW", sends, allocates(1)),
		signature("MANY", sends, allocates(200)),
		signature("SLEEPS", event.Of(event.Shmat), func(*event.Event) (bool, error) {
			time.Sleep(20 * time.Millisecond)
			return true, nil
		}),
	}, events, Options{Time: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]Signature{}
	var order []string
	for _, s := range report.Signatures {
		byID[s.ID], order = s, append(order, s.ID)
	}
	if s := byID["NONE"]; order[len(order)-1] != "NONE" || s.Selected != 0 || s.Event != nil || s.Evaluation != nil {
		t.Errorf("%+v in %q", s, order)
	}
	for id, n := range map[string]float64{"FEW": 1, "MANY": 200} {
		// The runtime allocates something now and then as well.
		if c := byID[id].Evaluation; c.Allocations < n || c.Allocations > n+0.1 || c.Bytes < 64*n || c.Bytes > 64*n+20 {
			t.Errorf("%s: %+v", id, c)
		}
	}
	if few, many := byID["FEW"].Event.Nanoseconds, byID["MANY"].Event.Nanoseconds; many < 10*few {
		t.Errorf("one allocation takes %v ns, 200 take %v", few, many)
	}
	if s := byID["SLEEPS"]; s.Matches != 1 || s.Event.Nanoseconds > 5e6 {
		t.Errorf("sleeping costs processor time: %+v", s.Event)
	}
}

func TestRunCountsFailures(t *testing.T) {
	events := []*event.Event{{ID: event.Msgsnd}, {ID: event.Msgsnd, Return: 1}}
	report, err := Run(t.Context(), []detect.Signature{
		signature("A", event.All, func(e *event.Event) (bool, error) {
			if e.Return == 1 {
				panic("oops")
			}
			return true, errors.New("no verdict")
		}),
	}, events, Options{Time: short})
	if err != nil {
		t.Fatal(err)
	}
	if s := report.Signatures[0]; s.Matches != 0 || s.Errors != 2 || s.Error != "no verdict" || s.Evaluated != 2 {
		t.Errorf("%+v", s)
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stops := signature("A", event.All, func(*event.Event) (bool, error) { cancel(); return false, nil })
	events := []*event.Event{{ID: event.Msgsnd}}
	if _, err := Run(ctx, []detect.Signature{stops}, events, Options{Time: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	same := []detect.Signature{stops, stops}
	if _, err := Run(t.Context(), same, events, Options{}); err == nil || !strings.Contains(err.Error(), "signature id A is defined by") {
		t.Errorf("error %v", err)
	}
	if report, err := Run(t.Context(), nil, nil, Options{}); err != nil || !reflect.DeepEqual(report, &Report{}) {
		t.Errorf("%+v, %v", report, err)
	}
}
