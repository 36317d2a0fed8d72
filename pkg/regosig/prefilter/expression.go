package prefilter

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// condition is a condition with what matters while it is put together.
type condition struct {
	sieve.Condition
	exact bool // Holds decides the expression; otherwise it is no more than necessary
	form  form // what Holds decides, for the BPF programs; unset if they cannot
}

// translate makes a condition of an expression that partial evaluation left. ok is
// false where it is not understood.
func translate(expr *ast.Expr) (c condition, ok bool) {
	if len(expr.With) > 0 {
		return condition{}, false
	}
	switch terms := expr.Terms.(type) {
	case *ast.Term:
		c, ok = translateTerm(terms)
	case []*ast.Term:
		c, ok = translateCall(terms)
	case *ast.Every:
		c, ok = translateEvery(terms)
	}
	if !ok || !expr.Negated {
		return c, ok
	}
	// What is no more than necessary does not become sufficient by "not".
	if !c.exact {
		return condition{}, false
	}
	holds := c.Holds
	negated := sieve.Condition{
		Words:    "not " + c.Words,
		Holds:    func(e *event.Event) bool { return !holds(e) },
		Frequent: true,
	}
	if c.Certain {
		negated.Events, negated.Certain = event.All&^c.Events, true
	}
	c.form.negated = true
	return condition{negated, true, c.form}, true
}

// translateTerm takes a reference that stands alone: it holds unless it is
// undefined or false.
func translateTerm(t *ast.Term) (condition, bool) {
	switch v := t.Value.(type) {
	case ast.Ref:
		f, ok := fieldOf(v)
		if !ok {
			return condition{}, false
		}
		holds := truths[f.words]
		switch {
		case holds != nil:
		case f.integer != nil:
			holds = f.integer.defined
		default:
			holds = func(e *event.Event) bool { return f.holds(e, isTruthy, value{}) }
		}
		return condition{sieve.Condition{
			Words:    f.words,
			Holds:    holds,
			Events:   f.events,
			Guard:    truthGuards[f.words],
			Frequent: frequent[f.words],
		}, f.one != nil && !strings.Contains(f.words, "[]"), form{field: f.words, op: isTruthy}}, true
	case ast.Call:
		return translateCall(v)
	default:
		return condition{}, false
	}
}

// translateCall takes an operator or a function with its arguments.
func translateCall(terms []*ast.Term) (condition, bool) {
	name := terms[0].Value.String()
	// A function and what it returns: f(x) = y is written f(x, y).
	if arity := functions[name]; arity > 0 && len(terms) == arity+2 {
		return compare(equal, ast.CallTerm(terms[:arity+1]...), terms[arity+1])
	}
	if len(terms) != 3 {
		return condition{}, false
	}
	if name == ast.Member.Name {
		return translateMember(terms[1], terms[2])
	}
	if op, ok := comparisons[name]; ok {
		return compare(op, terms[1], terms[2])
	}
	return condition{}, false
}

// mirrored is the operator with its sides exchanged.
var mirrored = map[comparison]comparison{
	equal: equal, notEqual: notEqual, less: greater, lessOrEqual: greaterOrEqual, greater: less, greaterOrEqual: lessOrEqual,
}

// compare takes two operands, of which one at most may have many values.
func compare(op comparison, a, b *ast.Term) (condition, bool) {
	left, ok1 := operandOf(a)
	right, ok2 := operandOf(b)
	if !ok1 || !ok2 || (left.one == nil && right.one == nil) {
		return condition{}, false
	}
	if !left.asPrinted(op, right.constant) || !right.asPrinted(op, left.constant) {
		return condition{}, false
	}
	c := condition{
		Condition: sieve.Condition{
			Words:    left.words + " " + signs[op] + " " + right.words,
			Events:   either(left.events, right.events),
			Frequent: frequent[left.words] || frequent[right.words] || op == notEqual && !left.rare,
		},
		// What orders values of two types is not decided here, and holds.
		exact: left.exact && right.exact && (op == equal || op == notEqual),
		form:  formOf(op, left, right),
	}
	if left.one == nil {
		left, right, op = right, left, mirrored[op]
	}
	if right.one == nil {
		op = mirrored[op]
		c.Guard = guards[right.words]
		if left.constant != nil {
			c.Holds = func(e *event.Event) bool { return right.any(e, op, *left.constant) }
		} else {
			c.Holds = func(e *event.Event) bool { return right.any(e, op, left.one(e)) }
		}
		return c, true
	}
	if left.constant != nil {
		left, right, op = right, left, mirrored[op]
	}
	switch {
	case right.constant == nil && left.integer != nil && right.integer != nil:
		c.Holds = left.integer.with(op, right.integer)
		return c, true
	case right.constant == nil:
		c.Holds = func(e *event.Event) bool { return op.holds(left.one(e), right.one(e)) }
		return c, true
	case left.integer != nil && right.constant.kind == number:
		c.Holds = left.integer.against(op, right.constant.number)
	default:
		one, constant := left.one, *right.constant
		c.Holds = func(e *event.Event) bool { return op.holds(one(e), constant) }
	}
	c.Key = left.key(op, *right.constant)
	if c.Key != nil && left.numbers != nil {
		c.Holds = isOneOf(c.Key)
	}
	left.settle(&c)
	return c, true
}

// either is what a condition on two fields can hold for, where 0 is all events.
func either(a, b event.Set) event.Set {
	if a == 0 || b == 0 {
		return a | b
	}
	return a & b
}

// operand is one side of a comparison.
type operand struct {
	field
	exact bool
	name  string // of the field, if it is one or some bits of one
	mask  uint64 // those bits
}

func operandOf(t *ast.Term) (o operand, ok bool) {
	if v, ok := constant(t); ok {
		return operand{field: field{words: t.String(), one: func(*event.Event) value { return v }, constant: &v}, exact: true}, true
	}
	switch v := t.Value.(type) {
	case ast.Ref:
		f, ok := fieldOf(v)
		return operand{field: f, exact: f.one != nil && !canBeUnknown(f.words), name: f.words, mask: allBits}, ok
	case ast.Call:
		return functionOf(v)
	default:
		return operand{}, false
	}
}

// canBeUnknown tells of fields whose value is not always known here.
func canBeUnknown(path string) bool {
	return strings.HasPrefix(path, "arg.") || strings.Contains(path, "[]") || slices.Contains([]string{
		"error", "overlaps", "object", "durationNs", "stalledNs", "object.nsems", "object.qbytes", "object.cbytes", "object.qnum",
		"object.segsz", "object.nattch", "object.lspid", "object.lrpid", "object.cpid", "object.lpid",
	}, path)
}

// functions are those that functionOf knows, with the number of their arguments.
var functions = map[string]int{ast.Count.Name: 1, ast.BitsAnd.Name: 2}

// functionOf takes what signatures compute of a field: its length, or bits of it.
func functionOf(call ast.Call) (operand, bool) {
	name := call[0].Value.String()
	if len(call) != functions[name]+1 {
		return operand{}, false
	}
	switch name {
	case ast.Count.Name:
		return lengthOf(call[1])
	case ast.BitsAnd.Name:
		return bitsOf(call)
	default:
		return operand{}, false
	}
}

// lengthOf takes the length of a pointer as documents write it: the quick way to
// tell small addresses.
func lengthOf(t *ast.Term) (operand, bool) {
	ref, ok := t.Value.(ast.Ref)
	if !ok || len(ref) != 3 || !ref[:2].Equal(argRef) {
		return operand{}, false
	}
	name, ok := ref[2].Value.(ast.String)
	if !ok {
		return operand{}, false
	}
	if !isPointer(string(name)) {
		return operand{}, false
	}
	address := pointer(string(name))
	words := "length of arg." + string(name)
	return operand{name: words, mask: allBits, exact: true, field: byNumber(field{
		words:  words,
		events: eventsWith(string(name)),
		one: func(e *event.Event) value {
			v, ok := address(e)
			if !ok {
				return value{}
			}
			return ofInt(len("0x") + max(1, (bits.Len64(v)+3)/4))
		},
	})}, true
}

var argRef = ast.MustParseRef("input.arg")

// bitsOf takes bits.and of a field and a constant.
func bitsOf(call ast.Call) (operand, bool) {
	f, ok1 := operandOf(call[1])
	mask, ok2 := constant(call[2])
	if !ok1 || !ok2 || f.one == nil || mask.kind != number {
		return operand{}, false
	}
	words, all := fmt.Sprintf("(%s & %#o)", f.words, mask.number), f.mask&uint64(mask.number)
	if f.integer != nil {
		bits := f.integer.masked(mask.number).field(words, f.events)
		bits.rare = true
		return operand{name: f.name, mask: all, exact: f.exact, field: bits}, true
	}
	one := f.one
	return operand{name: f.name, mask: all, exact: f.exact, field: byNumber(field{
		words:  words,
		events: f.events,
		rare:   true,
		one: func(e *event.Event) value {
			v := one(e)
			if v.kind == number {
				return ofInt(v.number & mask.number)
			}
			return v
		},
	})}, true
}

// translateMember takes "x in y": a flag of the call, a field that is one of some
// constants, or a constant that is in a list.
func translateMember(element, collection *ast.Term) (condition, bool) {
	if ref, ok := collection.Value.(ast.Ref); ok {
		v, isConstant := constant(element)
		if !isConstant || v.kind != text {
			return condition{}, false
		}
		if ref.Equal(flagsRef) {
			if !event.IsFlag(v.text) {
				return condition{}, false
			}
			return condition{sieve.Condition{
				Words:  "flags has " + v.text,
				Holds:  hasFlag(v.text),
				Events: eventsWithFlag(v.text),
			}, true, form{field: "flags", op: equal, values: []value{v}}}, true
		}
		f, ok := fieldOf(ref.Append(ast.VarTerm("element")))
		if !ok || f.one != nil {
			return condition{}, false
		}
		return condition{Condition: sieve.Condition{
			Words: strings.TrimSuffix(f.words, "[]") + " has " + v.text,
			Holds: func(e *event.Event) bool { return f.any(e, equal, v) },
			Guard: guards[f.words],
		}, form: form{field: f.words, op: equal, values: []value{v}}}, true
	}
	return oneOf(element, collection)
}

var flagsRef = ast.MustParseRef("input.flags")

// oneOf takes a field that is one of some constants.
func oneOf(element, collection *ast.Term) (condition, bool) {
	o, ok := operandOf(element)
	if !ok {
		return condition{}, false
	}
	var members []value
	var words []string
	add := func(t *ast.Term) {
		v, isConstant := constant(t)
		ok = ok && isConstant && o.asPrinted(equal, &v)
		members, words = append(members, v), append(words, t.String())
	}
	switch c := collection.Value.(type) {
	case ast.Set:
		c.Foreach(add)
	case *ast.Array:
		c.Foreach(add)
	default:
		return condition{}, false
	}
	if !ok {
		return condition{}, false
	}
	oneOf := condition{sieve.Condition{
		Words: o.words + " is one of " + strings.Join(words, ", "),
		Holds: func(e *event.Event) bool {
			for i := range members {
				if o.holds(e, equal, members[i]) {
					return true
				}
			}
			return false
		},
		Events:   o.events,
		Key:      o.key(equal, members...),
		Frequent: frequent[o.words],
	}, o.exact, form{field: o.name, mask: o.mask, op: equal, values: members}}
	if oneOf.Key != nil && (o.integer != nil || o.numbers != nil) {
		oneOf.Holds = isOneOf(oneOf.Key)
	}
	o.settle(&oneOf)
	return oneOf, true
}
