package plan

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ir"
)

// literal is an array or an object whose members are all added in the block in which
// it is made: it is made at once, where the last of them is there.
type literal struct {
	target ir.Local
	kind   kind
	keys   []Value // of an object, in order
	values []operand
	last   ir.Stmt
}

// literals finds those of a block, by the statements that make them up.
func (c *compiler) literals(b *ir.Block) map[ir.Stmt]*literal {
	var all map[ir.Stmt]*literal
	for i, s := range b.Stmts {
		switch s.(type) {
		case *ir.MakeObjectStmt, *ir.MakeArrayStmt:
		default:
			continue
		}
		if c.folded(s) {
			continue
		}
		l, parts := c.literal(s, b.Stmts[i+1:])
		for _, part := range parts {
			if all == nil {
				all = map[ir.Stmt]*literal{}
			}
			all[part] = l
		}
	}
	return all
}

// literal is what the statements make that follow on the making of a collection, and
// which of them do. There are none if something else happens to it meanwhile.
func (c *compiler) literal(first ir.Stmt, rest []ir.Stmt) (l *literal, parts []ir.Stmt) {
	target := makes(first)
	missing := c.facts.changed[target]
	if !c.facts.single(target) || missing == 0 {
		return nil, nil
	}
	l, parts = &literal{target: target, kind: kindArray}, []ir.Stmt{first}
	for _, s := range rest {
		var value ir.Operand
		switch s := s.(type) {
		case *ir.ArrayAppendStmt:
			if s.Array == target {
				value = s.Value
			}
		case *ir.ObjectInsertStmt:
			if s.Object == target {
				value = s.Value
				if !l.addKey(c.operand(s.Key).constant) {
					return nil, nil
				}
			}
		}
		if value.Value == nil {
			if c.mentions(s, target) {
				return nil, nil
			}
			continue
		}
		o := c.operand(value)
		if v, isLocal := localOf(value); isLocal && (c.original(v) == target || !o.isConstant() && !c.facts.single(c.original(v))) {
			return nil, nil
		}
		l.values, parts = append(l.values, o), append(parts, s)
		if missing--; missing == 0 {
			l.last = s
			l.sort()
			return l, parts
		}
	}
	return nil, nil
}

// addKey adds the key of an object, which must be a constant text that is not there yet.
func (l *literal) addKey(key Value) bool {
	l.kind = kindObject
	if key.kind != kindString || slices.ContainsFunc(l.keys, func(k Value) bool { return k.str() == key.str() }) {
		return false
	}
	l.keys = append(l.keys, key)
	return true
}

// sort brings the members of an object into order.
func (l *literal) sort() {
	c := collection{keys: l.keys}
	for i := range l.values {
		c.vals = append(c.vals, Int(int64(i)))
	}
	if l.kind != kindObject {
		return
	}
	c.sort()
	values := slices.Clone(l.values)
	for i, place := range c.vals {
		l.values[i] = values[place.num]
	}
}

// mentions tells whether a statement, or one in it, has to do with a local.
func (c *compiler) mentions(s ir.Stmt, l ir.Local) (found bool) {
	walk([]*ir.Block{{Stmts: []ir.Stmt{s}}}, func(s ir.Stmt) {
		for _, o := range reads(s) {
			if read, ok := localOf(o); ok && c.original(read) == l {
				found = true
			}
		}
	})
	return found
}

// compile makes the collection.
func (l *literal) compile(c *compiler) statement {
	target, keys, values, kind := c.local(l.target), l.keys, l.values, l.kind
	return func(e *Evaluator, f []Value) int {
		if !e.grow(len(values)) {
			return e.fail(ErrBudget)
		}
		made := e.collect(kind)
		members := made.ref()
		members.keys = append(members.keys, keys...)
		for i := range values {
			members.vals = append(members.vals, values[i].whole(e, f))
		}
		f[target] = made
		return next
	}
}
