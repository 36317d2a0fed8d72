// Package engine evaluates signatures on events: it knows which signature wants
// which event, keeps one signature's failure from the others, and counts.
package engine

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Engine is a fixed set of signatures. Evaluate must be called from one
// goroutine at a time; the other methods can be called from any.
type Engine struct {
	// table has, by event ID (a byte), the signatures that select the event.
	table   [256][]*entry
	entries []*entry // in the order of their ids
	events  event.Set

	input detect.Input
	found []detect.Finding
}

// entry is a signature with its counters.
type entry struct {
	signature detect.Signature
	metadata  *detect.Metadata
	counters  counters
	log       *limitedLog
}

// New makes an engine of signatures, which it evaluates in the order of their
// ids. It is an error if two have the same id, or one has none.
func New(signatures []detect.Signature, log *zap.Logger) (*Engine, error) {
	e := &Engine{}
	for _, s := range signatures {
		md := s.Metadata()
		if md == nil || md.ID == "" {
			return nil, fmt.Errorf("signature %T has no id", s)
		}
		e.entries = append(e.entries, &entry{signature: s, metadata: md, log: newLimitedLog(log, md.ID)})
	}
	slices.SortStableFunc(e.entries, func(a, b *entry) int { return cmp.Compare(a.metadata.ID, b.metadata.ID) })
	for i, entry := range e.entries {
		if i > 0 && e.entries[i-1].metadata.ID == entry.metadata.ID {
			return nil, fmt.Errorf("signature id %s is defined by %s and by %s",
				entry.metadata.ID, e.entries[i-1].metadata.Source, entry.metadata.Source)
		}
		e.events |= entry.metadata.Events
		for _, row := range event.Rows() {
			if entry.metadata.Events.Has(row.ID) {
				e.table[row.ID] = append(e.table[row.ID], entry)
			}
		}
	}
	return e, nil
}

// Events is the set of events that any signature selects.
func (e *Engine) Events() event.Set { return e.events }

// Evaluate gives ev to the signatures that select it and calls found for each
// finding, in the order of the signatures' ids. What found receives is valid
// until it returns, but for the metadata and the evidence. A signature that
// fails or panics has no finding, is counted and logged, and the others go on.
func (e *Engine) Evaluate(ctx context.Context, ev *event.Event, found func(*detect.Metadata, detect.Finding, *detect.Input)) {
	entries := e.table[ev.ID]
	if len(entries) == 0 {
		return
	}
	e.input.Reset(ev)
	for _, entry := range entries {
		e.found = entry.match(ctx, &e.input, e.found[:0])
		for _, finding := range e.found {
			found(entry.metadata, finding, &e.input)
		}
	}
}

// match evaluates one signature behind a fence.
func (t *entry) match(ctx context.Context, in *detect.Input, none []detect.Finding) (found []detect.Finding) {
	defer func() {
		if r := recover(); r != nil {
			t.counters.panics.Add(1)
			t.log.error("signature panicked", zap.Any("panic", r), zap.ByteString("stack", debug.Stack()))
			found = none
		}
	}()
	t.counters.evaluations.Add(1)
	found, err := t.signature.Match(ctx, in, none)
	if err != nil {
		t.counters.errors.Add(1)
		t.log.error("signature failed", zap.Error(err))
		return none
	}
	if len(found) > 0 {
		t.counters.matches.Add(1)
	}
	return found
}
