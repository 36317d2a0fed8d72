package regosig

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// maxChain bounds how many variables are followed, which can define each other.
const maxChain = 16

// element stands for any index of what a loop goes through.
var element = ast.VarTerm("_")

// parameter is an argument of a function as its rules name it.
type parameter struct {
	function string
	index    int
}

// call is one of a function, in a scope.
type call struct {
	arguments []*ast.Term
	scope     *scope
}

// uses is how modules that are compiled together use their functions.
type uses struct {
	parameters map[ast.Var]parameter
	calls      map[string][]call
	inner      map[any]*scope // of comprehensions
}

// usesOf finds them in the scopes of the compiler's modules. The functions of libraries
// that are built in are left out: what they get is up to whoever calls them.
func usesOf(modules []*module, compiler *ast.Compiler, scopes map[string][]*scope) *uses {
	u := &uses{map[ast.Var]parameter{}, map[string][]call{}, map[any]*scope{}}
	for _, list := range scopes {
		for _, s := range list {
			u.inner[s.of] = s
			for _, e := range s.exprs {
				if e.IsCall() && e.Operator().HasPrefix(ast.DefaultRootRef) {
					name := e.Operator().String()
					u.calls[name] = append(u.calls[name], call{e.Operands(), s})
				}
			}
		}
	}
	for _, m := range modules {
		if m.builtin {
			continue
		}
		for _, rule := range compiler.Modules[m.name].Rules {
			for function := rule.Ref().String(); rule != nil; rule = rule.Else {
				for i, arg := range rule.Head.Args {
					if v, ok := arg.Value.(ast.Var); ok {
						u.parameters[v] = parameter{function, i}
					}
				}
			}
		}
	}
	return u
}

// follow lists what a term may stand for, as references to input or data; none if that is
// not known. The argument of a function stands for what any call passes.
func (c *meaning) follow(t *ast.Term, depth int) []ast.Ref {
	if depth > maxChain {
		return nil
	}
	switch v := t.Value.(type) {
	case ast.Ref:
		if v.HasPrefix(ast.InputRootRef) || v.HasPrefix(ast.DefaultRootRef) {
			return []ast.Ref{v}
		}
		return concat(c.follow(v[0], depth+1), v[1:]...)
	case ast.Var:
		if v.Equal(ast.InputRootDocument.Value) {
			return []ast.Ref{ast.InputRootRef}
		}
		if p, ok := c.uses.parameters[v]; ok {
			return c.passed(p, depth+1)
		}
		if list := c.loops[v]; list != nil {
			return concat(c.follow(list, depth+1), element)
		}
		switch e := c.defined[v]; {
		case e == nil:
		case e.IsEquality():
			return c.follow(other(e, v), depth+1)
		case takesArgument(e.Operator()):
			return []ast.Ref{argumentRef.Append(e.Operand(0))}
		}
	}
	return nil
}

func concat(refs []ast.Ref, terms ...*ast.Term) (longer []ast.Ref) {
	for _, ref := range refs {
		longer = append(longer, ref.Concat(terms))
	}
	return longer
}

// passed lists what calls pass for an argument; none if that of any is not known.
func (c *meaning) passed(p parameter, depth int) (refs []ast.Ref) {
	for _, call := range c.uses.calls[p.function] {
		there := *c
		there.scope = call.scope
		more := there.follow(call.arguments[p.index], depth)
		if refs = append(refs, more...); len(more) == 0 || len(refs) > maxChain {
			return nil
		}
	}
	return refs
}

// fieldOf is the field of the event, or the rule, that a term stands for, with [_] for
// any index of a field; "" if it is none, or may be several.
func (c *meaning) fieldOf(t *ast.Term, depth int) string {
	of := t
	if v, isVar := t.Value.(ast.Var); isVar {
		if e := c.defined[v]; e != nil && e.IsEquality() {
			of = other(e, v)
		}
	}
	switch v := of.Value.(type) {
	case *ast.SetComprehension:
		return c.collected(v, v.Term, depth)
	case *ast.ArrayComprehension:
		return c.collected(v, v.Term, depth)
	}
	return commonName(c.follow(t, depth))
}

// collected is the list whose elements a comprehension collects.
func (c *meaning) collected(comprehension any, t *ast.Term, depth int) string {
	if depth > maxChain || c.uses.inner[comprehension] == nil {
		return ""
	}
	there := *c
	there.scope = c.uses.inner[comprehension]
	list, isElement := strings.CutSuffix(there.fieldOf(t, depth+1), "[_]")
	if !isElement {
		return ""
	}
	return list
}

// commonName is the name of the field that references lead to; "" if they differ.
func commonName(refs []ast.Ref) (common string) {
	for i, ref := range refs {
		name := fieldName(ref)
		if i > 0 && name != common {
			return ""
		}
		common = name
	}
	return common
}

func fieldName(ref ast.Ref) string {
	if ref.HasPrefix(ast.DefaultRootRef) {
		return ref.String() // a rule, whose value may be a field's
	}
	var b strings.Builder
	b.WriteString("input")
	for _, part := range ref[1:] {
		if name, ok := part.Value.(ast.String); ok {
			b.WriteString("." + string(name))
		} else {
			b.WriteString("[_]")
		}
	}
	return b.String()
}
