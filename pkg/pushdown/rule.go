package pushdown

import (
	"slices"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// The bounds of a rule. What is beyond them is wanted.
const (
	MaxTests   = 64
	MaxClauses = 32
)

// Rule is the clauses for one event as the BPF programs apply them: struct rule of
// ebpf/maps.h. A clause is the set of its tests, one bit each; an event without any
// clause is not wanted.
type Rule struct {
	Tests    [MaxTests]Test     `c:"tests"`
	Clauses  [MaxClauses]uint64 `c:"clauses"`
	Early    uint64             `c:"early"` // the tests of what is known when a call begins
	TestN    uint32             `c:"test_count"`
	ClauseN  uint32             `c:"clause_count"`
	Facts    Fact               `c:"facts"`    // all that tests ask about
	Deferred uint32             `c:"deferred"` // 1: nothing is rejected when a call begins
	// Generation numbers the sets of rules, so that what is said of the clauses of one
	// is not taken for another.
	Generation uint32 `c:"generation"`
	GateN      uint32 `c:"gate_count"`
	// SettledNS is a time on CLOCK_BOOTTIME at which every gate counts as opened, since
	// calls before it may have been judged by other rules; 0 for none.
	SettledNS uint64             `c:"settled_ns"`
	Gates     [MaxGates]Sequence `c:"gates"`
	// Reads is what repeats of a call have in common: fields by bit, and facts above them.
	Reads      [MaxClauses]uint64 `c:"reads"`
	RepeatNS   uint64             `c:"repeat_ns"`  // how long one record stands for those that repeat it
	Repeatable uint32             `c:"repeatable"` // clauses of which repeats may be counted, one bit each
	Lone       uint32             `c:"lone"`       // of these the ones where only in a process of one thread
}

// Rule makes the rule for one event.
func (s Set) Rule(id event.ID) Rule {
	r, _ := s.ruleOf(s.For(id))
	return r
}

// ruleOf makes the rule of clauses. everything tells that it is one
// that wants each call.
func (s Set) ruleOf(list []Clause) (r Rule, everything bool) {
	gates := s.gates()
	r.setGates(gates)
	for i, c := range list {
		mask := r.add(c.Tests)
		told := mask == 0 && len(c.Behind) == 0 && (c.Repeat == nil || len(c.Tests) > 0)
		if told || i == MaxClauses {
			r = Rule{ClauseN: 1, Deferred: 1}
			r.setGates(gates)
			r.guard(0, Clause{Opens: gates}, gates)
			return r, true
		}
		r.Clauses[i] = mask
		r.ClauseN++
		r.guard(i, c, gates)
		r.repeat(i, c)
		if mask&r.Early == 0 {
			r.Deferred = 1
		}
	}
	return r, false
}

// Owned is the clauses of the rule for an event that are for one signature only, one
// bit each.
func (s Set) Owned(id event.ID, signature string) (mask uint32) {
	list := s.For(id)
	if _, everything := s.ruleOf(list); everything {
		return 0
	}
	for i, c := range list {
		if c.Owner == signature {
			mask |= 1 << i
		}
	}
	return mask
}

// add adds tests and returns their bits. Those for which there is no room are left out.
func (r *Rule) add(tests []Test) (mask uint64) {
	for _, t := range tests {
		i := slices.Index(r.Tests[:r.TestN], t)
		if i < 0 && r.TestN == MaxTests {
			continue
		}
		if i < 0 {
			i = int(r.TestN)
			r.Tests[i] = t
			r.TestN++
			if t.Field.AtEntry() {
				r.Early |= 1 << i
			}
			if t.Field == Facts {
				r.Facts |= Fact(t.Mask)
			}
		}
		mask |= 1 << i
	}
	return mask
}
