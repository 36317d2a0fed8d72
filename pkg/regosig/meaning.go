package regosig

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"

	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// checkMeaning reports what is well-formed to OPA, and what no event can change:
// comparisons of a number with a string, or of a field with a name that the field
// never has, and fields that no event has which the module selects. All are
// mistakes, of which the signature would be silent for ever. What only may be one is
// a warning. If the modules are about unseen events, too, these may have other names and
// arguments.
func checkMeaning(compiler *ast.Compiler, modules []*module, unseen bool, ps *problems) {
	scopes := map[string][]*scope{}
	for name, m := range compiler.Modules {
		scopes[name] = scopesOf(m)
	}
	uses := usesOf(modules, compiler, scopes)
	for _, m := range modules {
		c := &meaning{compiler: compiler, tracee: m.isTracee(), unseen: unseen, ps: ps, words: wordsOf(m.selects), uses: uses}
		c.patterns(compiler.Modules[m.name])
		for _, c.scope = range scopes[m.name] {
			for _, e := range c.exprs {
				if e.Location != nil {
					c.check(e)
				}
			}
			for _, t := range c.terms {
				if ref, ok := t.Value.(ast.Ref); ok && t.Location != nil {
					c.field(t.Location, ref)
					c.reference(t, ref)
				}
			}
		}
	}
}

// meaning is what is known of one module, and of the scope that is being checked.
type meaning struct {
	compiler *ast.Compiler
	tracee   bool // the module is in Tracee's contract
	unseen   bool // the module is about events, too, that ipcwarden does not have
	ps       *problems
	words    *words
	uses     *uses
	*scope
}

// patterns checks the constants that functions want for arguments.
func (c *meaning) patterns(m *ast.Module) {
	for _, rule := range m.Rules {
		for i, arg := range rule.Head.Args {
			if _, isString := arg.Value.(ast.String); isString && arg.Location != nil {
				if field := commonName(c.passed(parameter{rule.Ref().String(), i}, 0)); field != "" {
					c.name(arg.Location, field, constant{arg, near})
				}
			}
		}
	}
}

// orderings are the comparisons that OPA defines for values of any two types.
var orderings = []*ast.Builtin{ast.GreaterThan, ast.GreaterThanEq, ast.LessThan, ast.LessThanEq, ast.NotEqual}

// setOperators are those of which both sides have elements of one kind.
var setOperators = []*ast.Builtin{ast.And, ast.Or, ast.Minus}

func (c *meaning) check(e *ast.Expr) {
	for _, w := range e.With {
		if ref, ok := w.Target.Value.(ast.Ref); ok {
			c.memberOfAny(e.Location, []ast.Ref{ref})
		}
	}
	if !e.IsCall() {
		return
	}
	switch {
	case takesFlags(e.Operator()):
		c.constants(e.Operand(0), near, 0, func(name constant) { c.name(e.Location, flagField, name) })
	case takesArgument(e.Operator()):
		c.constants(e.Operand(0), here, 0, func(name constant) { c.name(e.Location, argumentField, name) })
	case e.Operator().String() == ast.ObjectGet.Name:
		c.members(e)
	case len(e.Operands()) > 1 && slices.ContainsFunc(setOperators, func(o *ast.Builtin) bool { return o.Name == e.Operator().String() }):
		c.names(e, e.Operand(0), e.Operand(1))
		c.names(e, e.Operand(1), e.Operand(0))
	}
	if len(e.Operands()) != 2 {
		return
	}
	a, b := e.Operand(0), e.Operand(1)
	operator := e.Operator().String()
	switch {
	case slices.ContainsFunc(orderings, func(o *ast.Builtin) bool { return o.Name == operator }):
		c.compare(e, c.typeOf(a, 0), c.typeOf(b, 0), a, b)
		if operator == ast.NotEqual.Name { // what names are ordered by need not be one
			c.names(e, a, b)
			c.names(e, b, a)
		}
	case operator == ast.Member.Name:
		c.names(e, a, b)
		if field := c.fieldOf(b, 0); field != "" {
			c.constants(a, here, 0, func(name constant) { c.name(e.Location, field+"[_]", name) })
		}
	case e.IsEquality():
		c.compare(e, c.typeOf(a, 0), c.typeOf(b, 0), a, b)
		c.names(e, a, b)
		c.names(e, b, a)
	}
}

// scalarKind is the kind of a type of which values of another kind are never
// equal, and always on the same side; "" for any other type. null is left out:
// to compare with it is to ask whether something is there.
func scalarKind(t types.Type) string {
	switch t.(type) {
	case types.Number:
		return "a number"
	case types.String:
		return "a string"
	case types.Boolean:
		return "a boolean"
	case *types.Array, *types.Set:
		return "a list"
	case *types.Object:
		return "an object"
	default:
		return ""
	}
}

func (c *meaning) compare(e *ast.Expr, ta, tb types.Type, a, b *ast.Term) {
	ka, kb := scalarKind(ta), scalarKind(tb)
	if ka == "" || kb == "" || ka == kb {
		return
	}
	c.ps.at(e.Location, "%s is %s, and %s is %s: to compare them says nothing of the event", c.text(a), ka, c.text(b), kb)
}

// text is a term as it stands in the file.
func (c *meaning) text(t *ast.Term) string {
	if v, ok := t.Value.(ast.Var); ok && strings.HasPrefix(string(v), ast.LocalVarPrefix) {
		if e := c.defined[v]; e != nil && e.Location != nil && e.Generated {
			return strings.Join(strings.Fields(string(e.Location.Text)), " ")
		}
	}
	if t.Location != nil && len(t.Location.Text) > 0 {
		return strings.Join(strings.Fields(string(t.Location.Text)), " ")
	}
	return t.String()
}

// typeOf is the type of a term; nil if it is not known.
func (c *meaning) typeOf(t *ast.Term, depth int) types.Type {
	if refs := c.follow(t, depth); len(refs) == 1 && refs[0].HasPrefix(ast.InputRootRef) {
		return c.compiler.TypeEnv.GetByRef(refs[0])
	}
	v, isVar := t.Value.(ast.Var)
	if !isVar {
		if _, isCall := t.Value.(ast.Call); isCall {
			return nil
		}
		return c.compiler.TypeEnv.GetByValue(t.Value)
	}
	e := c.defined[v]
	if e == nil || depth > maxChain {
		return nil
	}
	if e.IsEquality() {
		return c.typeOf(other(e, v), depth+1)
	}
	if f, ok := c.compiler.TypeEnv.GetByRef(e.Operator()).(*types.Function); ok && len(e.Operands()) == len(f.FuncArgs().Args)+1 {
		return f.Result()
	}
	return nil
}

// other is the side of an equality that is not v.
func other(e *ast.Expr, v ast.Var) *ast.Term {
	if e.Operand(0).Value.Compare(v) == 0 {
		return e.Operand(1)
	}
	return e.Operand(0)
}

// names checks the constants that a field is compared with.
func (c *meaning) names(e *ast.Expr, field, t *ast.Term) {
	name := c.fieldOf(field, 0)
	if name == "" {
		return
	}
	if _, ofElements := allWords().values[name+"[_]"]; ofElements {
		name += "[_]"
	}
	c.constants(t, here, 0, func(constant constant) { c.name(e.Location, name, constant) })
}

// name checks one that a field is compared with at a place.
func (c *meaning) name(at *ast.Location, field string, constant constant) {
	values, known := allWords().values[field]
	text := string(constant.term.Value.(ast.String))
	if c.unseen && (field == argumentField || field == eventNameField && !isSlip(text)) {
		return
	}
	if !known || values.has(text) {
		c.selected(at, field, constant)
		return
	}
	if constant.at >= apart && isWord(text) {
		return
	}
	report := c.ps.at
	if constant.at == keyed {
		report = c.ps.warnAt
	}
	report(place(at, constant), "there is no %s %q; the nearest is %s", values.what, text, nearest.Name(text, values.names))
}

// selected checks that one of the events which the module selects can have the name.
func (c *meaning) selected(at *ast.Location, field string, constant constant) {
	values, narrower := c.words.values[field]
	text := string(constant.term.Value.(ast.String))
	if !narrower || values.has(text) {
		return
	}
	format := "the selected events do not have %s %q%s"
	if field == eventNameField {
		format = "the signature does not select %s %q%s"
	}
	report := c.ps.at
	if constant.at != here {
		report = c.ps.warnAt
	}
	report(place(at, constant), format, values.what, text, hint(text, values.names))
}

// place is where a constant stands that something at a place is compared with.
func place(at *ast.Location, constant constant) *ast.Location {
	if constant.at == here || constant.term.Location == nil {
		return at
	}
	return constant.term.Location
}

// field checks a member of an object of the event that depends on the event's kind.
func (c *meaning) field(at *ast.Location, ref ast.Ref) {
	const depth = 3 // input.arg.msqid
	if len(ref) < depth || !ref.HasPrefix(ast.InputRootRef) {
		return
	}
	name, isString := ref[depth-1].Value.(ast.String)
	parent := ref[:depth-1].String()
	names, known := c.words.fields[parent]
	if !isString || !known || slices.Contains(names, string(name)) || !slices.Contains(allWords().fields[parent], string(name)) {
		return
	}
	c.ps.at(at, "undefined ref: %s: %s of the selected events has no field %s%s", ref[:depth], parent, string(name), hint(string(name), names))
}

func hint(misspelt string, names []string) string {
	if near := nearest.Name(misspelt, names); near != "" {
		return "; the nearest is " + near
	}
	return ""
}
