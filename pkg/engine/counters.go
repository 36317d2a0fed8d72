package engine

import (
	"sync/atomic"
	"time"
)

// timedOf is of how many evaluations one is timed: to read the clock twice takes longer
// than most evaluations do.
const timedOf = 64

// Counters is what a signature has done since the engine first had it.
type Counters struct {
	ID          string // of the signature
	Evaluations uint64 // events that it was given: those that it can match
	Matches     uint64 // events on which it found something
	Errors      uint64 // events on which it could not decide
	Panics      uint64 // events on which it panicked
	Overruns    uint64 // events on which it used up its budget
	Suspended   bool   // it is given no more events

	// Elapsed is how long the evaluations took, estimated from one of 64.
	Elapsed time.Duration
}

// counters are written by Evaluate and read by anybody.
type counters struct {
	evaluations, matches, errors, panics, overruns atomic.Uint64

	timed atomic.Int64 // nanoseconds that the evaluations took which were timed
}

// Counters lists the counters of every signature, in the order of their ids.
func (e *Engine) Counters() []Counters {
	entries := e.state.Load().entries
	list := make([]Counters, len(entries))
	for i, entry := range entries {
		c := &entry.counters
		list[i] = Counters{
			ID:          entry.metadata.ID,
			Evaluations: c.evaluations.Load(),
			Matches:     c.matches.Load(),
			Errors:      c.errors.Load(),
			Panics:      c.panics.Load(),
			Overruns:    c.overruns.Load(),
			Suspended:   entry.suspended.Load(),
			Elapsed:     time.Duration(c.timed.Load() * timedOf),
		}
	}
	return list
}
