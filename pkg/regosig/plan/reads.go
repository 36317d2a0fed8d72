package plan

import "github.com/open-policy-agent/opa/v1/ir"

// nestedBlocks are the blocks in a statement.
func nestedBlocks(s ir.Stmt) []*ir.Block {
	switch s := s.(type) {
	case *ir.BlockStmt:
		return s.Blocks
	case *ir.ScanStmt:
		return []*ir.Block{s.Block}
	case *ir.NotStmt:
		return []*ir.Block{s.Block}
	case *ir.WithStmt:
		return []*ir.Block{s.Block}
	}
	return nil
}

// walk calls visit for all statements of blocks, in their order.
func walk(blocks []*ir.Block, visit func(ir.Stmt)) {
	for _, b := range blocks {
		if b == nil {
			continue
		}
		for _, s := range b.Stmts {
			visit(s)
			walk(nestedBlocks(s), visit)
		}
	}
}

// reads are the operands that a statement reads, without those of nested blocks.
func reads(s ir.Stmt) []ir.Operand {
	local := func(list ...ir.Local) []ir.Operand {
		operands := make([]ir.Operand, len(list))
		for i, l := range list {
			operands[i].Value = l
		}
		return operands
	}
	switch s := s.(type) {
	case *ir.ReturnLocalStmt:
		return local(s.Source)
	case *ir.CallStmt:
		return s.Args
	case *ir.CallDynamicStmt:
		return append(local(s.Args...), s.Path...)
	case *ir.DotStmt:
		return []ir.Operand{s.Source, s.Key}
	case *ir.LenStmt:
		return []ir.Operand{s.Source}
	case *ir.ScanStmt:
		return local(s.Source)
	case *ir.AssignVarStmt:
		return []ir.Operand{s.Source}
	case *ir.AssignVarOnceStmt:
		return []ir.Operand{s.Source}
	case *ir.EqualStmt:
		return []ir.Operand{s.A, s.B}
	case *ir.NotEqualStmt:
		return []ir.Operand{s.A, s.B}
	case *ir.IsArrayStmt:
		return []ir.Operand{s.Source}
	case *ir.IsObjectStmt:
		return []ir.Operand{s.Source}
	case *ir.IsSetStmt:
		return []ir.Operand{s.Source}
	case *ir.IsDefinedStmt:
		return local(s.Source)
	case *ir.IsUndefinedStmt:
		return local(s.Source)
	case *ir.ArrayAppendStmt:
		return append(local(s.Array), s.Value)
	case *ir.ObjectInsertStmt:
		return append(local(s.Object), s.Key, s.Value)
	case *ir.ObjectInsertOnceStmt:
		return append(local(s.Object), s.Key, s.Value)
	case *ir.ObjectMergeStmt:
		return local(s.A, s.B)
	case *ir.SetAddStmt:
		return append(local(s.Set), s.Value)
	case *ir.WithStmt:
		return append(local(s.Local), s.Value)
	case *ir.ResultSetAddStmt:
		return local(s.Value)
	}
	return nil
}
