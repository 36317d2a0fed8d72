package engine

import "sync/atomic"

// Counters is what a signature has done since the engine was made.
type Counters struct {
	ID          string // of the signature
	Evaluations uint64 // events that it was given
	Matches     uint64 // events on which it found something
	Errors      uint64 // events on which it could not decide
	Panics      uint64 // events on which it panicked
}

// counters are written by Evaluate and read by anybody.
type counters struct {
	evaluations, matches, errors, panics atomic.Uint64
}

// Counters lists the counters of every signature, in the order of their ids.
func (e *Engine) Counters() []Counters {
	list := make([]Counters, len(e.entries))
	for i, entry := range e.entries {
		c := &entry.counters
		list[i] = Counters{
			ID:          entry.metadata.ID,
			Evaluations: c.evaluations.Load(),
			Matches:     c.matches.Load(),
			Errors:      c.errors.Load(),
			Panics:      c.panics.Load(),
		}
	}
	return list
}
