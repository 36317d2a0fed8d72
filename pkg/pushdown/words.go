package pushdown

import (
	"fmt"
	"math"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Words describes the set, one line for each clause, with the events that have it.
func (s Set) Words() (lines []string) {
	var texts []string
	events := map[string]event.Set{}
	for _, row := range event.Rows() {
		for _, c := range s.For(row.ID) {
			text := c.words(row) + c.behindWords() + c.repeatWords()
			if events[text] == 0 {
				texts = append(texts, text)
			}
			events[text] |= c.Events
		}
	}
	for _, text := range texts {
		lines = append(lines, strings.Join(events[text].Names(), ", ")+": "+text)
	}
	return lines
}

func (c Clause) words(row *event.Row) string {
	var words []string
	for _, t := range c.Tests {
		words = append(words, t.words(row))
	}
	if len(words) == 0 {
		return "any"
	}
	return strings.Join(words, " and ")
}

func (t Test) words(row *event.Row) string {
	switch t.Field {
	case Facts:
		return t.bits(FactNames)
	case Origin:
		return t.bits(OriginNames)
	}
	name := FieldNames[t.Field]
	if int(t.Field) < len(row.Args) {
		arg := &row.Args[t.Field]
		if words := t.symbols(arg.Decode); words != "" {
			return words
		}
		name = arg.Name
	}
	if i := int(t.Field) - int(Size0); i >= 0 && i < len(ofKind[row.Kind]) {
		name = ofKind[row.Kind][i]
	}
	if t.Field == Return && t.High < 0 && t.Low == t.High && !t.Outside {
		return "error " + event.Errno(t.Low)
	}
	if t.Field == Return && t.Low == -4095 && t.High == -1 {
		return map[bool]string{false: "error", true: "no error"}[t.Outside]
	}
	if t.Mask != math.MaxUint64 {
		name = fmt.Sprintf("(%s & %#x)", name, t.Mask)
	}
	switch {
	case t.Low == t.High && t.Outside:
		return fmt.Sprintf("%s != %d", name, t.Low)
	case t.Low == t.High:
		return fmt.Sprintf("%s = %d", name, t.Low)
	case t.Outside:
		return fmt.Sprintf("%s not from %d to %d", name, t.Low, t.High)
	case t.High == math.MaxInt64:
		return fmt.Sprintf("%s >= %d", name, t.Low)
	case t.Low == math.MinInt64:
		return fmt.Sprintf("%s <= %d", name, t.High)
	default:
		return fmt.Sprintf("%s from %d to %d", name, t.Low, t.High)
	}
}

// symbols are the flags or the commands that the test asks for, "" if it is no such
// test.
func (t Test) symbols(d event.Decoder) string {
	var words []string
	named := uint64(0)
	for _, n := range d.Names() {
		value := int64(n.Value)
		switch {
		case d.IsCommand() && t.Outside && t.Low == t.High:
			if t.Low == value {
				words = append(words, "not "+n.Name)
			}
		case d.IsCommand():
			if (t.Low <= value && value <= t.High) != t.Outside {
				words = append(words, n.Name)
			}
		case t.exact() && t.Mask&uint64(n.Value) != 0:
			named |= uint64(n.Value)
			if t.Low&value != 0 {
				words = append(words, n.Name)
			} else {
				words = append(words, "not "+n.Name)
			}
		}
	}
	switch {
	case d.IsCommand() && len(words) > 0:
		return strings.Join(words, " or ")
	case named == t.Mask && len(words) > 0:
		return strings.Join(words, " and ")
	default:
		return ""
	}
}

// bits names the bits that have to be set, and those that must not be.
func (t Test) bits(names []BitName) string {
	var words []string
	for i, name := range names {
		switch bit := int64(1) << i; {
		case int64(t.Mask)&bit == 0:
		case t.Low&bit != 0:
			words = append(words, name.Is)
		default:
			words = append(words, name.Not)
		}
	}
	return strings.Join(words, " and ")
}

// ofKind names Size0 and what follows it, by the kind of the object.
var ofKind = map[event.Kind][PID1 - Size0 + 1]string{
	event.MessageQueue: {"object.qbytes", "object.cbytes", "object.qnum", "object.lspid", "object.lrpid"},
	event.Semaphore:    {"object.nsems"},
	event.SharedMemory: {"object.segsz", "object.nattch", "", "object.cpid", "object.lpid"},
}
