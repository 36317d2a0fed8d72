package plan

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// grow counts n elements that a collection gets, and tells whether there may be as many
// more.
func (e *Evaluator) grow(n int) bool {
	if e.program.options.Bytes == 0 {
		return true
	}
	e.bytes -= n * valueBytes
	return e.bytes >= 0
}

// change compiles what adds to a collection.
func (c *compiler) change(s ir.Stmt) statement {
	switch s := s.(type) {
	case *ir.ArrayAppendStmt:
		array, value := c.local(s.Array), c.operand(s.Value)
		return func(e *Evaluator, f []Value) int {
			if !e.grow(1) {
				return e.fail(ErrBudget)
			}
			if f[array].kind == kindArray {
				elements := f[array].changeable(e)
				elements.vals = append(elements.vals, value.whole(e, f))
			}
			return next
		}
	case *ir.SetAddStmt:
		set, value := c.local(s.Set), c.operand(s.Value)
		return func(e *Evaluator, f []Value) int {
			if !e.grow(1) {
				return e.fail(ErrBudget)
			}
			if f[set].kind == kindSet {
				f[set].changeable(e).add(value.whole(e, f).freeze())
			}
			return next
		}
	case *ir.ObjectInsertStmt:
		object, key, value := c.local(s.Object), c.operand(s.Key), c.operand(s.Value)
		return func(e *Evaluator, f []Value) int {
			if !e.grow(1) {
				return e.fail(ErrBudget)
			}
			if f[object].kind == kindObject {
				f[object].changeable(e).put(key.whole(e, f).freeze(), value.whole(e, f))
			}
			return next
		}
	case *ir.ObjectInsertOnceStmt:
		return c.insertOnce(s)
	case *ir.ObjectMergeStmt:
		return c.merge(s)
	}
	return nil
}

func (c *compiler) insertOnce(s *ir.ObjectInsertOnceStmt) statement {
	object, key, value := c.local(s.Object), c.operand(s.Key), c.operand(s.Value)
	conflict := &topdown.Error{Code: topdown.ConflictErr, Message: "object keys must be unique", Location: c.location(&s.Location)}
	return func(e *Evaluator, f []Value) int {
		if !e.grow(1) {
			return e.fail(ErrBudget)
		}
		if f[object].kind != kindObject {
			return next
		}
		k, v := key.whole(e, f).freeze(), value.whole(e, f).freeze()
		members := f[object].ref()
		if i := members.find(k); i >= 0 {
			if !Equal(members.vals[i], v) {
				return e.fail(conflict)
			}
			return next
		}
		members = f[object].changeable(e)
		members.appendKey(k)
		members.vals = append(members.vals, v)
		return next
	}
}

// merge compiles the union of the base document with what rules define.
func (c *compiler) merge(s *ir.ObjectMergeStmt) statement {
	a, b, target := c.local(s.A), c.local(s.B), c.local(s.Target)
	conflict := &topdown.Error{
		Code: topdown.WithMergeErr, Message: "real and replacement data could not be merged", Location: c.location(&s.Location),
	}
	return func(e *Evaluator, f []Value) int {
		merged, ok := e.merge(e.whole(f[a]), e.whole(f[b]))
		if !ok {
			return e.fail(conflict)
		}
		f[target] = merged
		return next
	}
}

// merge is the union of two objects, of their members where both have an object.
func (e *Evaluator) merge(a, b Value) (Value, bool) {
	switch {
	case !a.Defined():
		return b, true
	case !b.Defined():
		return a, true
	case a.kind != kindObject || b.kind != kindObject:
		return Value{}, false
	}
	merged := a.freeze()
	members := merged.changeable(e)
	for i, key := range b.ref().keys {
		value := b.ref().vals[i]
		if at := members.find(key); at >= 0 {
			var ok bool
			if value, ok = e.merge(members.vals[at], value); !ok {
				return Value{}, false
			}
		}
		members.put(key, value)
	}
	return merged, true
}

// conflict is the error of a rule or function that has two values.
func (c *compiler) conflict(l *ir.Location) error {
	name := strings.TrimPrefix(c.fn.name, rulePrefix)
	if before, after, found := strings.Cut(c.fn.name, "."); found && strings.HasPrefix(before, "g") {
		name = after
	}
	message := "rule " + name + " produced conflicting values"
	if len(c.fn.params) > 2 {
		message = "function " + name + " produced conflicting values for the same inputs"
	}
	return &topdown.Error{Code: topdown.ConflictErr, Message: message, Location: c.location(l)}
}
