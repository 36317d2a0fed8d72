package sieve

import (
	"math/bits"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Signature is what an index knows of a signature.
type Signature struct {
	Events event.Set
	Filter *Filter
}

// Index finds the signatures that an event can match. It does not change, and is
// safe for use by several goroutines.
//
// Of each alternative of each filter one condition is the key, the rarest one.
// Alternatives whose keys ask the same of an event share the question: it is asked
// once, and only the alternatives that the answer leaves are looked at any further.
// Nor is any other condition asked twice about one event. So an event costs as much as
// there are questions, not as there are signatures.
type Index struct {
	kinds [1 << 8]kind // by event ID, a byte
}

// kind is the signatures that select one kind of event. They have numbers of their
// own, in the order of the list that the index was made of.
type kind struct {
	signatures []int                     // places in that list
	always     []uint64                  // a bit for each that cannot be filtered
	holds      []func(*event.Event) bool // conditions, each once
	numbers    map[string]int            // of them, by their words
	questions  []question
	conditions []conditional
	guarded    []guarded
}

// candidate is an alternative of one of a kind's signatures.
type candidate struct {
	signature int
	rest      []int // conditions that have to hold beside the key
}

// NewIndex makes an index of signatures, which it calls by their places in the list.
func NewIndex(signatures []Signature) *Index {
	x := new(Index)
	for _, row := range event.Rows() {
		k := &x.kinds[row.ID]
		for i := range signatures {
			if signatures[i].Events.Has(row.ID) {
				k.signatures = append(k.signatures, i)
			}
		}
		k.always = make([]uint64, words(len(k.signatures)))
		for number, i := range k.signatures {
			k.add(row.ID, number, signatures[i].Filter)
		}
		for i := range k.questions {
			k.questions[i].prepare()
		}
		k.numbers = nil
	}
	return x
}

// add files a signature's alternatives under their keys.
func (k *kind) add(id event.ID, number int, filter *Filter) {
	var candidates []candidate
	var keys []*Condition
	if filter != nil {
		for _, a := range filter.Alternatives {
			rest, possible := a.of(id)
			if !possible {
				continue
			}
			if len(rest) == 0 {
				filter = nil
				break
			}
			i := rest.rarest()
			keys = append(keys, &rest[i])
			c := candidate{signature: number}
			for j := range rest {
				if j != i {
					c.rest = append(c.rest, k.number(&rest[j]))
				}
			}
			candidates = append(candidates, c)
		}
	}
	if filter == nil {
		mark(k.always, number)
		return
	}
	for i, c := range candidates {
		k.file(keys[i], c)
	}
}

func (k *kind) file(key *Condition, c candidate) {
	if key.Key == nil {
		under(k.guard(key.Guard), k.number(key), c)
		return
	}
	for i := range k.questions {
		if k.questions[i].field.Name == key.Key.Field.Name {
			k.questions[i].add(key.Key, k.number(key), c)
			return
		}
	}
	q := question{field: key.Key.Field}
	q.add(key.Key, k.number(key), c)
	k.questions = append(k.questions, q)
}

// number is that of a condition.
func (k *kind) number(c *Condition) int {
	n, ok := k.numbers[c.Words]
	if !ok {
		n = len(k.holds)
		k.holds = append(k.holds, c.Holds)
		if k.numbers == nil {
			k.numbers = map[string]int{}
		}
		k.numbers[c.Words] = n
	}
	return n
}

// guard is where the conditions are that have a guard.
func (k *kind) guard(g *Guard) *[]conditional {
	if g == nil {
		return &k.conditions
	}
	for i := range k.guarded {
		if k.guarded[i].guard.Name == g.Name {
			return &k.guarded[i].conditions
		}
	}
	k.guarded = append(k.guarded, guarded{guard: g})
	return &k.guarded[len(k.guarded)-1].conditions
}

// of is what is left of the alternative for one kind of event.
func (a Alternative) of(id event.ID) (rest Alternative, possible bool) {
	for _, c := range a {
		switch {
		case c.Events == 0:
			rest = append(rest, c)
		case !c.Events.Has(id):
			return nil, false
		case !c.Certain:
			rest = append(rest, c)
		}
	}
	return rest, true
}

// rarest is the place of the condition to ask for first.
func (a Alternative) rarest() (place int) {
	cost := func(c *Condition) int {
		switch {
		case c.Frequent:
			return 3
		case c.Key == nil:
			return 2
		case c.Key.Operator != Equal:
			return 1
		default:
			return 0
		}
	}
	for i := range a {
		if cost(&a[i]) < cost(&a[place]) {
			place = i
		}
	}
	return place
}

// Select returns the signatures that e can match, in the order of the list that the
// index was made of. They are valid until found is used again. Nothing is allocated
// once found has been used for every kind of event.
func (x *Index) Select(e *event.Event, found *Found) []int {
	k := &x.kinds[e.ID]
	found.begin(k, e)
	for i := range k.questions {
		k.questions[i].ask(found)
	}
	found.markThose(k.conditions)
	for i := range k.guarded {
		if g := &k.guarded[i]; g.guard.Holds(e) {
			found.markThose(g.conditions)
		}
	}
	for i, word := range found.marked {
		for ; word != 0; word &= word - 1 {
			found.signatures = append(found.signatures, k.signatures[i*wordBits+bits.TrailingZeros64(word)])
		}
	}
	return found.signatures
}
