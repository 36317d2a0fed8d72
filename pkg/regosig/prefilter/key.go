package prefilter

import (
	"slices"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// frequent are the fields of which many events have what a signature asks for.
var frequent = map[string]bool{
	"returnValue": true, "userId": true, "groupId": true, "effectiveUserId": true, "effectiveGroupId": true,
	"via": true, "sleeps": true, "object": true, "object.kind": true, "contextFlags.isCompat": true,
	"object.nsems": true, "object.qbytes": true, "object.segsz": true,
}

// eventsOf are the events about objects of a kind: 0, which is all of them, for no kind.
// ipc can be about any.
func eventsOf(kind event.Kind) (events event.Set) {
	if kind == event.NoKind {
		return 0
	}
	for _, row := range event.Rows() {
		if row.Kind == kind || row.ID == event.IPC {
			events = events.With(row.ID)
		}
	}
	return events
}

// byNumber lets a field be a key by its numbers. Values of other types are left to
// the condition itself.
func byNumber(f field) field {
	one := f.one
	f.number = &sieve.Field{Name: f.words, Number: func(e *event.Event) (int64, sieve.Certainty) {
		v := one(e)
		return v.number, v.certainty(number)
	}}
	return f
}

// byText lets a field be a key by its texts.
func byText(f field) field {
	one := f.one
	f.number = &sieve.Field{Name: f.words, Text: func(e *event.Event) (string, sieve.Certainty) {
		v := one(e)
		return v.text, v.certainty(text)
	}}
	return f
}

// certainty tells whether v is a value of the type that a key is of.
func (v value) certainty(of kind) sieve.Certainty {
	switch v.kind {
	case of:
		return sieve.Known
	case undefined:
		return sieve.Undefined
	default:
		return sieve.Unknown
	}
}

var operators = map[comparison]sieve.Operator{
	equal: sieve.Equal, less: sieve.Less, lessOrEqual: sieve.LessOrEqual, greater: sieve.Greater, greaterOrEqual: sieve.GreaterOrEqual,
}

// key is the comparison of the field with constants, or nil if it is none of numbers.
func (f *field) key(op comparison, constants ...value) *sieve.Key {
	operator, ok := operators[op]
	if f.number == nil || !ok {
		return nil
	}
	k := &sieve.Key{Field: f.number, Operator: operator}
	for _, v := range constants {
		switch {
		case f.number.Text != nil && v.kind == text && op == equal:
			k.Texts = append(k.Texts, v.text)
		case f.number.Text == nil && f.numbers == nil && v.kind == number:
			k.Numbers = append(k.Numbers, v.number)
		case f.numbers != nil && v.kind == text && op == equal:
			k.Numbers = append(k.Numbers, f.numbers(v.text)...)
		default:
			return nil
		}
	}
	return k
}

// isOneOf decides a key whose field is a number, or a text by its numbers.
func isOneOf(k *sieve.Key) func(*event.Event) bool {
	return func(e *event.Event) bool {
		n, certainty := k.Field.Number(e)
		return certainty == sieve.Known && slices.Contains(k.Numbers, n) || certainty == sieve.Unknown
	}
}

// settle decides a condition on nothing but the field where the kind of the event
// does.
func (f *field) settle(c *condition) {
	if f.words != eventName {
		return
	}
	c.Certain = true
	for _, row := range event.Rows() {
		if c.Holds(&event.Event{ID: row.ID}) {
			c.Events = c.Events.With(row.ID)
		}
	}
	if c.Events == 0 { // which would be all
		c.Certain = false
	}
}

// eventName is the field that says what kind of event it is.
const eventName = "eventName"

// codes are the fields whose texts have numbers in the event.
var codes = map[string]struct {
	read    func(*event.Event) (int64, sieve.Certainty)
	numbers func(text string) []int64
}{
	"error":   {errno, errnosCalled},
	"command": {command, commandsCalled},
}

// maxErrno is the largest error number of the kernel (include/linux/err.h).
const maxErrno = 4095

func errno(e *event.Event) (int64, sieve.Certainty) {
	if e.Unfinished || !e.Failed() {
		return 0, sieve.Undefined
	}
	return -e.Return, sieve.Known
}

func errnosCalled(name string) (numbers []int64) {
	for n := int64(1); n <= maxErrno; n++ {
		if event.Errno(-n) == name {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// maxCommand bounds the numbers of commands.
const maxCommand = 32

// command is a number for the name of the event's command, which is the same for
// all events.
func command(e *event.Event) (int64, sieve.Certainty) {
	n := uint32(e.Call)
	if i := commandAt[e.ID]; e.ID != event.IPC {
		if i < 0 {
			return 0, sieve.Undefined
		}
		n = uint32(e.Args[i]) &^ event.IPC64
	}
	if n >= maxCommand || commandCodes[e.ID][n] == 0 {
		return 0, sieve.Undefined
	}
	return int64(commandCodes[e.ID][n]), sieve.Known
}

func commandsCalled(name string) []int64 {
	if code, ok := commandNames[name]; ok {
		return []int64{int64(code)}
	}
	return nil
}

// commandCodes has, by event ID and number, the place of a command's name in
// commandNames, from 1; commandAt which argument it is.
var commandCodes, commandNames, commandAt = func() (codes [1 << 8][maxCommand]uint8, names map[string]uint8, at [1 << 8]int) {
	names = map[string]uint8{}
	for _, row := range event.Rows() {
		at[row.ID] = row.CommandAt()
		if at[row.ID] < 0 {
			continue
		}
		for _, n := range row.Args[at[row.ID]].Decode.Names() {
			if names[n.Name] == 0 {
				names[n.Name] = uint8(len(names) + 1)
			}
			codes[row.ID][n.Value] = names[n.Name]
		}
	}
	return codes, names, at
}()

// eventsWith are the events that have an argument of that name.
func eventsWith(argument string) (events event.Set) {
	for _, row := range event.Rows() {
		if row.Find(argument) >= 0 {
			events = events.With(row.ID)
		}
	}
	return events
}

// eventsWithFlag are the events that can have the flag.
func eventsWithFlag(name string) (events event.Set) {
	for _, row := range event.Rows() {
		if _, _, ok := row.Flag(name); ok {
			events = events.With(row.ID)
		}
	}
	return events
}

// hasFlag is Event.HasFlag for one flag.
func hasFlag(name string) func(*event.Event) bool {
	var at [1 << 8]struct {
		arg int
		bit uint32
	}
	for _, row := range event.Rows() {
		if arg, bit, ok := row.Flag(name); ok {
			at[row.ID].arg, at[row.ID].bit = arg, bit
		}
	}
	return func(e *event.Event) bool {
		switch where := &at[e.ID]; {
		case where.bit == 0:
			return false
		case where.arg < 0:
			_, bits := e.FlagBits()
			return bits&where.bit != 0
		default:
			return uint32(e.Args[where.arg])&where.bit != 0
		}
	}
}
