package plan

import "github.com/open-policy-agent/opa/v1/ir"

// dot compiles a reference to a member. Its target is undefined if there is
// none.
func (c *compiler) dot(s *ir.DotStmt) statement {
	source, key, target := c.operand(s.Source), c.operand(s.Key), c.local(s.Target)
	if source.isConstant() && source.constant.ref() == nil {
		return func(*Evaluator, []Value) int { return stop }
	}
	if !key.isConstant() {
		return func(e *Evaluator, f []Value) int {
			f[target] = e.get(source.place(f), e.whole(f[key.local]))
			return defined(&f[target])
		}
	}
	if source.isConstant() {
		return c.setOrStop(s.Target, source.constant.Get(key.constant))
	}
	if node := c.nodes[source.local]; node != nil && !node.isArray() && key.constant.kind == kindString {
		if node.array != nil {
			return c.memberOfElement(source.local, target, node.array, key.constant)
		}
		return c.member(source.local, target, node, key.constant)
	}
	return func(e *Evaluator, f []Value) int {
		f[target] = e.get(&f[source.local], key.constant)
		return defined(&f[target])
	}
}

// defined is how a statement ends whose result is undefined, or is not.
func defined(v *Value) int {
	if v.kind == kindUndefined {
		return stop
	}
	return next
}

// setOrStop assigns a constant, which may be undefined.
func (c *compiler) setOrStop(l ir.Local, v Value) statement {
	set := c.set(l, v)
	if v.Defined() {
		return set
	}
	return func(e *Evaluator, f []Value) int {
		set(e, f)
		return stop
	}
}

// member compiles a reference to a member of what is probably a node.
func (c *compiler) member(source, target int, node *Node, key Value) statement {
	expected, member := &node.self, node.Members[key.str()]
	var read func(any) Value
	if member != nil && member.Node == nil {
		read = member.Read
	}
	return func(e *Evaluator, f []Value) int {
		v := &f[source]
		var result Value
		switch {
		case v.kind == kindNode && v.ref() == expected:
			if read != nil {
				result = read(e.source)
			} else {
				result = member.read(e.source)
			}
		default:
			result = e.get(v, key)
		}
		f[target] = result
		return defined(&result)
	}
}

// memberOfElement compiles a reference to a member of what is probably an element
// of an array that is a node.
func (c *compiler) memberOfElement(source, target int, array *Node, key Value) statement {
	members := make([]*Member, len(array.Elements))
	for i, element := range array.Elements {
		members[i] = element.Members[key.str()]
	}
	return func(e *Evaluator, f []Value) int {
		v := &f[source]
		if v.kind == kindNode && v.ref().node.array == array {
			f[target] = members[v.ref().node.index].read(e.source)
		} else {
			f[target] = e.get(v, key)
		}
		return defined(&f[target])
	}
}

// path compiles two references of which the second goes on where the first ends,
// and nothing else does: what is between them is not stored. It is nil if the
// statements are something else.
func (c *compiler) path(first, second ir.Stmt) statement {
	outer, ok := first.(*ir.DotStmt)
	inner, ok2 := second.(*ir.DotStmt)
	if !ok || !ok2 {
		return nil
	}
	between, isLocal := localOf(inner.Source)
	if !isLocal || between != outer.Target || !c.facts.single(between) || c.facts.read[between] != 1 {
		return nil
	}
	source, key, innerKey := c.operand(outer.Source), c.operand(outer.Key).constant, c.operand(inner.Key).constant
	node := c.nodes[source.local]
	if node == nil || node.isArray() || key.kind != kindString || innerKey.kind != kindString {
		return nil
	}
	parent := node.Members[key.str()]
	if parent == nil || parent.Node == nil || parent.Node.isArray() {
		return nil
	}
	member := parent.Node.Members[innerKey.str()]
	if member == nil || member.Node != nil {
		return nil
	}
	expected, present, read, target := &node.self, parent.Read, member.Read, c.local(inner.Target)
	from := source.local
	return func(e *Evaluator, f []Value) int {
		v := &f[from]
		if v.kind == kindNode && v.ref() == expected {
			outer := Null
			if present != nil {
				outer = present(e.source)
			}
			if outer.kind == kindNull {
				f[target] = read(e.source)
			} else {
				f[target] = outer.Get(innerKey)
			}
		} else {
			between := e.get(v, key)
			f[target] = e.get(&between, innerKey)
		}
		return defined(&f[target])
	}
}

// get is Value.Get, also for a node.
func (e *Evaluator) get(v *Value, key Value) Value {
	if v.kind == kindNode {
		return v.ref().node.get(key, e.source)
	}
	return v.Get(key)
}
