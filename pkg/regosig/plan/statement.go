package plan

import (
	"github.com/open-policy-agent/opa/v1/ir"
)

// statement compiles one statement; nil for one that does nothing.
func (c *compiler) statement(s ir.Stmt) statement {
	switch s := s.(type) {
	case *ir.NopStmt:
		return nil
	case *ir.ResetLocalStmt:
		if s.Target == c.returns || c.facts.read[s.Target] == 0 {
			return nil
		}
		return c.set(s.Target, Value{})
	case *ir.ReturnLocalStmt:
		return c.returnLocal(s)
	case *ir.CallStmt:
		return c.call(s)
	case *ir.CallDynamicStmt:
		return c.callDynamic(s)
	case *ir.BlockStmt:
		return c.nested(s)
	case *ir.BreakStmt:
		code := int(s.Index)
		return func(*Evaluator, []Value) int { return code }
	case *ir.DotStmt:
		return c.dot(s)
	case *ir.LenStmt:
		source, target := c.operand(s.Source), c.local(s.Target)
		return func(e *Evaluator, f []Value) int {
			f[target] = Int(int64(source.whole(e, f).Len()))
			return next
		}
	case *ir.ScanStmt:
		return c.scan(s)
	case *ir.NotStmt:
		return c.not(s)
	case *ir.WithStmt:
		return c.with(s)
	case *ir.EqualStmt:
		return c.equal(s.A, s.B, true)
	case *ir.NotEqualStmt:
		return c.equal(s.A, s.B, false)
	case *ir.IsArrayStmt:
		return c.isKind(s.Source, kindArray)
	case *ir.IsObjectStmt:
		return c.isKind(s.Source, kindObject)
	case *ir.IsSetStmt:
		return c.isKind(s.Source, kindSet)
	case *ir.IsDefinedStmt:
		if s.Source == c.returns { // where nobody defined it, or the function would have returned
			return func(*Evaluator, []Value) int { return stop }
		}
		return c.isDefined(s.Source, true)
	case *ir.IsUndefinedStmt:
		if s.Source == c.returns {
			return nil
		}
		return c.isDefined(s.Source, false)
	case *ir.ResultSetAddStmt:
		source := c.local(s.Value)
		return func(e *Evaluator, f []Value) int {
			e.results = append(e.results, e.whole(f[source]))
			return next
		}
	}
	if assigned := c.assignment(s); assigned != nil || c.err != nil {
		return assigned
	}
	if changed := c.change(s); changed != nil || c.err != nil {
		return changed
	}
	return c.unsupported("statement %T", s)
}

func (c *compiler) returnLocal(s *ir.ReturnLocalStmt) statement {
	source, result := c.local(s.Source), c.fn.result
	if source == result || result < 0 {
		return func(*Evaluator, []Value) int { return returned }
	}
	return func(_ *Evaluator, f []Value) int {
		f[result] = f[source]
		return returned
	}
}

// assignment compiles what gives a local a new value.
func (c *compiler) assignment(s ir.Stmt) statement {
	switch s := s.(type) {
	case *ir.AssignIntStmt:
		return c.set(s.Target, Int(s.Value))
	case *ir.MakeNumberIntStmt:
		return c.set(s.Target, Int(s.Value))
	case *ir.MakeNumberRefStmt:
		return c.set(s.Target, Number(c.text(s.Index)))
	case *ir.MakeNullStmt:
		return c.set(s.Target, Null)
	case *ir.AssignVarStmt:
		source, target := c.operand(s.Source), c.local(s.Target)
		if source.isConstant() {
			return c.set(s.Target, source.constant)
		}
		return func(_ *Evaluator, f []Value) int {
			f[target] = f[source.local]
			return next
		}
	case *ir.AssignVarOnceStmt:
		return c.assignOnce(s)
	case *ir.MakeArrayStmt:
		return c.makes(s.Target, kindArray)
	case *ir.MakeObjectStmt:
		return c.makes(s.Target, kindObject)
	case *ir.MakeSetStmt:
		return c.makes(s.Target, kindSet)
	}
	return nil
}

// makes compiles the making of an empty collection.
func (c *compiler) makes(local ir.Local, kind kind) statement {
	target := c.local(local)
	return func(e *Evaluator, f []Value) int {
		f[target] = e.collect(kind)
		return next
	}
}

func (c *compiler) set(local ir.Local, v Value) statement {
	target := c.local(local)
	return func(_ *Evaluator, f []Value) int {
		f[target] = v
		return next
	}
}

func (c *compiler) assignOnce(s *ir.AssignVarOnceStmt) statement {
	source, target := c.operand(s.Source), c.local(s.Target)
	if s.Target == c.returns {
		result := c.fn.result
		if c.constant.Defined() {
			source = operand{-1, c.constant}
		}
		return func(_ *Evaluator, f []Value) int {
			f[result] = source.value(f)
			return returned
		}
	}
	conflict := c.conflict(&s.Location)
	return func(e *Evaluator, f []Value) int {
		v := source.value(f)
		switch old := f[target]; {
		case !old.Defined():
			f[target] = v
		case !Equal(e.whole(old), e.whole(v)):
			return e.fail(conflict)
		}
		return next
	}
}

// equal compiles a comparison. Locals that are undefined are equal to nothing but
// each other.
func (c *compiler) equal(x, y ir.Operand, want bool) statement {
	a, b := c.operand(x), c.operand(y)
	if a.isConstant() {
		a, b = b, a
	}
	decide := func(same bool) int {
		if same == want {
			return next
		}
		return stop
	}
	switch {
	case a.isConstant():
		code := decide(Equal(a.constant, b.constant))
		return func(*Evaluator, []Value) int { return code }
	case b.isConstant() && b.constant.kind == kindString:
		local, text := a.local, b.constant.str()
		return func(_ *Evaluator, f []Value) int {
			v := &f[local]
			if (v.kind == kindString && v.str() == text) == want {
				return next
			}
			return stop
		}
	case b.isConstant() && (b.constant.kind == kindBool || b.constant.kind == kindInt):
		local, kind, num := a.local, b.constant.kind, b.constant.num
		return func(_ *Evaluator, f []Value) int {
			v := &f[local]
			if v.kind == kindNumber && kind == kindInt {
				return decide(Equal(*v, Int(num)))
			}
			if (v.kind == kind && v.num == num) == want {
				return next
			}
			return stop
		}
	case b.isConstant():
		local, constant := a.local, b.constant
		return func(e *Evaluator, f []Value) int {
			return decide(Equal(e.whole(f[local]), constant))
		}
	}
	return func(e *Evaluator, f []Value) int {
		v, w := &f[a.local], &f[b.local]
		if v.kind == kindInt && w.kind == kindInt {
			if (v.num == w.num) == want {
				return next
			}
			return stop
		}
		if v.kind == kindString && w.kind == kindString {
			if (v.str() == w.str()) == want {
				return next
			}
			return stop
		}
		if Equal(e.whole(*v), e.whole(*w)) == want {
			return next
		}
		return stop
	}
}

func (c *compiler) isKind(o ir.Operand, want kind) statement {
	source := c.operand(o)
	return func(_ *Evaluator, f []Value) int {
		if v := source.value(f); v.shape() == want {
			return next
		}
		return stop
	}
}

func (c *compiler) isDefined(l ir.Local, want bool) statement {
	source := c.local(l)
	return func(_ *Evaluator, f []Value) int {
		if (f[source].kind != kindUndefined) == want {
			return next
		}
		return stop
	}
}
