package plan

import "github.com/open-policy-agent/opa/v1/ir"

// infer finds out which locals of all functions are nodes if the input is Program.input,
// through calls, too. It need not be right, as `with` can replace the input, and a
// function can be called with this and that: where a value turns out to be something
// else, evaluation goes the long way.
func (p *Program) infer(policy *ir.Policy) {
	for changed := true; changed; {
		changed = false
		for i, f := range policy.Funcs.Funcs {
			if p.inferIn(p.funcs[i], policy, f.Blocks, f.Params) {
				changed = true
			}
			if p.funcs[i].node == nil {
				p.funcs[i].node = p.funcs[i].nodes[f.Return]
				changed = changed || p.funcs[i].node != nil
			}
		}
	}
}

// inferIn does it for one function. It tells whether it has found anything new.
func (p *Program) inferIn(fn *function, policy *ir.Policy, blocks []*ir.Block, params []ir.Local) (changed bool) {
	if p.input == nil {
		return false
	}
	if fn.nodes == nil {
		fn.nodes = map[ir.Local]*Node{}
	}
	is := func(l ir.Local, node *Node) {
		if node != nil && fn.nodes[l] == nil {
			fn.nodes[l], changed = node, true
		}
	}
	of := func(o ir.Operand) *Node {
		if l, ok := localOf(o); ok {
			return fn.nodes[l]
		}
		return nil
	}
	is(params[0], p.input)
	for i, node := range fn.given {
		if i < len(params) {
			is(params[i], node)
		}
	}
	walk(blocks, func(s ir.Stmt) {
		switch s := s.(type) {
		case *ir.ScanStmt:
			is(s.Value, fn.nodes[s.Source].element())
		case *ir.AssignVarStmt:
			is(s.Target, of(s.Source))
		case *ir.AssignVarOnceStmt:
			is(s.Target, of(s.Source))
		case *ir.DotStmt:
			node := of(s.Source)
			is(s.Target, node.element())
			key, ok := s.Key.Value.(ir.StringIndex)
			if ok && node != nil && policy.Static != nil && int(key) < len(policy.Static.Strings) {
				if member := node.Members[policy.Static.Strings[key].Value]; member != nil {
					is(s.Target, member.Node)
				}
			}
		case *ir.CallStmt:
			callee := p.byName[s.Func]
			if callee == nil {
				return
			}
			is(s.Result, callee.node)
			for i, arg := range s.Args {
				if node := of(arg); node != nil && i < len(callee.given) && callee.given[i] == nil {
					callee.given[i], changed = node, true
				}
			}
		}
	})
	return changed
}

// element is one of an array that is a node; the others are like it.
func (n *Node) element() *Node {
	if n == nil || len(n.Elements) == 0 {
		return nil
	}
	return n.Elements[0]
}
