package engine

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// testBudget keeps the tests short.
const testBudget = 8 * time.Millisecond

// withContext is a signature that looks at its context.
type withContext struct {
	metadata detect.Metadata
	match    func(context.Context) error
}

func (s *withContext) Metadata() *detect.Metadata { return &s.metadata }

func (s *withContext) Match(ctx context.Context, _ *detect.Input, found []detect.Finding) ([]detect.Finding, error) {
	if err := s.match(ctx); err != nil {
		return found, err
	}
	return append(found, detect.Finding{}), nil
}

func contextual(id string, match func(context.Context) error) *withContext {
	return &withContext{detect.Metadata{ID: id, Events: event.All, Source: id + ".go"}, match}
}

// spins computes until its context ends, which it must.
func spins(ctx context.Context) error {
	for started := time.Now(); ctx.Err() == nil; {
		if time.Since(started) > 30*time.Second {
			return errors.New("nobody ended the evaluation")
		}
	}
	return context.Cause(ctx)
}

// lives fails if it was given a context that has ended.
func lives(ctx context.Context) error { return ctx.Err() }

func engineOf(t testing.TB, budget time.Duration, signatures ...detect.Signature) (*Engine, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	set, err := NewSet(signatures)
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(set, zap.New(core), budget)
	t.Cleanup(e.Close)
	return e, logs
}

func TestOverrunsSuspend(t *testing.T) {
	e, logs := engineOf(t, testBudget, contextual("A", lives), contextual("B", spins), contextual("C", lives))
	now := time.Unix(1, 0)
	e.now = func() time.Time { return now }
	var suspensions []Suspension
	e.Suspended = func(s Suspension) {
		if s.Input.Event().ID != event.Shmat {
			t.Errorf("suspended on %v", s.Input.Event().ID)
		}
		s.Input = nil
		suspensions = append(suspensions, s)
	}
	for i := range 6 {
		if got, want := evaluate(e, event.Shmat), []string{"A:shmat", "C:shmat"}; !reflect.DeepEqual(got, want) {
			t.Fatalf("event %d: found %q, want %q", i, got, want)
		}
		// The first is too long ago when the third follows.
		now = now.Add(25 * time.Second)
		if i == 0 {
			now = now.Add(overrunWindow)
		}
	}
	b := e.Counters()[1]
	if want := (Counters{ID: "B", Evaluations: 4, Overruns: 4, Suspended: true}); b != want {
		t.Errorf("counters %+v, want %+v", b, want)
	}
	if len(suspensions) != 1 {
		t.Fatalf("%d suspensions, want one", len(suspensions))
	}
	s := suspensions[0]
	if s.Metadata.ID != "B" || s.Overruns != overrunLimit || s.Budget != testBudget || s.To.Sub(s.From) != 50*time.Second {
		t.Errorf("suspension %+v", s)
	}
	if n := logs.FilterMessage("signature suspended until the signatures are reloaded").Len(); n != 1 {
		t.Errorf("the suspension is in the log %d times", n)
	}
	if n := logs.FilterMessage("signature failed").Len(); n != 0 {
		t.Errorf("an overrun is in the log as a failure, too")
	}
}

// TestWaitingIsGivenMoreTime has a signature that uses no CPU.
func TestWaitingIsGivenMoreTime(t *testing.T) {
	var took time.Duration
	e, _ := engineOf(t, testBudget, contextual("A", func(ctx context.Context) error {
		started := time.Now()
		<-ctx.Done()
		took = time.Since(started)
		return context.Cause(ctx)
	}))
	e.fence.cpu = func() time.Duration { return 0 }
	evaluate(e, event.Shmat)
	if took < patience*testBudget {
		t.Errorf("ended after %s", took)
	}
	if c := e.Counters()[0]; c.Overruns != 1 || c.Errors != 0 {
		t.Errorf("counters %+v", c)
	}
}

// TestLateVerdictCounts has a signature that ignores its context.
func TestLateVerdictCounts(t *testing.T) {
	e, _ := engineOf(t, testBudget, contextual("A", func(ctx context.Context) error {
		_ = spins(ctx) // the verdict follows all the same
		return nil
	}))
	if got := evaluate(e, event.Shmat); len(got) != 1 {
		t.Errorf("found %q", got)
	}
	if c := e.Counters()[0]; c.Overruns != 1 || c.Matches != 1 {
		t.Errorf("counters %+v", c)
	}
}

// TestSlowCallerIsNoOverrun has delivery take the time.
func TestSlowCallerIsNoOverrun(t *testing.T) {
	e, _ := engineOf(t, testBudget, contextual("A", lives), contextual("B", lives))
	for range 2 {
		n := 0
		e.Evaluate(t.Context(), &event.Event{ID: event.Shmat}, func(*detect.Metadata, detect.Finding, *detect.Input) {
			n++
			time.Sleep((patience + 2) * testBudget)
		})
		if n != 2 {
			t.Errorf("%d findings", n)
		}
	}
	for _, c := range e.Counters() {
		if c.Overruns != 0 || c.Errors != 0 {
			t.Errorf("counters %+v", c)
		}
	}
}

func TestContextOfTheCaller(t *testing.T) {
	type key struct{}
	e, _ := engineOf(t, testBudget, contextual("A", func(ctx context.Context) error {
		if ctx.Value(key{}) != "value" {
			return errors.New("the caller's context is not the parent")
		}
		return ctx.Err()
	}))
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	evaluate := func() (n int) {
		e.Evaluate(ctx, &event.Event{ID: event.Shmat}, func(*detect.Metadata, detect.Finding, *detect.Input) { n++ })
		return n
	}
	if evaluate() != 1 {
		t.Error("no verdict")
	}
	if cancel(); evaluate() != 0 {
		t.Error("the caller's context ended in vain")
	}
	if c := e.Counters()[0]; c.Errors != 1 || c.Overruns != 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestUse(t *testing.T) {
	e, _ := engineOf(t, testBudget, contextual("A", lives), contextual("B", spins))
	for range overrunLimit {
		evaluate(e, event.Shmat)
	}
	set, err := NewSet([]detect.Signature{
		contextual("B", lives), signature("C", event.Of(event.Msgsnd), yes),
	})
	if err != nil {
		t.Fatal(err)
	}
	added, removed := e.Use(set)
	if !reflect.DeepEqual(added, []string{"C"}) || !reflect.DeepEqual(removed, []string{"A"}) {
		t.Errorf("added %q, removed %q", added, removed)
	}
	if got, want := evaluate(e, event.Shmat), []string{"B:shmat"}; !reflect.DeepEqual(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	want := []Counters{{ID: "B", Evaluations: overrunLimit + 1, Overruns: overrunLimit, Matches: 1}, {ID: "C"}}
	if got := e.Counters(); !reflect.DeepEqual(got, want) {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	if e.Events() != event.All || set.Len() != 2 {
		t.Errorf("events %b of %d", e.Events(), set.Len())
	}
}

// BenchmarkEvaluate is what the engine adds to each evaluation: the signatures
// do nothing.
func BenchmarkEvaluate(b *testing.B) {
	signatures := make([]detect.Signature, 20)
	for i := range signatures {
		signatures[i] = &nothing{detect.Metadata{ID: string(rune('A' + i)), Events: event.All}}
	}
	e, _ := engineOf(b, Budget, signatures...)
	ev := &event.Event{ID: event.Shmat}
	ctx := context.WithoutCancel(b.Context())
	found := func(*detect.Metadata, detect.Finding, *detect.Input) {}
	b.ReportAllocs()
	for b.Loop() {
		e.Evaluate(ctx, ev, found)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(signatures)), "ns/evaluation")
}

type nothing struct{ metadata detect.Metadata }

func (n *nothing) Metadata() *detect.Metadata { return &n.metadata }

func (*nothing) Match(_ context.Context, _ *detect.Input, found []detect.Finding) ([]detect.Finding, error) {
	return found, nil
}

// BenchmarkFence is the part of it that bounds evaluations.
func BenchmarkFence(b *testing.B) {
	f := newFence(Budget)
	b.ReportAllocs()
	for b.Loop() {
		f.enter()
		if f.overran() {
			b.Fatal("overran")
		}
	}
}
