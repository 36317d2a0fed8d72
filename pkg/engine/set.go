package engine

import (
	"cmp"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// Set is signatures that can be evaluated together. It does not change.
type Set struct {
	signatures []detect.Signature // in the order of their ids
	events     event.Set
	wanted     pushdown.Set
}

// NewSet checks signatures. It is an error if two have the same id, or one has
// none.
func NewSet(signatures []detect.Signature) (*Set, error) {
	s := &Set{signatures: slices.Clone(signatures)}
	for _, signature := range s.signatures {
		md := signature.Metadata()
		if md == nil || md.ID == "" {
			return nil, fmt.Errorf("signature %T has no id", signature)
		}
		s.events |= md.Events
	}
	slices.SortStableFunc(s.signatures, func(a, b detect.Signature) int {
		return cmp.Compare(a.Metadata().ID, b.Metadata().ID)
	})
	s.wanted = wantedBy(s.signatures)
	for i := 1; i < len(s.signatures); i++ {
		if a, b := s.signatures[i-1].Metadata(), s.signatures[i].Metadata(); a.ID == b.ID {
			return nil, fmt.Errorf("signature id %s is defined by %s and by %s", a.ID, a.Source, b.Source)
		}
	}
	return s, nil
}

// Events is the set of events that any of the signatures selects.
func (s *Set) Events() event.Set { return s.events }

// Len is the number of signatures.
func (s *Set) Len() int { return len(s.signatures) }

// state is a set in use.
type state struct {
	entries []*entry     // in the order of their ids
	index   *sieve.Index // of entries
	events  event.Set
}

// filtered is a signature that tells which events it cannot match. A nil filter
// means that there are none.
type filtered interface {
	Filter() *sieve.Filter
}

// use makes entries for the signatures of a set; one that old has too, by its
// id, keeps its history.
func (s *Set) use(old *state, log *zap.Logger) (next *state, added, removed []string) {
	histories := map[string]*history{}
	for _, entry := range old.entries {
		histories[entry.metadata.ID] = entry.history
	}
	next = &state{events: s.events}
	var selectors []sieve.Signature
	for _, signature := range s.signatures {
		md := signature.Metadata()
		kept := histories[md.ID]
		delete(histories, md.ID)
		if kept == nil {
			kept = &history{log: newLimitedLog(log, md.ID)}
			added = append(added, md.ID)
		}
		entry := &entry{signature: signature, metadata: md, history: kept}
		next.entries = append(next.entries, entry)
		selector := sieve.Signature{Events: md.Events}
		if s, ok := signature.(filtered); ok {
			selector.Filter = s.Filter()
		}
		selectors = append(selectors, selector)
	}
	next.index = sieve.NewIndex(selectors)
	for _, entry := range old.entries {
		if histories[entry.metadata.ID] != nil {
			removed = append(removed, entry.metadata.ID)
		}
	}
	return next, added, removed
}
