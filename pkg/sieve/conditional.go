package sieve

import "github.com/ipcwarden/ipcwarden/pkg/event"

// conditional is a condition that compares no field with a constant, and the
// alternatives whose key it is.
type conditional struct {
	*Condition
	candidates []candidate
}

// guarded are conditions that have a guard in common.
type guarded struct {
	guard      *Guard
	conditions []conditional
}

// under files an alternative under its key.
func under(list *[]conditional, key *Condition, c candidate) {
	for i := range *list {
		if there := &(*list)[i]; there.Words == key.Words {
			there.candidates = append(there.candidates, c)
			return
		}
	}
	*list = append(*list, conditional{key, []candidate{c}})
}

// markThose marks the signatures that e can match by alternatives of which the key
// holds.
func markThose(list []conditional, e *event.Event, marked []uint64) {
	for i := range list {
		if c := &list[i]; c.Holds(e) {
			markAll(c.candidates, e, marked)
		}
	}
}
