package plan

import "github.com/open-policy-agent/opa/v1/ir"

// load reads a part of the input from the source of an evaluation. What it returns may
// be a node.
type load func(source any) Value

// loads recognises the function that the planner makes of a rule that is no more than a
// reference to the input: one block follows it, one assigns the result, and one returns.
func (c *compiler) loads(f *ir.Func) load {
	if c.program.input == nil || len(f.Params) != 2 || len(f.Blocks) != 3 || c.returns < 0 || c.constant.Defined() {
		return nil
	}
	at := f.Params[0]
	var path []Value
	for _, s := range f.Blocks[0].Stmts {
		switch s := s.(type) {
		case *ir.ResetLocalStmt:
		case *ir.DotStmt:
			key := c.operand(s.Key).constant
			if source, ok := localOf(s.Source); !ok || source != at || key.kind != kindString {
				return nil
			}
			at, path = s.Target, append(path, key)
		case *ir.AssignVarStmt:
			if source, ok := localOf(s.Source); !ok || source != at {
				return nil
			}
			at = s.Target
		case *ir.AssignVarOnceStmt:
			if source, ok := localOf(s.Source); !ok || source != at {
				return nil
			}
		default:
			return nil
		}
	}
	return c.program.input.load(path)
}

// load reads what path leads to.
func (n *Node) load(path []Value) load {
	if len(path) == 0 || n.isArray() {
		return nil
	}
	member := n.Members[path[0].str()]
	switch {
	case member == nil:
		return func(any) Value { return Value{} }
	case len(path) == 1 && member.Node == nil:
		return member.Read
	case len(path) == 1:
		return member.read
	case member.Node == nil || member.Node.isArray():
		return nil
	}
	present, rest := member.Read, member.Node.load(path[1:])
	if present == nil || rest == nil {
		return rest
	}
	keys := path[1:]
	return func(source any) Value {
		v := present(source)
		if v.kind == kindNull {
			return rest(source)
		}
		for _, key := range keys {
			v = v.Get(key)
		}
		return v
	}
}
