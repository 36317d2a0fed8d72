package regosig

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const (
	mixLength = 10_000
	oneIn     = 1000 // events, of which one matches
)

// shares is how often each event is called, in hundredths, where programs use
// System V IPC to work with: to send, to receive and to take turns. What is left is
// set up and torn down.
var shares = []share{{event.Msgsnd, 30}, {event.Msgrcv, 30}, {event.Semop, 15}, {event.Semtimedop, 15}, {event.Shmat, 5}, {0, 5}}

// share is that of one event; that of all others together has no id.
type share struct {
	id         event.ID
	hundredths int
}

// mix is recorded events in the order in which they are evaluated.
type mix struct {
	events   []*event.Event // one in a thousand matches
	quiet    []*event.Event // the same without those
	matching []*event.Event // the recorded events that match, one of each
}

// compose makes a mix of recorded events. The ones in a thousand match twenty, and so all
// sets of which that is a part, but not kind; what else matches a set is left out.
func compose(t testing.TB, twenty, many, kind *ruleSet) *mix {
	t.Helper()
	m := &mix{}
	matches, matchesTwenty, matchesKind := anyOf(t, twenty, many, kind), anyOf(t, twenty), anyOf(t, kind)
	quiet := map[event.ID][]*event.Event{}
	for _, e := range recording(t) {
		switch {
		case matchesTwenty(e) && !matchesKind(e):
			m.matching = append(m.matching, e)
		case matches(e):
		case slices.ContainsFunc(shares, func(s share) bool { return s.id == e.ID }):
			quiet[e.ID] = append(quiet[e.ID], e)
		default:
			quiet[0] = append(quiet[0], e)
		}
	}
	g := generator{rand.New(rand.NewPCG(1, 1))}
	for i := range mixLength {
		if i%oneIn == oneIn/2 {
			m.events = append(m.events, m.matching[i/oneIn*len(m.matching)/(mixLength/oneIn)])
			continue
		}
		e := pick(g, quiet[drawn(g)]...)
		m.events, m.quiet = append(m.events, e), append(m.quiet, e)
	}
	return m
}

// drawn is one of the ids that have shares.
func drawn(g generator) event.ID {
	n := g.IntN(100)
	for _, s := range shares {
		if n -= s.hundredths; n < 0 {
			return s.id
		}
	}
	return 0
}

// anyOf tells whether an event matches any signature of any set.
func anyOf(t testing.TB, sets ...*ruleSet) predicate {
	t.Helper()
	var tables [][256][]predicate
	for _, r := range sets {
		tables = append(tables, r.predicates(t))
	}
	return func(e *event.Event) bool {
		return slices.ContainsFunc(tables, func(table [256][]predicate) bool {
			return slices.ContainsFunc(table[e.ID], func(p predicate) bool { return p(e) })
		})
	}
}

// TestMix counts what the engine finds in the mix of the benchmarks.
func TestMix(t *testing.T) {
	twenty, many, kind := varied(t, 20), varied(t, 200), ofOneKind(200)
	m := compose(t, twenty, many, kind)
	for name, r := range map[string]*ruleSet{"20": twenty, "50": varied(t, 50), "200": many} {
		evaluate := ours(r.engine(t))
		matching := 0
		for i, e := range m.events {
			if found := evaluate(e) > 0; found != (i%oneIn == oneIn/2) {
				t.Errorf("%s signatures: event %d of the mix, %s: found %t", name, i, e.ID, found)
			} else if found {
				matching++
			}
		}
		if matching*oneIn != len(m.events) {
			t.Errorf("%s signatures: %d of %d events match", name, matching, len(m.events))
		}
	}
	evaluate := ours(kind.engine(t))
	for i, e := range m.events {
		if evaluate(e) > 0 {
			t.Errorf("of one kind: event %d of the mix, %s, matches", i, e.ID)
		}
	}
}
