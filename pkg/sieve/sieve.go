// Package sieve tells which of many signatures an event can match, in less time
// than it takes to ask each of them. It knows no language of signatures: what they
// are written in derives their filters.
package sieve

import (
	"slices"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Filter is a necessary condition for a signature to match: one of its alternatives
// has to hold. A nil Filter lets every event pass. It is safe for use by several
// goroutines.
type Filter struct {
	Alternatives []Alternative
}

// Alternative is a list of conditions that must all hold.
type Alternative []Condition

// Condition is something that can be decided about an event.
type Condition struct {
	// Words describe the condition; conditions with the same words are the same.
	Words string
	// Holds decides it, without allocation.
	Holds func(*event.Event) bool
	// Events are those that it can hold for, if it says so by not being 0; Certain
	// tells that it holds for all of these.
	Events  event.Set
	Certain bool
	// Key is the condition once more, if it compares a number or a text of the event
	// with constants: many of those are decided in one look.
	Key *Key
	// Guard is something else that the condition cannot hold without; nil for nothing.
	Guard *Guard
	// Frequent tells that many events can be expected to meet the condition.
	Frequent bool
}

// Guard is what several conditions cannot hold without, and is decided once for all of
// them.
type Guard struct {
	Name  string // guards of the same name are the same
	Holds func(*event.Event) bool
}

// Key is a condition on a field of the event. Where the field is Unknown the
// condition counts as true, where it is Undefined as false.
type Key struct {
	Field    *Field
	Operator Operator // Equal, if the field is a text
	// The constants, of which one has to do; one only, if Operator is an order.
	Numbers []int64
	Texts   []string
}

// Field is a number or a text of the event.
type Field struct {
	Name   string // fields of the same name are the same
	Number func(*event.Event) (int64, Certainty)
	Text   func(*event.Event) (string, Certainty) // nil, if it is a number
}

// Certainty tells what is known of a field.
type Certainty uint8

// The certainties.
const (
	Undefined Certainty = iota // the event does not have it
	Known
	Unknown // it has it, and only the condition itself can tell what it is
)

// Operator compares the field with a constant.
type Operator uint8

// The operators.
const (
	Equal Operator = iota
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
)

// MayMatch tells whether the signature can match an event. It does not allocate.
func (f *Filter) MayMatch(e *event.Event) bool {
	if f == nil {
		return true
	}
	for _, a := range f.Alternatives {
		if a.mayHold(e) {
			return true
		}
	}
	return false
}

func (a Alternative) mayHold(e *event.Event) bool {
	for i := range a {
		if !a[i].Holds(e) {
			return false
		}
	}
	return true
}

// Words describes the filter, one line for each alternative.
func (f *Filter) Words() []string {
	if f == nil {
		return []string{"any event"}
	}
	var lines []string
	for _, a := range f.Alternatives {
		var words []string
		for _, c := range a {
			words = append(words, c.Words)
		}
		if line := strings.Join(words, " and "); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
