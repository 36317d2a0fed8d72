package prefilter

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// field is a member of the document, read from the event that the document would be
// made of. A path with a variable in it has many values, of which any counts.
type field struct {
	words  string
	events event.Set                // that have it, if it says so by not being 0
	one    func(*event.Event) value // nil if there may be many
	// integer is the same of a number; nil if the field can be something else.
	integer integer
	number  *sieve.Field // the same for a key: a number, a text, or a number for a text
	// numbers are those of a text; nil if the field is no text.
	numbers  func(text string) []int64
	constant *value // of what is none of the event
	rare     bool   // few events can be expected to have another value than 0
	// any tells whether a comparison with other holds for any of them. It takes no
	// function of the caller's: that would be allocated for each event.
	any func(e *event.Event, op comparison, other value) bool
}

// holds tells whether op holds between the field's value, or any of them, and other.
func (f *field) holds(e *event.Event, op comparison, other value) bool {
	if f.one != nil {
		return op.holds(f.one(e), other)
	}
	return f.any(e, op, other)
}

// fieldOf finds the field that a reference to the input names.
func fieldOf(ref ast.Ref) (f field, ok bool) {
	if len(ref) < 2 || !ref[0].Equal(ast.InputRootDocument) {
		return field{}, false
	}
	var path strings.Builder
	for i, term := range ref[1:] {
		switch step := term.Value.(type) {
		case ast.String:
			if i > 0 {
				path.WriteByte('.')
			}
			path.WriteString(string(step))
		case ast.Var:
			path.WriteString("[]")
		default:
			return field{}, false
		}
	}
	name := path.String()
	if read, ok := integers[name]; ok {
		return read.field(name, eventsOf(numerics[name].of)), true
	}
	if one, ok := scalars[name]; ok {
		f := field{words: name, one: one}
		if coded, ok := codes[name]; ok {
			f.number, f.numbers = &sieve.Field{Name: name, Number: coded.read}, coded.numbers
			return f, true
		}
		if texts[name] {
			return byText(f), true
		}
		return byNumber(f), true
	}
	if many, ok := lists[name]; ok {
		return field{words: name, any: many}, true
	}
	if arg, found := strings.CutPrefix(name, "arg."); found {
		switch events := eventsWith(arg); {
		case events != 0 && !isPointer(arg):
			return numberCalled(arg).field(name, events), true
		case events != 0:
			return byNumber(field{words: name, events: events, one: argument(arg)}), true
		}
	}
	return field{}, false
}
