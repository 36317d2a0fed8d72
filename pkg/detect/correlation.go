package detect

import (
	"fmt"
	"strings"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// CorrelationType says what a correlation looks for among the matches of a group.
type CorrelationType string

// The types of correlation, in Sigma's words.
const (
	EventCount      CorrelationType = "event_count"      // how many matches
	ValueCount      CorrelationType = "value_count"      // how many distinct values of a field
	Temporal        CorrelationType = "temporal"         // every step, in any order
	TemporalOrdered CorrelationType = "temporal_ordered" // every step, in their order
)

// CorrelationTypes lists the types.
var CorrelationTypes = []CorrelationType{EventCount, ValueCount, Temporal, TemporalOrdered}

// Counts tells whether the type has a condition on a number, and not steps.
func (t CorrelationType) Counts() bool { return t == EventCount || t == ValueCount }

// Operator compares a count with a threshold.
type Operator string

// The operators, in Sigma's words.
const (
	AtLeast  Operator = "gte"
	MoreThan Operator = "gt"
	AtMost   Operator = "lte"
	LessThan Operator = "lt"
	Exactly  Operator = "eq"
)

// Operators lists the operators.
var Operators = []Operator{AtLeast, MoreThan, AtMost, LessThan, Exactly}

// Rises tells whether the condition, once it holds, goes on holding however many
// matches follow in the same timespan. The others are decided at the end of it.
func (o Operator) Rises() bool { return o == AtLeast || o == MoreThan }

// Correlation says how a signature decides over many events what it cannot tell of
// one. docs/correlation.md defines what each type means. Nobody changes it.
type Correlation struct {
	Type CorrelationType
	// GroupBy has paths of fields of the document, such as object.id: matches are
	// looked at together if all of these are equal. None: all are one group.
	GroupBy  []string
	Timespan time.Duration

	Operator  Operator // of the types that count
	Threshold uint64
	Field     string // value_count: the field whose distinct values count

	Steps []string // of the others: values of Finding.Step, two or more
	Until string   // temporal_ordered: a step that breaks off what has begun; "" for none
}

// RepeatSpan is for how long one event may stand for others that the correlation counts
// as it does that one: by so much it may take calls for earlier or later than they were,
// in a flood.
func (c *Correlation) RepeatSpan() time.Duration { return c.Timespan / 100 }

// String says in one line what the correlation looks for.
func (c *Correlation) String() string {
	var b strings.Builder
	switch c.Type {
	case EventCount:
		fmt.Fprintf(&b, "%s of matches %s %d", c.Type, c.Operator, c.Threshold)
	case ValueCount:
		fmt.Fprintf(&b, "%s of %s %s %d", c.Type, c.Field, c.Operator, c.Threshold)
	default:
		fmt.Fprintf(&b, "%s of %s", c.Type, strings.Join(c.Steps, ", "))
	}
	fmt.Fprintf(&b, " within %s", c.Timespan)
	if c.Until != "" {
		fmt.Fprintf(&b, " without %s", c.Until)
	}
	if len(c.GroupBy) > 0 {
		fmt.Fprintf(&b, " by %s", strings.Join(c.GroupBy, ", "))
	}
	return b.String()
}

// Correlated is what a correlation found. It belongs to whoever it is given to.
type Correlated struct {
	Type  CorrelationType
	Group map[string]any // the values by which the events belong together; nil for an absent field
	// Count is the number of matches, of distinct values or of steps.
	Count    uint64
	From, To time.Time         // of the calls that count; docs/correlation.md says which time of each
	First    *event.Document   // the earliest match that is remembered; nil if none is
	Samples  []*event.Document // of the matches between the first and the one that completed the count
	Steps    []CorrelatedStep
}

// CorrelatedStep is the match of one step.
type CorrelatedStep struct {
	Name  string
	Event *event.Document // nil if it is not remembered any more
}
