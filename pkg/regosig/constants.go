package regosig

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// constant is a string that a signature compares with a field of the event.
type constant struct {
	term *ast.Term
	at   distance
}

// distance is how far from the comparison a constant stands: the farther away, the more
// else it may be for.
type distance int

const (
	here  distance = iota // in the comparison
	near                  // in a variable, a loop, or the argument of a helper
	apart                 // in a rule, which may be for several comparisons
	keyed                 // as the key of an object, which may have one for all the rest
)

// constants calls each for the strings that a term stands for, or that are its elements.
func (c *meaning) constants(t *ast.Term, at distance, depth int, each func(constant)) {
	if depth > maxChain {
		return
	}
	follow := func(t *ast.Term, at distance) { c.constants(t, at, depth+1, each) }
	element := func(t *ast.Term) {
		if _, isString := t.Value.(ast.String); isString {
			each(constant{t, at})
		}
	}
	switch v := t.Value.(type) {
	case ast.String:
		each(constant{t, at})
	case ast.Set:
		v.Foreach(element)
	case *ast.Array:
		v.Foreach(element)
	case ast.Var:
		if list := c.loops[v]; list != nil {
			follow(list, max(at, near))
		} else if e := c.defined[v]; e != nil && e.IsEquality() {
			follow(other(e, v), max(at, near))
		}
	case ast.Ref:
		fixed := v.ConstantPrefix()
		if len(v)-len(fixed) > 1 { // an element of an element
			return
		}
		if v.HasPrefix(ast.DefaultRootRef) {
			for _, rule := range c.compiler.GetRulesExact(fixed) {
				for ; rule != nil; rule = rule.Else {
					if value := constantOf(rule.Head); value != nil {
						c.constants(value, apart, maxChain, each) // and no farther
					}
				}
			}
		} else if len(fixed) == 1 && len(v) > 1 {
			follow(v[0], max(at, near))
		}
	}
}

// constantOf is the value of a rule, or an element that it adds to a set; nil for the
// others.
func constantOf(head *ast.Head) *ast.Term {
	switch {
	case len(head.Args) > 0 || head.Key != nil && head.Value != nil:
		return nil
	case head.Key != nil:
		return head.Key
	}
	return head.Value
}

// takesFlags tells of the helpers whose first argument is names of flags.
func takesFlags(operator ast.Ref) bool {
	return strings.HasPrefix(operator.String(), "data.ipcwarden.flags.")
}

// takesArgument tells of the helper of Tracee's signatures whose argument is the name of
// an argument of the call.
func takesArgument(operator ast.Ref) bool {
	return operator.String() == "data.tracee.helpers.get_tracee_argument"
}

// argumentRef is the object that has every argument of the call by its name.
var argumentRef = ast.InputRootRef.Append(ast.StringTerm("arg"))
