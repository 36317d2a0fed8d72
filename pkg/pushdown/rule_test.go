package pushdown

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func uid(n int64) Test { return Is(UID, math.MaxUint64, n) }

// TestBoundsAreWide has more clauses, and more tests, than there is room for: what is
// beyond is wanted.
func TestBoundsAreWide(t *testing.T) {
	var many Set
	for n := range int64(MaxClauses + 1) {
		many.Clauses = append(many.Clauses, Clause{Events: event.Of(event.Msgsnd), Tests: []Test{uid(n)}})
	}
	if r := many.Rule(event.Msgsnd); r.ClauseN != 1 || r.Clauses[0] != 0 || r.Deferred != 1 {
		t.Errorf("%d clauses for one event became %d, the first %#x", len(many.Clauses), r.ClauseN, r.Clauses[0])
	}
	if r := many.Rule(event.Msgrcv); r.ClauseN != 0 {
		t.Errorf("an event without a clause has %d", r.ClauseN)
	}
	for n := range int64(100_000) {
		many.Clauses = append(many.Clauses, Clause{Events: event.Of(event.Msgsnd), Tests: []Test{uid(n)}})
	}
	if list := many.For(event.Msgsnd); len(list) != 1 || len(list[0].Tests) != 0 {
		t.Errorf("very many clauses became %d", len(list))
	}
	long := Clause{Events: event.Of(event.Msgsnd)}
	for n := range int64(MaxTests + 5) {
		long.Tests = append(long.Tests, Test{Field: Return, Mask: math.MaxUint64, Low: n, High: n, Outside: true})
	}
	other := Clause{Events: event.Of(event.Msgsnd), Tests: []Test{uid(1)}}
	if r := (Set{Clauses: []Clause{long}}).Rule(event.Msgsnd); r.TestN != MaxTests || r.Clauses[0] != math.MaxUint64 {
		t.Errorf("%d tests became %d, of which the clause has %#x", len(long.Tests), r.TestN, r.Clauses[0])
	}
	// There is no room for the test of the second, which holds for every call then.
	if r := (Set{Clauses: []Clause{long, other}}).Rule(event.Msgsnd); r.ClauseN != 1 || r.Clauses[0] != 0 {
		t.Errorf("a clause without room for its tests: %d clauses, the first %#x", r.ClauseN, r.Clauses[0])
	}
}

// TestEarly is about what can be rejected when a call begins.
func TestEarly(t *testing.T) {
	early := Clause{Events: event.Of(event.Msgsnd), Tests: []Test{uid(1), Differs.Test(true)}}
	late := Clause{Events: event.Of(event.Msgsnd), Tests: []Test{Copied.Test(true)}}
	if r := (Set{Clauses: []Clause{early}}).Rule(event.Msgsnd); r.Deferred != 0 || r.Early != 1 || r.Facts != Differs {
		t.Errorf("deferred %d, early tests %b, facts %b", r.Deferred, r.Early, r.Facts)
	}
	if r := (Set{Clauses: []Clause{early, late}}).Rule(event.Msgsnd); r.Deferred != 1 || r.Facts != Differs|Copied {
		t.Errorf("with one that is late: deferred %d, facts %b", r.Deferred, r.Facts)
	}
	if r := (Set{Clauses: []Clause{early}, Overlaps: true}).Rule(event.Msgsnd); r.Deferred != 1 || r.Facts != Differs|Overlaps {
		t.Errorf("with overlaps: deferred %d, facts %b", r.Deferred, r.Facts)
	}
}

func between(low, high int64) Test {
	return Test{Field: Return, Mask: math.MaxUint64, Low: low, High: high}
}

func outside(low, high int64) Test {
	t := between(low, high)
	t.Outside = true
	return t
}

// TestImplies compares what tests imply with what values pass.
func TestImplies(t *testing.T) {
	tests := []Test{
		between(0, 3), between(1, 2), between(2, 2), between(2, 5), outside(0, 3), outside(1, 2), outside(2, 2), outside(-9, -1),
		Is(Return, 6, 2), Is(Return, 6, 6), Is(Return, 2, 2), Is(Return, 2, 0), Is(Return, 7, 3),
		{Field: Return, Mask: 6, Low: 0, High: 0, Outside: true}, {Field: Return, Mask: 6, Low: 2, High: 4},
	}
	passes := func(t Test, v int64) bool {
		v &= int64(t.Mask)
		return (t.Low <= v && v <= t.High) != t.Outside
	}
	implied, joined := 0, 0
	for _, a := range tests {
		for _, b := range tests {
			both, ok := a.and(b)
			sum, possible := Clause{Tests: []Test{a}}.And(b)
			for v := int64(-12); v < 20; v++ {
				want := passes(a, v) && passes(b, v)
				if a.implies(b) && passes(a, v) && !passes(b, v) {
					t.Errorf("%+v does not imply %+v: %d", a, b, v)
				}
				if ok && passes(both, v) != want {
					t.Errorf("%+v and %+v are not %+v: %d", a, b, both, v)
				}
				if got := possible && !slices.ContainsFunc(sum.Tests, func(t Test) bool { return !passes(t, v) }); got != want {
					t.Errorf("clause of %+v and %+v is %+v (possible: %t): %d", a, b, sum, possible, v)
				}
			}
			if a.implies(b) && a != b {
				implied++
			}
			if ok && a != b {
				joined++
			}
		}
	}
	if implied < 10 || joined < 10 {
		t.Errorf("%d pairs imply each other and %d join: too few", implied, joined)
	}
}

// TestOwned is about the clauses that are one signature's alone, when others ask for
// the same, for more or for less.
func TestOwned(t *testing.T) {
	set := func(owner string, tests ...[]Test) (s Set) {
		for _, list := range tests {
			s.Clauses = append(s.Clauses, Clause{Events: event.Of(event.Msgsnd), Tests: list})
		}
		return s.OwnedBy(owner)
	}
	one, two := []Test{uid(1)}, []Test{uid(2)}
	narrow := []Test{uid(1), Differs.Test(true)}
	for name, c := range map[string]struct {
		set  Set
		want uint32
	}{
		"alone":           {set("A", one, two), 0b11},
		"beside another":  {set("B", one).Or(set("A", two)), 0b10},
		"same":            {set("B", one).Or(set("A", one, two)), 0b10},
		"narrower before": {set("B", narrow).Or(set("A", one)), 0},
		"narrower after":  {set("A", one).Or(set("B", narrow)), 0},
		"wider":           {set("B", one).Or(set("A", narrow)), 0},
		"narrower own":    {set("A", narrow, one), 0b1},
		"any call":        {set("A", nil), 0},
		"nothing":         {set("B", one), 0},
	} {
		if got := c.set.Owned(event.Msgsnd, "A"); got != c.want {
			t.Errorf("%s: %b, want %b", name, got, c.want)
		}
	}
}

// TestRepeat is about the clauses of which calls may be counted, when others ask for the
// same, for more or for less.
func TestRepeat(t *testing.T) {
	set := func(span time.Duration, f Field, tests ...Test) Set {
		r := &Repeat{Span: span}
		if r.Add(f); span == 0 {
			r = nil
		}
		return Set{Clauses: []Clause{{Events: event.Of(event.Msgsnd), Tests: tests, Repeat: r}}}
	}
	one, two := uid(1), uid(2)
	reads := func(list ...Field) (bits uint64) {
		for _, f := range list {
			bits |= 1 << f
		}
		return bits
	}
	for name, c := range map[string]struct {
		set        Set
		repeatable uint32
		first      uint64 // reads of the first clause
		span       uint64
	}{
		"alone":             {set(5, Return, one), 1, reads(Return), 5},
		"beside another":    {set(5, Return, one).Or(set(3, Arg0, two)), 0b11, reads(Return), 3},
		"beside one told":   {set(5, Return, one).Or(set(0, Arg0, two)), 0b1, reads(Return), 5},
		"same":              {set(5, Return, one).Or(set(3, Arg0, one)), 0b11, reads(Return), 3},
		"same, longer":      {set(3, Return, one).Or(set(5, Return, one)), 1, reads(Return), 3},
		"same, told":        {set(5, Return, one).Or(set(0, Arg0, one)), 0, 0, 0},
		"any call":          {set(5, Return), 1, reads(Return), 5},
		"any call and some": {set(5, Return).Or(set(3, Arg0, one)), 0b11, reads(Return), 3},
		"any call and told": {set(5, Return).Or(set(0, Arg0, one)), 0b1, reads(Return), 5},
		"wider":             {set(5, Return, one).Or(set(0, Arg0, one, Differs.Test(true))), 1, reads(Return), 5},
		"narrower":          {set(5, Return, one, Differs.Test(true)).Or(set(0, Arg0, one)), 0, 0, 0},
	} {
		r := c.set.Rule(event.Msgsnd)
		if r.Repeatable != c.repeatable || r.Reads[0] != c.first || r.RepeatNS != c.span || r.Lone != 0 {
			t.Errorf("%s: clauses %b, the first by %#x, for %d ns; want %b, %#x, %d", name, r.Repeatable, r.Reads[0], r.RepeatNS, c.repeatable, c.first, c.span)
		}
	}
}
