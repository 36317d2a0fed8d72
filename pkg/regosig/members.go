package regosig

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// members checks the constant names that object.get looks for in a part of the event. One
// that is not there is only warned of in Tracee's signatures: they may be older or newer
// than the document.
func (c *meaning) members(e *ast.Expr) {
	refs := c.follow(e.Operand(0), 0)
	if len(refs) != 1 || !refs[0].HasPrefix(ast.InputRootRef) {
		return
	}
	ref := refs[0]
	path := []*ast.Term{e.Operand(1)}
	if list, isList := path[0].Value.(*ast.Array); isList {
		path = nil
		list.Foreach(func(name *ast.Term) { path = append(path, name) })
	}
	for _, name := range path {
		text, isString := name.Value.(ast.String)
		parent, isObject := c.compiler.TypeEnv.GetByRef(ref).(*types.Object)
		if !isString || !isObject {
			return
		}
		if parent.Select(string(text)) == nil {
			distance := here
			if c.tracee {
				distance = apart
			}
			c.noMember(e.Location, ref, text, parent, distance)
			return
		}
		ref = ref.Append(name)
		c.field(e.Location, ref)
	}
}

// memberNames lists the members of objects of a type.
func memberNames(t *types.Object) (names []string) {
	for _, p := range t.StaticProperties() {
		if name, ok := p.Key.(string); ok {
			names = append(names, name)
		}
	}
	return names
}
