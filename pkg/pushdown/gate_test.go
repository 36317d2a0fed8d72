package pushdown

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func gate(signature string) Gate {
	return Gate{Signature: signature, Step: "first", Timespan: time.Second}
}

// TestGates is about clauses of which one could stand for another but for the gates
// that it opens, or is behind.
func TestGates(t *testing.T) {
	one, two := []Test{uid(1)}, []Test{uid(2)}
	narrow := []Test{uid(1), Differs.Test(true)}
	a, b := []Gate{gate("A")}, []Gate{gate("B")}
	for name, c := range map[string]struct {
		clauses []Clause
		want    []string
	}{
		"alone":               {[]Clause{{Tests: one, Opens: a}, {Tests: two, Behind: a}}, []string{"1 opens A", "2 behind A"}},
		"wanted anyway":       {[]Clause{{Tests: one, Opens: a}, {Tests: two, Behind: a}, {Tests: two}}, []string{"1 opens A", "2"}},
		"wanted before":       {[]Clause{{Tests: two}, {Tests: one, Opens: a}, {Tests: two, Behind: a}}, []string{"2", "1 opens A"}},
		"narrower is wanted":  {[]Clause{{Tests: one, Behind: a}, {Tests: narrow}, {Tests: two, Opens: a}}, []string{"1 behind A", "1 differs", "2 opens A"}},
		"wider is wanted":     {[]Clause{{Tests: narrow, Behind: a}, {Tests: one}, {Tests: two, Opens: a}}, []string{"1", "2 opens A"}},
		"first is later too":  {[]Clause{{Tests: narrow, Opens: a}, {Tests: one, Behind: a}}, []string{"1 differs opens A", "1 behind A"}},
		"first is wider":      {[]Clause{{Tests: narrow, Behind: a}, {Tests: one, Opens: a}}, []string{"1 opens A"}},
		"wider opens for it":  {[]Clause{{Tests: narrow, Opens: a}, {Tests: one}, {Tests: two, Behind: a}}, []string{"1 opens A", "2 behind A"}},
		"behind one of two":   {[]Clause{{Tests: one, Opens: a}, {Tests: one, Opens: b}, {Tests: two, Behind: a}, {Tests: two, Behind: b}}, []string{"1 opens A B", "2 behind A B"}},
		"nobody opens":        {[]Clause{{Tests: two, Behind: a}}, []string{"2"}},
		"any call behind one": {[]Clause{{Tests: one, Opens: a}, {Behind: a}}, []string{"1 opens A", " behind A"}},
		"any call":            {[]Clause{{Tests: one, Opens: a}, {Tests: two, Behind: a}, {}}, []string{" opens A"}},
	} {
		set := Set{Clauses: c.clauses}
		for i := range set.Clauses {
			set.Clauses[i].Events = event.Of(event.Msgsnd)
		}
		r := set.Rule(event.Msgsnd)
		if got := clausesOf(r, set.gates()); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// clausesOf describes the clauses of a rule in short.
func clausesOf(r Rule, gates []Gate) (list []string) {
	for i, mask := range r.Clauses[:r.ClauseN] {
		text, opens, behind := "", "", ""
		for j, t := range r.Tests[:r.TestN] {
			switch {
			case mask>>j&1 == 0:
			case t.Field == Facts:
				text += " differs"
			default:
				text += fmt.Sprint(t.Low)
			}
		}
		for g, gate := range gates {
			if r.Gates[g].Openers>>i&1 == 1 {
				opens += " " + gate.Signature
			}
			if r.Gates[g].Guarded>>i&1 == 1 {
				behind += " " + gate.Signature
			}
		}
		if opens != "" {
			text += " opens" + opens
		}
		if behind != "" {
			text += " behind" + behind
		}
		list = append(list, text)
	}
	return list
}

// TestGatesAreBounded has more gates, and more clauses, than there is room for: what is
// beyond is wanted, and opens every gate.
func TestGatesAreBounded(t *testing.T) {
	var s Set
	for n := range int64(MaxGates + 1) {
		gates := []Gate{gate(fmt.Sprint(n))}
		s.Clauses = append(s.Clauses,
			Clause{Events: event.Of(event.Msgget), Tests: []Test{uid(n)}, Opens: gates},
			Clause{Events: event.Of(event.Msgsnd), Tests: []Test{uid(n)}, Behind: gates})
	}
	r := s.Rule(event.Msgsnd)
	guarded := uint32(0)
	for _, g := range r.Gates {
		guarded |= g.Guarded
	}
	if r.GateN != MaxGates || guarded != 1<<MaxGates-1 || r.ClauseN != MaxGates+1 {
		t.Errorf("%d gates, clauses %b of %d behind one", r.GateN, guarded, r.ClauseN)
	}
	for n := range int64(MaxClauses) {
		s.Clauses = append(s.Clauses, Clause{Events: event.Of(event.Msgsnd), Tests: []Test{Is(Return, ^uint64(0), n)}})
	}
	r = s.Rule(event.Msgsnd)
	for i, g := range r.Gates {
		if r.ClauseN != 1 || g.Openers != 1 || g.Guarded != 0 || g.SpanNS != uint64(time.Second) {
			t.Errorf("gate %d of a rule for any call: %+v", i, g)
		}
	}
}
