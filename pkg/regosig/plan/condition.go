package plan

import "github.com/open-policy-agent/opa/v1/ir"

// condition compiles a built-in that is called for nothing but to go on if its
// result is not false, which is two statements of a plan: the result is not
// stored. It is nil if the statements are something else.
func (c *compiler) condition(first, second ir.Stmt) statement {
	call, ok := first.(*ir.CallStmt)
	test, ok2 := second.(*ir.NotEqualStmt)
	if !ok || !ok2 || len(call.Args) != 2 || c.program.byName[call.Func] != nil || c.program.options.Builtins[call.Func] != nil {
		return nil
	}
	l, isLocal := localOf(test.A)
	against, isBool := boolOf(test.B)
	if !isLocal || l != call.Result || !isBool || against.IsTrue() || !c.facts.single(l) || c.facts.read[l] != 1 {
		return nil
	}
	a, b := c.operand(call.Args[0]), c.operand(call.Args[1])
	if holds := comparisons[call.Func]; holds != nil {
		return comparison(holds, a, b)
	}
	fast := natives[call.Func]
	if fast.call == nil || fast.arity != 2 {
		return nil
	}
	general, result := c.call(call), c.local(l)
	return func(e *Evaluator, f []Value) int {
		list := e.args[:2]
		list[0], list[1] = a.whole(e, f), b.whole(e, f)
		if !list[0].Defined() || !list[1].Defined() {
			return stop
		}
		v := fast.call(e, list)
		if v.kind != kindBool {
			if code := general(e, f); code != next {
				return code
			}
			v = f[result]
		}
		if v.kind == kindBool && v.num == 0 {
			return stop
		}
		return next
	}
}

// place is where the operand's value is.
func (o *operand) place(f []Value) *Value {
	if o.local < 0 {
		return &o.constant
	}
	return &f[o.local]
}

func comparison(holds func(int) bool, a, b operand) statement {
	less, same, greater := holds(-1), holds(0), holds(1)
	decide := func(is bool) int {
		if is {
			return next
		}
		return stop
	}
	return func(e *Evaluator, f []Value) int {
		v, w := a.place(f), b.place(f)
		switch {
		case v.kind == kindInt && w.kind == kindInt:
			switch {
			case v.num < w.num:
				return decide(less)
			case v.num > w.num:
				return decide(greater)
			}
			return decide(same)
		case v.kind == kindUndefined || w.kind == kindUndefined:
			return stop
		}
		return decide(holds(Compare(e.whole(*v), e.whole(*w))))
	}
}
