package engine

import (
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// Wanted is what has to be true of an event for any of the signatures to match it. One
// that cannot tell, because it is written in Go say, may match every event that it
// selects.
func (s *Set) Wanted() pushdown.Set { return s.wanted }

func wantedBy(signatures []detect.Signature) (wanted pushdown.Set) {
	for _, signature := range signatures {
		if source, ok := signature.(pushdown.Source); ok {
			wanted = wanted.Or(source.Wanted().OwnedBy(signature.Metadata().ID))
			continue
		}
		wanted = wanted.Or(pushdown.Set{
			Clauses:  []pushdown.Clause{{Events: signature.Metadata().Events}},
			Overlaps: true,
		})
	}
	return wanted
}
