// Package engine evaluates signatures on events: it knows which signature wants
// which event, keeps one signature's failure from the others, and counts.
package engine

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// Engine evaluates a set of signatures, which can be replaced. Evaluate and Use
// must be called from one goroutine at a time; the other methods can be called
// from any.
type Engine struct {
	// Suspended is called by Evaluate when it suspends a signature. It is set
	// before the first Evaluate, if at all.
	Suspended func(Suspension)

	state atomic.Pointer[state]
	fence *fence
	log   *zap.Logger
	now   func() time.Time

	input    detect.Input
	found    []detect.Finding
	selected sieve.Found

	closed sync.Once
	done   chan struct{}
}

// entry is a signature in use.
type entry struct {
	signature detect.Signature
	metadata  *detect.Metadata
	suspended atomic.Bool
	overruns  [overrunLimit]time.Time // the last ones, oldest first
	*history
}

// history is what outlives the replacement of a signature by one with its id.
type history struct {
	counters counters
	log      *limitedLog
}

// New makes an engine of signatures, which it evaluates in the order of their
// ids. Close ends its goroutine.
func New(set *Set, log *zap.Logger) *Engine { return newEngine(set, log, Budget) }

func newEngine(set *Set, log *zap.Logger, budget time.Duration) *Engine {
	e := &Engine{fence: newFence(budget), log: log, now: time.Now, done: make(chan struct{})}
	e.state.Store(&state{index: sieve.NewIndex(nil)})
	e.Use(set)
	go e.fence.watch(e.done)
	return e
}

// Close ends what New has started. Evaluate must not be called any more.
func (e *Engine) Close() { e.closed.Do(func() { close(e.done) }) }

// Use replaces the signatures, between two events. One whose id was there before
// goes on counting; none is suspended any more. It says what is new and what is
// gone, by id.
func (e *Engine) Use(set *Set) (added, removed []string) {
	next, added, removed := set.use(e.state.Load(), e.log)
	e.state.Store(next)
	return added, removed
}

// Events is the set of events that any signature selects.
func (e *Engine) Events() event.Set { return e.state.Load().events }

// Evaluate gives ev to the signatures that select it and can match it, and calls
// found for each finding, in the order of the signatures' ids. What found receives
// is valid until it returns, but for the metadata and Finding.Evidence. A signature that
// fails, panics or takes too long is counted and logged, and the others go on; it has no
// finding, unless it had found something and failed to explain that.
func (e *Engine) Evaluate(ctx context.Context, ev *event.Event, found func(*detect.Metadata, detect.Finding, *detect.Input)) {
	state := e.state.Load()
	selected := state.index.Select(ev, &e.selected)
	if len(selected) == 0 {
		return
	}
	e.input.Reset(ev)
	e.fence.begin(ctx)
	for _, i := range selected {
		entry := state.entries[i]
		if entry.suspended.Load() {
			continue
		}
		e.found = e.evaluate(entry)
		for _, finding := range e.found {
			found(entry.metadata, finding, &e.input)
		}
	}
	e.fence.end()
}

// evaluate evaluates one signature within its budget.
func (e *Engine) evaluate(t *entry) []detect.Finding {
	none := e.found[:0]
	found, err := t.match(e.fence.enter(), &e.input, none)
	switch {
	case e.fence.overran(), errors.Is(err, detect.ErrBudget):
		e.overran(t, err)
	case err != nil:
		t.counters.errors.Add(1)
		t.log.error("signature failed", zap.Error(err))
	}
	if len(found) > 0 {
		t.counters.matches.Add(1)
	}
	return found
}

// match evaluates one signature and survives its panic.
func (t *entry) match(ctx context.Context, in *detect.Input, none []detect.Finding) (found []detect.Finding, err error) {
	defer func() {
		if r := recover(); r != nil {
			t.counters.panics.Add(1)
			t.log.error("signature panicked", zap.Any("panic", r), zap.ByteString("stack", debug.Stack()))
			found, err = none, nil
		}
	}()
	if t.counters.evaluations.Add(1)%timedOf == 0 {
		begin := time.Now()
		defer func() { t.counters.timed.Add(time.Since(begin).Nanoseconds()) }()
	}
	return t.signature.Match(ctx, in, none)
}
