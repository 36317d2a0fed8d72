// Package measure says what signatures cost on recorded events, whatever they are
// written in.
package measure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// Options are the settings of Run.
type Options struct {
	// Time is how much processor time to spend on each signature, and on all of them
	// together. Every event is evaluated at least twice, however long that takes.
	Time time.Duration
	// Progress, if it is not nil, is called before each signature: number is that of
	// total, from 1. The last number is that of all together, whose id is empty.
	Progress func(number, total int, id string)
}

// Report is what signatures cost.
type Report struct {
	Events     int         `json:"events"`     // in the recording
	Signatures []Signature `json:"signatures"` // the one that costs an event most first
	Together   Together    `json:"together"`
}

// Signature is what one signature costs, evaluated by itself. It costs an event what
// its filter does, and if that lets the event through also the evaluation.
type Signature struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Selected  int    `json:"selected"`  // events of a kind that it selects
	Evaluated int    `json:"evaluated"` // of these, those that its filter lets through
	Matches   int    `json:"matches"`   // of these, those on which it finds something
	Errors    int    `json:"errors"`    // and those on which it has no verdict
	Error     string `json:"error,omitempty"`

	// Event is what it costs a selected event, and Evaluation one that is evaluated.
	// Either is nil if there is none.
	Event      *Cost `json:"perSelectedEvent,omitempty"`
	Evaluation *Cost `json:"perEvaluation,omitempty"`
}

// Together is what the events cost that the engine evaluates with all signatures, as
// it does when the daemon runs.
type Together struct {
	Cost
	EventsPerSecond float64  `json:"eventsPerSecond"` // of processor time
	Suspended       []string `json:"suspended,omitempty"`
}

// Run measures signatures on events, which it does not change. An error says that a
// signature has no id or one that is taken, or that ctx has ended.
func Run(ctx context.Context, signatures []detect.Signature, events []*event.Event, o Options) (*Report, error) {
	set, err := engine.NewSet(signatures)
	if err != nil {
		return nil, err
	}
	progress := o.Progress
	if progress == nil {
		progress = func(int, int, string) {}
	}
	report := &Report{Events: len(events)}
	for i, s := range signatures {
		progress(i+1, len(signatures)+1, s.Metadata().ID)
		b := bench{ctx: ctx, signature: s, filter: filterOf(s)}
		cost, err := b.measure(events, o.Time)
		if err != nil {
			return nil, err
		}
		report.Signatures = append(report.Signatures, *cost)
	}
	slices.SortStableFunc(report.Signatures, func(a, b Signature) int { return cmp.Compare(b.nanoseconds(), a.nanoseconds()) })
	progress(len(signatures)+1, len(signatures)+1, "")
	return report, report.together(ctx, set, events, o.Time)
}

// filterOf is the filter that a signature brings; nil where every event passes.
func filterOf(s detect.Signature) *sieve.Filter {
	if filtered, ok := s.(interface{ Filter() *sieve.Filter }); ok {
		return filtered.Filter()
	}
	return nil
}

// nanoseconds is what a selected event costs; signatures without one come last.
func (s *Signature) nanoseconds() float64 {
	if s.Event == nil {
		return -1
	}
	return s.Event.Nanoseconds
}

func (r *Report) together(ctx context.Context, set *engine.Set, events []*event.Event, budget time.Duration) error {
	if len(events) == 0 {
		return nil
	}
	e := engine.New(set, zap.NewNop())
	defer e.Close()
	e.Suspended = func(s engine.Suspension) { r.Together.Suspended = append(r.Together.Suspended, s.Metadata.ID) }
	ignore := func(*detect.Metadata, detect.Finding, *detect.Input) {}
	cost, err := repeat(ctx, len(events), budget, func() {
		for _, ev := range events {
			e.Evaluate(ctx, ev, ignore)
		}
	})
	if err != nil {
		return err
	}
	r.Together.Cost, r.Together.EventsPerSecond = *cost, 1e9/max(cost.Nanoseconds, 1e-3)
	return nil
}

// bench measures one signature.
type bench struct {
	ctx       context.Context
	signature detect.Signature
	filter    *sieve.Filter
	input     detect.Input
	found     []detect.Finding
}

func (b *bench) measure(events []*event.Event, budget time.Duration) (*Signature, error) {
	md := b.signature.Metadata()
	s := &Signature{ID: md.ID, Title: md.Title}
	var selected, passing []*event.Event
	for _, e := range events {
		if !md.Events.Has(e.ID) {
			continue
		}
		selected = append(selected, e)
		if !b.filter.MayMatch(e) {
			continue
		}
		passing = append(passing, e)
		switch matches, err := b.evaluate(e); {
		case err != nil:
			if s.Errors++; s.Errors == 1 {
				s.Error = err.Error()
			}
		case matches:
			s.Matches++
		}
		if err := b.ctx.Err(); err != nil {
			return nil, fmt.Errorf("measuring %s: %w", md.ID, err)
		}
	}
	s.Selected, s.Evaluated = len(selected), len(passing)
	if b.filter == nil {
		var err error
		s.Event, err = b.cost(passing, budget, func(*event.Event) bool { return true })
		s.Evaluation = s.Event
		return s, err
	}
	var err error
	if s.Event, err = b.cost(selected, budget/2, b.filter.MayMatch); err == nil {
		s.Evaluation, err = b.cost(passing, budget/2, func(*event.Event) bool { return true })
	}
	return s, err
}

// cost is what one of events costs if those that pass are evaluated.
func (b *bench) cost(events []*event.Event, budget time.Duration, passes func(*event.Event) bool) (*Cost, error) {
	if len(events) == 0 {
		return nil, nil
	}
	return repeat(b.ctx, len(events), budget, func() {
		for _, e := range events {
			if passes(e) {
				_, _ = b.evaluate(e) // measure has the error
			}
		}
	})
}

// evaluate evaluates one event, and survives a panic, as the engine does.
func (b *bench) evaluate(e *event.Event) (matches bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			matches, err = false, fmt.Errorf("panic: %v", r)
		}
	}()
	b.input.Reset(e)
	b.found, err = b.signature.Match(b.ctx, &b.input, b.found[:0])
	return len(b.found) > 0, err
}
