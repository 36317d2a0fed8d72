package prefilter

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// operationFields are the numbers of an operation.
var operationFields = map[string]func(event.Sembuf) int64{
	"sem_num": func(op event.Sembuf) int64 { return int64(op.Number) },
	"sem_op":  func(op event.Sembuf) int64 { return int64(op.Op) },
}

// ofEach is a comparison that holds for each operation of a list.
type ofEach struct {
	words string
	get   func(event.Sembuf) int64
	op    comparison
	other operand
}

var operationsRef = ast.MustParseRef("input.memory[_].atEntry.sops")

// translateEvery takes "every operation in region.atEntry.sops" with comparisons of its
// numbers. What else is in its body counts as true.
func translateEvery(every *ast.Every) (condition, bool) {
	domain, ok := every.Domain.Value.(ast.Ref)
	element, isVar := every.Value.Value.(ast.Var)
	if !ok || !isVar || !sameShape(domain, operationsRef) {
		return condition{}, false
	}
	var all []ofEach
	locals := map[ast.Var]*ast.Term{}
	for _, expr := range every.Body {
		if expr.IsEquality() && !expr.Negated {
			if local, isLocal := expr.Operand(0).Value.(ast.Var); isLocal {
				locals[local] = expr.Operand(1)
				continue
			}
		}
		if each, ok := translateEach(expr, element, locals); ok {
			all = append(all, each)
		}
	}
	if len(all) == 0 {
		return condition{}, false
	}
	var words []string
	for i := range all {
		words = append(words, all[i].words)
	}
	return condition{Condition: sieve.Condition{
		Words: "every operation has " + strings.Join(words, " and "),
		Holds: func(e *event.Event) bool {
			for i := range all {
				if !all[i].holds(e) {
					return false
				}
			}
			return true
		},
		Frequent: true,
	}}, true
}

// translateEach takes a comparison of the element's number with something else, in which
// locals stand for what they are equal to.
func translateEach(expr *ast.Expr, element ast.Var, locals map[ast.Var]*ast.Term) (each ofEach, ok bool) {
	terms, isCall := expr.Terms.([]*ast.Term)
	if !isCall || expr.Negated || len(expr.With) > 0 || len(terms) != 3 {
		return ofEach{}, false
	}
	op, isComparison := comparisons[terms[0].Value.String()]
	if !isComparison {
		return ofEach{}, false
	}
	a, b := resolved(terms[1], locals), resolved(terms[2], locals)
	name, ok := numberOf(a, element)
	if !ok {
		if name, ok = numberOf(b, element); !ok {
			return ofEach{}, false
		}
		b, op = a, mirrored[op]
	}
	other, ok := operandOf(b)
	return ofEach{name + " " + signs[op] + " " + other.words, operationFields[name], op, other}, ok && other.one != nil
}

func resolved(t *ast.Term, locals map[ast.Var]*ast.Term) *ast.Term {
	if local, ok := t.Value.(ast.Var); ok && locals[local] != nil {
		return locals[local]
	}
	return t
}

// numberOf is the member that a term refers to in the element.
func numberOf(t *ast.Term, element ast.Var) (name string, ok bool) {
	ref, isRef := t.Value.(ast.Ref)
	if !isRef || len(ref) != 2 || ref[0].Value.Compare(element) != 0 {
		return "", false
	}
	member, isText := ref[1].Value.(ast.String)
	return string(member), isText && operationFields[string(member)] != nil
}

// sameShape tells whether a reference is like another one, but for variables in it.
func sameShape(a, b ast.Ref) bool {
	if len(a) != len(b) || !a[0].Equal(b[0]) {
		return false
	}
	for i := range a[1:] {
		_, var1 := a[i+1].Value.(ast.Var)
		_, var2 := b[i+1].Value.(ast.Var)
		if var1 != var2 || !var1 && !a[i+1].Equal(b[i+1]) {
			return false
		}
	}
	return true
}

// holds tells whether the comparison may hold for each operation of one list, whichever
// it is.
func (each *ofEach) holds(e *event.Event) bool {
	other := each.other.one(e)
	for i := range e.Memory {
		if m := &e.Memory[i]; m.Pointee == event.Sembufs && m.Arg != "" && each.holdsIn(m.Entry.Bytes, other) {
			return true
		}
	}
	return false
}

func (each *ofEach) holdsIn(sops []byte, other value) bool {
	for ; len(sops) >= event.SembufSize; sops = sops[event.SembufSize:] {
		if n := each.get(event.DecodeSembuf(sops)); !each.op.holdsFor(n, other) {
			return false
		}
	}
	return true
}

// holdsFor tells whether op holds between a number and other.
func (op comparison) holdsFor(n int64, other value) bool {
	if other.kind == number {
		return op.orders(n, other.number)
	}
	return op.holds(ofInt(n), other)
}
