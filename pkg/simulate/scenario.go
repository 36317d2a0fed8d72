// Package simulate does for real what the built-in signatures find, so that who runs
// ipcwarden sees that it does find it. Each signature has a scenario, which is
// harmless: its acts are played by a process of their own, in an IPC namespace of its
// own, so that no object of the host is touched and none is left behind, whatever
// becomes of the process.
package simulate

import (
	"cmp"
	"slices"
)

// Scenario triggers one signature.
type Scenario struct {
	ID   string // of the signature
	Does string // what is done, for people: a verb in the third person first
	Ways []Way  // those by which it can be done

	act    func(*actor)
	second func(*actor) // what another program does that act runs; nil without one
}

// both is for what can be done by every way.
var both = []Way{Direct, Multiplexed}

// All lists the scenarios in the order of their ids.
func All() []*Scenario {
	all := slices.Concat(access, changes, locks, messages, races, segments, sprays)
	slices.SortFunc(all, func(a, b *Scenario) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Find returns the scenario for a signature, or nil.
func Find(id string) *Scenario {
	for _, s := range All() {
		if s.ID == id {
			return s
		}
	}
	return nil
}
