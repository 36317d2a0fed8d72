// Package suppress leaves out the findings that somebody has looked at and declared
// benign, with a reason: outside of the signatures, so that these can be replaced
// without losing that knowledge. It counts what it leaves out.
package suppress

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/docpath"
)

// List is entries in use. Suppresses is for one goroutine; States may be called by
// others meanwhile.
type List struct{ entries []*entry }

type entry struct {
	Entry
	fields []field
	count  atomic.Uint64
	last   atomic.Int64 // Unix nanoseconds; 0 for never
}

type field struct {
	path    docpath.Path
	pattern Pattern
}

// New makes a list of entries. The error tells which entry, counted from 0, is wrong,
// and with what.
func New(entries []Entry) (*List, error) {
	l := &List{}
	for i := range entries {
		if err := entries[i].Validate(); err != nil {
			return nil, fmt.Errorf("suppress[%d]: %w", i, err)
		}
		e := &entry{Entry: entries[i]}
		for name, pattern := range e.Where {
			path, err := pathOf(name)
			if err != nil {
				return nil, fmt.Errorf("suppress[%d]: where.%s: %w", i, name, err)
			}
			e.fields = append(e.fields, field{path, pattern})
		}
		l.entries = append(l.entries, e)
	}
	return l, nil
}

// Suppresses tells whether an entry covers a, and counts it there. Only findings can
// be suppressed, and the first entry that covers one counts. Whether an entry has
// expired is decided by the time of the event, so that a replay agrees.
func (l *List) Suppresses(a *alert.Alert) bool {
	if a.Type != alert.TypeFinding || a.Signature == nil {
		return false
	}
	for _, e := range l.entries {
		if e.covers(a) {
			e.count.Add(1)
			e.last.Store(a.Time.UnixNano())
			return true
		}
	}
	return false
}

func (e *entry) covers(a *alert.Alert) bool {
	if e.expired(a.Time) {
		return false
	}
	if !e.Covers(a.Signature.ID) {
		return false
	}
	for i := range e.fields {
		f := &e.fields[i]
		value, present := a.Field(f.path)
		if !present || !f.pattern.matches(value) {
			return false
		}
	}
	return true
}

func (e *entry) expired(now time.Time) bool {
	return !e.Expires.IsZero() && !now.Before(e.Expires.Time())
}

// Inherit goes on counting where old stopped, for the entries that are in both. Either
// may be nil.
func (l *List) Inherit(old *List) {
	if l == nil || old == nil {
		return
	}
	for _, e := range l.entries {
		for _, before := range old.entries {
			if e.String() == before.String() && e.Reason == before.Reason && e.Expires == before.Expires {
				e.count.Store(before.count.Load())
				e.last.Store(before.last.Load())
				break
			}
		}
	}
}

// State is what an entry has done.
type State struct {
	Entry
	Count   uint64    `json:"count"` // findings that it left out
	Last    time.Time `json:"last"`  // when the event of the last one was; zero for none
	Expired bool      `json:"expired"`
}

// States are those of all entries at a time, in their order.
func (l *List) States(now time.Time) []State {
	states := make([]State, 0, len(l.entries))
	for _, e := range l.entries {
		s := State{Entry: e.Entry, Count: e.count.Load(), Expired: e.expired(now)}
		if last := e.last.Load(); last != 0 {
			s.Last = time.Unix(0, last).UTC()
		}
		states = append(states, s)
	}
	return states
}
