package plan

import "github.com/open-policy-agent/opa/v1/ir"

// facts are what is known of the locals of one function before it is compiled.
// The planner gives nearly every local exactly one statement that assigns it,
// before all that read it.
type facts struct {
	assigned map[ir.Local]int  // statements that give it a new value, the caller among them
	changed  map[ir.Local]int  // statements that add to the collection in it
	read     map[ir.Local]int  // statements that read it
	pinned   map[ir.Local]bool // may be undefined where it is read, or is read in a special way
}

func learn(blocks []*ir.Block, params []ir.Local) *facts {
	k := &facts{map[ir.Local]int{}, map[ir.Local]int{}, map[ir.Local]int{}, map[ir.Local]bool{}}
	for _, p := range params {
		k.assigned[p]++
	}
	walk(blocks, func(s ir.Stmt) {
		if target := makes(s); target >= 0 {
			k.assigned[target]++
		}
		for _, o := range reads(s) {
			if l, ok := localOf(o); ok {
				k.read[l]++
			}
		}
		switch s := s.(type) {
		case *ir.ScanStmt:
			k.assigned[s.Key]++
			k.assigned[s.Value]++
		case *ir.AssignVarOnceStmt:
			k.pinned[s.Target] = true
			k.read[s.Target]++ // to see whether it is defined
		case *ir.ResetLocalStmt:
			k.pinned[s.Target] = true
		case *ir.IsDefinedStmt:
			k.pinned[s.Source] = true
		case *ir.IsUndefinedStmt:
			k.pinned[s.Source] = true
		case *ir.ReturnLocalStmt:
			k.pinned[s.Source] = true
		case *ir.ResultSetAddStmt:
			k.pinned[s.Value] = true
		case *ir.ObjectMergeStmt:
			k.pinned[s.A], k.pinned[s.B] = true, true
		case *ir.CallDynamicStmt:
			for _, arg := range s.Args {
				k.pinned[arg] = true
			}
		case *ir.ArrayAppendStmt:
			k.changed[s.Array]++
		case *ir.SetAddStmt:
			k.changed[s.Set]++
		case *ir.ObjectInsertStmt:
			k.changed[s.Object]++
		case *ir.ObjectInsertOnceStmt:
			k.changed[s.Object]++
		}
	})
	return k
}

// single tells that a local has one value all the time that it is read.
func (k *facts) single(l ir.Local) bool { return k.assigned[l] == 1 && !k.pinned[l] }

// fold finds the locals that are constants, or the same as another local, and
// need no statement: constants that the policy writes, rules that are constants,
// and collections of such.
func (c *compiler) fold(blocks []*ir.Block) {
	for _, b := range blocks {
		if b == nil {
			continue
		}
		building := map[ir.Local]Value{}
		left := map[ir.Local]int{} // what is still to be added
		for _, s := range b.Stmts {
			c.foldStatement(s, building, left)
			c.fold(nestedBlocks(s))
		}
	}
}

func (c *compiler) foldStatement(s ir.Stmt, building map[ir.Local]Value, left map[ir.Local]int) {
	begin := func(l ir.Local, v Value) {
		shared := v.ref() != nil && v.ref().frozen
		if c.facts.single(l) && !(shared && c.facts.changed[l] > 0) {
			building[l], left[l] = v, c.facts.changed[l]
			c.finish(l, building, left)
		}
	}
	add := func(l ir.Local, put func(*collection, []Value), operands ...ir.Operand) {
		v, ok := building[l]
		constants := make([]Value, len(operands))
		for i, o := range operands {
			constants[i] = c.operand(o).constant
			ok = ok && constants[i].Defined()
		}
		if !ok {
			delete(building, l)
			return
		}
		put(v.ref(), constants)
		left[l]--
		c.finish(l, building, left)
	}
	switch s := s.(type) {
	case *ir.MakeNumberRefStmt:
		begin(s.Target, Number(c.text(s.Index)))
	case *ir.MakeNumberIntStmt:
		begin(s.Target, Int(s.Value))
	case *ir.MakeNullStmt:
		begin(s.Target, Null)
	case *ir.MakeArrayStmt:
		begin(s.Target, newArray())
	case *ir.MakeSetStmt:
		begin(s.Target, newSet())
	case *ir.MakeObjectStmt:
		begin(s.Target, newObject())
	case *ir.AssignVarStmt:
		c.foldAssignment(s, begin)
	case *ir.CallStmt:
		if callee := c.program.byName[s.Func]; callee != nil && callee.constant.Defined() {
			begin(s.Result, callee.constant)
		}
	case *ir.ArrayAppendStmt:
		add(s.Array, func(a *collection, v []Value) { a.vals = append(a.vals, v[0]) }, s.Value)
	case *ir.SetAddStmt:
		add(s.Set, func(set *collection, v []Value) { set.add(v[0]) }, s.Value)
	case *ir.ObjectInsertStmt:
		add(s.Object, func(o *collection, v []Value) { o.put(v[0], v[1]) }, s.Key, s.Value)
	}
}

func (c *compiler) foldAssignment(s *ir.AssignVarStmt, begin func(ir.Local, Value)) {
	source := c.operand(s.Source)
	if source.isConstant() {
		begin(s.Target, source.constant)
		return
	}
	l, _ := localOf(s.Source)
	if l = c.original(l); c.facts.single(l) && c.facts.single(s.Target) && c.facts.changed[l] == 0 && c.facts.changed[s.Target] == 0 {
		c.same[s.Target] = l
		c.facts.read[l] += c.facts.read[s.Target]
	}
}

// finish makes a constant of what was built, when nothing more is added.
func (c *compiler) finish(l ir.Local, building map[ir.Local]Value, left map[ir.Local]int) {
	if left[l] > 0 {
		return
	}
	v := building[l]
	if v.ref() != nil {
		v.ref().sort() // so that nobody has to, who might not be alone
	}
	c.constants[l] = v.freeze()
	delete(building, l)
}

// folded tells whether a statement has become needless.
func (c *compiler) folded(s ir.Stmt) bool {
	target := makes(s)
	switch s := s.(type) {
	case *ir.ArrayAppendStmt:
		target = s.Array
	case *ir.SetAddStmt:
		target = s.Set
	case *ir.ObjectInsertStmt:
		target = s.Object
	case *ir.WithStmt:
		return false
	}
	if target < 0 {
		return false
	}
	_, isConstant := c.constants[target]
	_, isSame := c.same[target]
	return isConstant || isSame
}

// constantRule is the value of a rule that is a constant, or undefined. The
// planner has three blocks for it: one assigns the constant, one the result, and
// one returns it.
func (c *compiler) constantRule(f *ir.Func) Value {
	if len(f.Params) != 2 || len(f.Blocks) != 3 {
		return Value{}
	}
	var assignments []*ir.AssignVarOnceStmt
	for _, b := range f.Blocks {
		for _, s := range b.Stmts {
			switch s := s.(type) {
			case *ir.AssignVarOnceStmt:
				assignments = append(assignments, s)
			case *ir.ResetLocalStmt, *ir.IsDefinedStmt, *ir.ReturnLocalStmt, *ir.NopStmt:
			default:
				if !c.folded(s) {
					return Value{}
				}
			}
		}
	}
	if len(assignments) != 2 || assignments[1].Target != f.Return {
		return Value{}
	}
	if l, ok := localOf(assignments[1].Source); !ok || l != assignments[0].Target {
		return Value{}
	}
	return c.operand(assignments[0].Source).constant
}
