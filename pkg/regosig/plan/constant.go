package plan

import "github.com/open-policy-agent/opa/v1/ir"

// constantResult recognises the functions that the planner makes of rules which
// all have the same constant value, true for example. Each rule assigns the
// constant to a local, and the function's result is only ever taken from that
// local, or is that of the default rule.
func constantResult(f *ir.Func) (constant Value, target ir.Local) {
	targets := map[ir.Local]bool{}
	known := true
	walk(f.Blocks, func(s ir.Stmt) {
		once, ok := s.(*ir.AssignVarOnceStmt)
		if !ok {
			if makes(s) == f.Return {
				known = false
			}
			return
		}
		if once.Target == f.Return {
			// From a rule's local, or a constant default, which is only for when no
			// rule holds.
			if source, isLocal := localOf(once.Source); isLocal {
				targets[source] = true
			}
			return
		}
		value, isBool := boolOf(once.Source)
		if !isBool || constant.Defined() && !Equal(constant, value) {
			known = false
			return
		}
		constant = value
		targets[once.Target] = true
	})
	if !known || len(targets) != 1 || !constant.Defined() {
		return Value{}, -1
	}
	for target := range targets {
		return constant, target
	}
	return Value{}, -1
}

// soleResult is the local that a function's result is taken from, if only one statement
// gives it a value, in no iteration, or one of a rule and its else branches: whoever gets
// there can return. It is -1 otherwise.
func soleResult(f *ir.Func) ir.Local {
	sole, assignments := ir.Local(-1), 0
	var count func(blocks []*ir.Block, weight int)
	count = func(blocks []*ir.Block, weight int) {
		for _, b := range blocks {
			if b == nil {
				continue
			}
			for _, s := range b.Stmts {
				inside := weight
				switch s := s.(type) {
				case *ir.ScanStmt:
					inside = 2
				case *ir.AssignVarOnceStmt:
					if s.Target != f.Return {
						if s.Target != sole || !isElse(b, sole) {
							assignments += weight
						}
						sole = s.Target
					} else if source, isLocal := localOf(s.Source); isLocal && source != sole {
						assignments = 2
					}
				default:
					if makes(s) == f.Return {
						assignments = 2
					}
				}
				count(nestedBlocks(s), inside)
			}
		}
	}
	if count(f.Blocks, 1); assignments != 1 {
		return -1
	}
	return sole
}

// isElse tells whether a block is only for when a local has no value yet.
func isElse(b *ir.Block, l ir.Local) bool {
	first, ok := b.Stmts[0].(*ir.IsUndefinedStmt)
	return ok && first.Source == l
}

// live leaves out the blocks of a function that are never reached, or do nothing.
func (c *compiler) live(blocks []*ir.Block) []*ir.Block {
	var live []*ir.Block
	for i, b := range blocks {
		if len(b.Stmts) == 0 {
			continue
		}
		// Whoever would define it returns instead.
		if defined, ok := b.Stmts[0].(*ir.IsDefinedStmt); ok && defined.Source == c.returns {
			continue
		}
		// There is nothing left to do but to return the result.
		if last, ok := b.Stmts[0].(*ir.ReturnLocalStmt); ok && i == len(blocks)-1 && c.local(last.Source) == c.fn.result {
			continue
		}
		live = append(live, b)
	}
	return live
}

func localOf(o ir.Operand) (ir.Local, bool) {
	switch v := o.Value.(type) {
	case ir.Local:
		return v, true
	case *ir.Local:
		return *v, true
	}
	return 0, false
}

func boolOf(o ir.Operand) (Value, bool) {
	switch v := o.Value.(type) {
	case ir.Bool:
		return Bool(bool(v)), true
	case *ir.Bool:
		return Bool(bool(*v)), true
	}
	return Value{}, false
}

// makes is the local that a statement gives a new value, or -1.
func makes(s ir.Stmt) ir.Local {
	switch s := s.(type) {
	case *ir.CallStmt:
		return s.Result
	case *ir.CallDynamicStmt:
		return s.Result
	case *ir.DotStmt:
		return s.Target
	case *ir.LenStmt:
		return s.Target
	case *ir.AssignIntStmt:
		return s.Target
	case *ir.AssignVarStmt:
		return s.Target
	case *ir.MakeNullStmt:
		return s.Target
	case *ir.MakeNumberIntStmt:
		return s.Target
	case *ir.MakeNumberRefStmt:
		return s.Target
	case *ir.MakeArrayStmt:
		return s.Target
	case *ir.MakeObjectStmt:
		return s.Target
	case *ir.MakeSetStmt:
		return s.Target
	case *ir.ObjectMergeStmt:
		return s.Target
	case *ir.WithStmt:
		return s.Local
	}
	return -1
}
