package regosig

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// reference checks what OPA leaves alone: members of what every and functions get, members
// that variables name, and members of constants that are looked up by a field.
func (c *meaning) reference(t *ast.Term, ref ast.Ref) {
	if len(ref) < 2 { // an operator
		return
	}
	if !ref.HasPrefix(ast.InputRootRef) {
		refs := c.follow(t, 0)
		c.memberOfAny(t.Location, refs)
		if len(refs) == 1 {
			c.field(t.Location, refs[0])
		}
		c.elementCalled(t.Location, ref)
	}
	for i := 1; i < len(ref); i++ {
		if _, isVar := ref[i].Value.(ast.Var); !isVar {
			continue
		}
		c.memberCalled(t.Location, c.follow(ast.NewTerm(ref[:i]), 0), ref[i])
		if field := c.fieldOf(ref[i], 0); field != "" {
			c.keys(ref[:i], func(key constant) { c.name(t.Location, field, key) })
		}
	}
}

// memberOfAny reports a member that none of some parts of the event has.
func (c *meaning) memberOfAny(at *ast.Location, refs []ast.Ref) {
	var first func()
	for _, ref := range refs {
		report := c.missing(at, ref)
		if report == nil {
			return
		}
		if first == nil {
			first = report
		}
	}
	if first != nil {
		first()
	}
}

// missing returns what reports the first member of a reference to the input that the schema
// does not have; nil if it has all.
func (c *meaning) missing(at *ast.Location, ref ast.Ref) (report func()) {
	if !ref.HasPrefix(ast.InputRootRef) {
		return nil
	}
	for i := 1; i < len(ref); i++ {
		name, isString := ref[i].Value.(ast.String)
		parent, isObject := c.compiler.TypeEnv.GetByRef(ref[:i]).(*types.Object)
		if isString && isObject && parent.Select(string(name)) == nil {
			return func() { c.noMember(at, ref[:i], name, parent, here) }
		}
	}
	return nil
}

// memberCalled checks the constants that a variable names a member by.
func (c *meaning) memberCalled(at *ast.Location, parents []ast.Ref, variable *ast.Term) {
	if len(parents) != 1 || !parents[0].HasPrefix(ast.InputRootRef) {
		return
	}
	parent, isObject := c.compiler.TypeEnv.GetByRef(parents[0]).(*types.Object)
	if !isObject {
		return
	}
	c.constants(variable, near, 0, func(constant constant) {
		name := constant.term.Value.(ast.String)
		if parent.Select(string(name)) == nil {
			c.noMember(at, parents[0], name, parent, constant.at)
			return
		}
		c.field(at, parents[0].Append(ast.NewTerm(name)))
	})
}

// noMember reports a member that is not there. It is only a warning for a name that may be
// in use elsewhere.
func (c *meaning) noMember(at *ast.Location, parent ast.Ref, name ast.String, t *types.Object, distance distance) {
	report := c.ps.at
	if distance == apart {
		report = c.ps.warnAt
	}
	report(at, "undefined ref: %s: %s has no field %s%s", parent.Append(ast.NewTerm(name)), parent, string(name), hint(string(name), memberNames(t)))
}

// elementCalled checks a constant that is looked up in a set of names.
func (c *meaning) elementCalled(at *ast.Location, ref ast.Ref) {
	if _, isString := ref[1].Value.(ast.String); !isString || ref.HasPrefix(ast.DefaultRootRef) {
		return
	}
	field := c.fieldOf(ref[0], 0) + "[_]"
	if _, known := allWords().values[field]; known {
		c.name(at, field, constant{ref[1], here})
	}
}

// keys calls each for the keys of constants, or the elements of sets, that ref stands for.
func (c *meaning) keys(ref ast.Ref, each func(constant)) {
	of := func(t *ast.Term, at distance) {
		key := func(t *ast.Term, at distance) {
			if _, isString := t.Value.(ast.String); isString {
				each(constant{t, at})
			}
		}
		switch v := t.Value.(type) {
		case ast.Set:
			v.Foreach(func(t *ast.Term) { key(t, at) })
		case ast.Object:
			v.Foreach(func(t, _ *ast.Term) { key(t, keyed) })
		}
	}
	if ref.HasPrefix(ast.DefaultRootRef) {
		for _, rule := range c.compiler.GetRulesExact(ref) {
			switch head := rule.Head; {
			case len(head.Args) > 0:
			case head.Key != nil:
				of(ast.SetTerm(head.Key), apart)
			case head.Value != nil:
				of(head.Value, apart)
			}
		}
	} else if v, isVar := ref[0].Value.(ast.Var); isVar && len(ref) == 1 {
		if e := c.defined[v]; e != nil && e.IsEquality() {
			of(other(e, v), near)
		}
	}
}
