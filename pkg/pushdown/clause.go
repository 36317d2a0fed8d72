package pushdown

import (
	"math"
	"slices"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Kind says how a test reads its field.
type Kind uint8

// The kinds.
const (
	Signed   Kind = iota // 64 bits
	Unsigned             // 64 bits; a test of one beyond 63 bits holds
	Int                  // the low 32 bits, with their sign
	Long                 // as wide as the caller's registers, with its sign
)

// Test is a condition on one field: (field & Mask) is in the range from Low to High,
// or outside it. It is struct test of ebpf/maps.h.
type Test struct {
	Mask    uint64 `c:"mask"`
	Low     int64  `c:"low"`
	High    int64  `c:"high"`
	Field   Field  `c:"field"`
	Kind    Kind   `c:"kind"`
	Outside bool   `c:"outside"`
	_       [5]byte
}

// Is is the test that the masked bits of a field have a value.
func Is(field Field, mask uint64, value int64) Test {
	return Test{Field: field, Mask: mask, Low: value, High: value}
}

// Test is the test that something is a fact, or that it is none.
func (f Fact) Test(is bool) Test {
	if is {
		return Is(Facts, uint64(f), int64(f))
	}
	return Is(Facts, uint64(f), 0)
}

// exact tells whether the test is one for certain values of certain bits.
func (t Test) exact() bool { return t.Low == t.High && !t.Outside && t.Kind != Unsigned }

// never tells whether no value passes.
func (t Test) never() bool { return t.Low > t.High && !t.Outside }

// implies tells whether a field that passes t passes o too. Where it is not sure it
// says no.
func (t Test) implies(o Test) bool {
	switch {
	case t == o:
		return true
	case t.Field != o.Field || t.Kind != o.Kind:
		return false
	case t.exact() && o.exact():
		return o.Mask&^t.Mask == 0 && t.Low&int64(o.Mask) == o.Low
	case t.Mask != o.Mask || t.Outside:
		return false
	case o.Outside:
		return t.High < o.Low || o.High < t.Low
	default:
		return o.Low <= t.Low && t.High <= o.High
	}
}

// and is the one test that both together are, if there is one.
func (t Test) and(o Test) (both Test, ok bool) {
	switch {
	case t.Field != o.Field || t.Kind != o.Kind || t.Outside || o.Outside:
		return Test{}, false
	case t.exact() && o.exact():
		both = Is(t.Field, t.Mask|o.Mask, t.Low|o.Low)
		if both.Kind = t.Kind; (t.Low^o.Low)&int64(t.Mask&o.Mask) != 0 {
			both.Low, both.High = math.MaxInt64, math.MinInt64
		}
		return both, true
	case t.Mask == o.Mask:
		t.Low, t.High = max(t.Low, o.Low), min(t.High, o.High)
		return t, true
	default:
		return Test{}, false
	}
}

// Clause is a list of tests, all of which a call has to pass, for some events: a
// necessary condition for a signature to match one of these.
type Clause struct {
	Events event.Set
	Tests  []Test
	// Owner is the id of the signature that wants it; "" if several do.
	Owner string
	// Opens has the gates of which a call that passes is the first step.
	Opens []Gate
	// Behind has gates of which one has to be open for the clause to count; none if it
	// always does.
	Behind []Gate
	// Repeat is how calls that match it may be counted in a flood; nil if each has to be
	// told.
	Repeat *Repeat
}

// And adds tests. possible is false if no call can pass all of them.
func (c Clause) And(tests ...Test) (sum Clause, possible bool) {
	sum = c
	sum.Tests = slices.Clone(c.Tests)
	for _, t := range tests {
		for i := 0; i < len(sum.Tests); i++ {
			if both, ok := sum.Tests[i].and(t); ok {
				t, sum.Tests = both, slices.Delete(sum.Tests, i, i+1)
				i--
			}
		}
		if t.never() {
			return Clause{}, false
		}
		if slices.ContainsFunc(sum.Tests, func(o Test) bool { return o.implies(t) }) {
			continue
		}
		sum.Tests = append(slices.DeleteFunc(sum.Tests, t.implies), t)
	}
	return sum, true
}

// implies tells whether a call that passes c passes o too, whatever their events.
func (c Clause) implies(o Clause) bool {
	for _, want := range o.Tests {
		if !slices.ContainsFunc(c.Tests, func(t Test) bool { return t.implies(want) }) {
			return false
		}
	}
	return true
}

// covers tells whether the clause can stand for o, too: it is wider, counts whenever o
// does, and has no call but counted that o has told.
func (c Clause) covers(o Clause) bool {
	return o.implies(c) && (len(c.Behind) == 0 || len(o.Behind) > 0) && (c.Repeat == nil || o.Repeat != nil && c.Repeat.suffices(*o.Repeat))
}

// share makes the clause stand for another too, which it covers.
func (c *Clause) share(o Clause) {
	if c.Owner != o.Owner {
		c.Owner = ""
	}
	c.Opens = union(c.Opens, o.Opens)
	if len(c.Behind) > 0 {
		c.Behind = union(c.Behind, o.Behind)
	}
}

// OwnedBy is the same clauses as those of one signature.
func (s Set) OwnedBy(signature string) Set {
	s.Clauses = slices.Clone(s.Clauses)
	for i := range s.Clauses {
		s.Clauses[i].Owner = signature
	}
	return s
}

// Set is what is wanted: an event of which one clause holds.
type Set struct {
	Clauses []Clause
	// Overlaps tells that somebody reads which calls were on the same memory. Then
	// a call is wanted for the sake of those that it overlaps.
	Overlaps bool
}

// Source is a signature that can tell what it needs of an event.
type Source interface {
	// Wanted has a clause for every way in which the signature can match.
	Wanted() Set
}

// Or wants what either set wants.
func (s Set) Or(o Set) Set {
	return Set{slices.Concat(s.Clauses, o.Clauses), s.Overlaps || o.Overlaps}
}

// compareLimit bounds the clauses of which each is compared with each other. It is
// more than there is room for in a rule, because some make others superfluous.
const compareLimit = 4 * MaxClauses

// For lists the clauses for one event, without those that others make superfluous. If
// there are very many it is one that always holds.
func (s Set) For(id event.ID) []Clause {
	list, gates := []Clause(nil), s.gates()
	add := func(c Clause) {
		if i := slices.IndexFunc(list, func(o Clause) bool { return o.covers(c) }); i >= 0 {
			list[i].share(c)
			return
		}
		list = append(slices.DeleteFunc(list, func(o Clause) bool {
			superfluous := c.covers(o)
			if superfluous {
				c.share(o)
			}
			return superfluous
		}), c)
	}
	for _, c := range s.Clauses {
		if c.Events.Has(id) {
			c.Events = event.Of(id)
			if slices.ContainsFunc(c.Behind, func(g Gate) bool { return !slices.Contains(gates, g) }) {
				c.Behind = nil // one that nobody watches
			}
			add(c)
		}
		if len(list) > compareLimit {
			return []Clause{{Events: event.Of(id), Opens: gates}}
		}
	}
	if s.Overlaps && len(list) > 0 && event.Lookup(id).MainAt() >= 0 {
		add(Clause{Events: event.Of(id), Tests: []Test{Overlaps.Test(true)}})
	}
	return list
}
