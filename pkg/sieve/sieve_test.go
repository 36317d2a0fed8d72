package sieve

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// returned is the field that these tests ask for: Undefined of a call that did not
// end, Unknown where it is 1000.
var returned = &Field{Name: "returnValue", Number: func(e *event.Event) (int64, Certainty) {
	switch {
	case e.Unfinished:
		return 0, Undefined
	case e.Return == 1000:
		return 0, Unknown
	default:
		return e.Return, Known
	}
}}

// comparison is a condition on returned.
func comparison(operator Operator, numbers ...int64) Condition {
	return Condition{
		Words: fmt.Sprint([]string{"=", "<", "<=", ">", ">="}[operator], numbers),
		Holds: func(e *event.Event) bool {
			n, certainty := returned.Number(e)
			return certainty == Unknown || certainty == Known && slices.ContainsFunc(numbers, func(c int64) bool {
				switch operator {
				case Equal:
					return n == c
				case Less:
					return n < c
				case LessOrEqual:
					return n <= c
				case Greater:
					return n > c
				default:
					return n >= c
				}
			})
		},
		Key: &Key{Field: returned, Operator: operator, Numbers: numbers},
	}
}

// named is a condition without a key.
func named(words string, holds func(*event.Event) bool) Condition {
	return Condition{Words: words, Holds: holds}
}

// called is a condition on the name of the program, which is not known where it is
// empty.
func called(name string) Condition {
	text := &Field{Name: "processName", Text: func(e *event.Event) (string, Certainty) {
		if e.Process.Comm == "" {
			return "", Unknown
		}
		return e.Process.Comm, Known
	}}
	return Condition{
		Words: "called " + name,
		Holds: func(e *event.Event) bool { return e.Process.Comm == name || e.Process.Comm == "" && name != "never" },
		Key:   &Key{Field: text, Texts: []string{name}},
	}
}

func TestSelectByText(t *testing.T) {
	index := NewIndex([]Signature{
		{event.All, one(called("cat"))}, {event.All, one(called("dog"))}, {event.All, one(called("dog"), comparison(Equal, 1))},
		{event.All, one(called("never"))},
	})
	var found Found
	for name, want := range map[string][]int{"cat": {0}, "dog": {1}, "cow": nil, "": {0, 1}} {
		e := &event.Event{ID: event.Semop, Process: event.Process{Comm: name}}
		if got := index.Select(e, &found); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

// TestSelectAsksGuardsOnce wants a guard to be asked once, and what it guards only if
// it holds.
func TestSelectAsksGuardsOnce(t *testing.T) {
	asked := 0
	guard := func(name string, holds bool) *Guard {
		return &Guard{name, func(*event.Event) bool { asked++; return holds }}
	}
	behind := func(words string, g *Guard, holds func(*event.Event) bool) *Filter {
		c := named(words, holds)
		c.Guard = g
		return one(c)
	}
	yes := func(*event.Event) bool { return true }
	never := func(*event.Event) bool { t.Error("asked behind a guard that does not hold"); return true }
	index := NewIndex([]Signature{
		{event.All, behind("a", guard("open", true), yes)},
		{event.All, behind("b", guard("open", true), func(e *event.Event) bool { return e.Compat })},
		{event.All, behind("c", guard("shut", false), never)},
		{event.All, behind("d", guard("shut", false), never)},
	})
	var found Found
	if got := index.Select(&event.Event{ID: event.Semop}, &found); !slices.Equal(got, []int{0}) || asked != 2 {
		t.Errorf("%v, guards asked %d times", got, asked)
	}
}

func one(conditions ...Condition) *Filter { return &Filter{[]Alternative{conditions}} }

func TestSelect(t *testing.T) {
	compat := named("compat", func(e *event.Event) bool { return e.Compat })
	shmat := Condition{Words: "shmat", Holds: func(e *event.Event) bool { return e.ID == event.Shmat }, Events: event.Of(event.Shmat), Certain: true}
	perhaps := compat
	perhaps.Events = event.Of(event.Shmat)
	both := event.Of(event.Shmat, event.Msgsnd)
	index := NewIndex([]Signature{
		0: {both, nil},
		1: {event.Of(event.Msgsnd), one(comparison(Equal, 5))},
		2: {both, one(comparison(Equal, 5), compat)},
		3: {both, one(shmat)},
		4: {both, one(perhaps)},
		5: {both, &Filter{[]Alternative{{comparison(Greater, 9)}, {compat}, {comparison(Less, math.MinInt64)}}}},
		6: {both, one(comparison(LessOrEqual, -3))},
		7: {event.Of(event.Shmdt), nil},
		8: {both, one(comparison(Equal, 7, 8))},
		9: {both, &Filter{}}, // cannot match at all
	})
	for _, c := range []struct {
		name  string
		event event.Event
		want  []int
	}{
		{"nothing known", event.Event{ID: event.Msgsnd}, []int{0}},
		{"equal", event.Event{ID: event.Msgsnd, Return: 5}, []int{0, 1}},
		{"the rest holds too", event.Event{ID: event.Msgsnd, Return: 5, Compat: true}, []int{0, 1, 2, 5}},
		{"of another kind", event.Event{ID: event.Shmat, Return: 5, Compat: true}, []int{0, 2, 3, 4, 5}},
		{"above", event.Event{ID: event.Msgsnd, Return: 10}, []int{0, 5}},
		{"not above", event.Event{ID: event.Msgsnd, Return: 9}, []int{0}},
		{"below", event.Event{ID: event.Msgsnd, Return: -3}, []int{0, 6}},
		{"one of two", event.Event{ID: event.Msgsnd, Return: 8}, []int{0, 8}},
		{"the smallest", event.Event{ID: event.Msgsnd, Return: math.MinInt64}, []int{0, 6}},
		{"undefined", event.Event{ID: event.Msgsnd, Unfinished: true, Return: 5}, []int{0}},
		{"unknown", event.Event{ID: event.Msgsnd, Return: 1000}, []int{0, 1, 5, 6, 8}},
		{"selected by another only", event.Event{ID: event.Shmdt}, []int{7}},
		{"selected by nobody", event.Event{ID: event.Shmctl}, nil},
	} {
		var found Found
		if got := index.Select(&c.event, &found); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestSelectAmongMany compares the index over more signatures than a word has bits,
// with more constants than are compared one by one, with the filters themselves.
func TestSelectAmongMany(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var signatures []Signature
	for range 200 {
		filter := &Filter{}
		for range 1 + random.IntN(3) {
			var a Alternative
			for range 1 + random.IntN(3) {
				a = append(a, comparison(Operator(random.IntN(5)), random.Int64N(60)-30))
			}
			filter.Alternatives = append(filter.Alternatives, a)
		}
		signatures = append(signatures, Signature{event.All, filter})
	}
	index := NewIndex(signatures)
	var found Found
	for n := int64(-40); n <= 1000; n++ {
		e := &event.Event{ID: event.Semop, Return: n}
		var want []int
		for i, s := range signatures {
			if s.Filter.MayMatch(e) {
				want = append(want, i)
			}
		}
		if got := index.Select(e, &found); !slices.Equal(got, want) {
			t.Fatalf("%d: %v, want %v", n, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	f := &Filter{[]Alternative{{named("a", nil), named("b", nil)}, {named("c", nil)}, {named("c", nil)}}}
	if got, want := f.Words(), []string{"a and b", "c"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (*Filter)(nil).Words(); !slices.Equal(got, []string{"any event"}) {
		t.Errorf("%q", got)
	}
}
