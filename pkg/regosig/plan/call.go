package plan

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ir"
)

// call compiles a call of a function or a built-in. It is undefined if the
// result is.
func (c *compiler) call(s *ir.CallStmt) statement {
	args, result := c.operands(s.Args), c.local(s.Result)
	callee := c.program.byName[s.Func]
	if callee == nil {
		return c.builtin(s, args, result)
	}
	if len(args) != len(callee.params) {
		return c.unsupported("call of %s with %d arguments", s.Func, len(args))
	}
	if args[0].local != inputPlace || args[1].local != dataPlace {
		return c.unsupported("call of %s for other documents", s.Func)
	}
	args = args[documents:]
	return func(e *Evaluator, f []Value) int {
		if callee.memoised {
			if m := &e.memo[callee.number]; m.epoch == e.epoch {
				if m.value.kind == kindUndefined {
					return stop
				}
				f[result] = m.value
				return next
			}
		}
		for i := range args {
			f[callee.params[i+documents]] = args[i].value(f)
		}
		return e.finish(callee, callee.run(e, f), &f[result], stop)
	}
}

// finish stores the value of a function as the result of its call. It returns
// code if it is undefined.
func (e *Evaluator) finish(callee *function, v Value, result *Value, code int) int {
	if e.err != nil {
		return aborted
	}
	if callee.memoised {
		e.memo[callee.number] = memo{e.epoch, v.freeze()}
	}
	if v.kind == kindUndefined {
		return code
	}
	*result = v
	return next
}

// calledOnce lists the functions that an evaluation calls at most once for the
// same input and data, although nobody remembers their result: there is only one
// call, in no iteration, and in a function of which the same is true, or whose
// result is remembered, or in the query.
func calledOnce(policy *ir.Policy) map[string]bool {
	calls := map[string]int{}
	var count func(blocks []*ir.Block, weight int)
	count = func(blocks []*ir.Block, weight int) {
		for _, b := range blocks {
			if b == nil {
				continue
			}
			for _, s := range b.Stmts {
				inside := weight
				switch s := s.(type) {
				case *ir.CallStmt:
					calls[s.Func] += weight
				case *ir.CallDynamicStmt:
					calls[dynamicCall]++
				case *ir.ScanStmt:
					inside = 2
				}
				count(nestedBlocks(s), inside)
			}
		}
	}
	for _, q := range policy.Plans.Plans {
		count(q.Blocks, 1)
	}
	for _, f := range policy.Funcs.Funcs {
		weight := 1
		if len(f.Params) != 2 {
			weight = 2
		}
		count(f.Blocks, weight)
	}
	once := map[string]bool{}
	for name, n := range calls {
		once[name] = n == 1 && calls[dynamicCall] == 0
	}
	return once
}

// dynamicCall stands for the functions that are looked up by their path.
const dynamicCall = ""

// dynamicUndefined is how far a dynamic call leaves if the function was found
// and its result is undefined; it is part of the planner's protocol, in which a
// function that was not found leaves one block only.
const dynamicUndefined = 3

// callDynamic compiles a call of a function that is looked up by its path.
func (c *compiler) callDynamic(s *ir.CallDynamicStmt) statement {
	path, result := c.operands(s.Path), c.local(s.Result)
	args := make([]int, len(s.Args))
	for i, arg := range s.Args {
		args[i] = c.local(arg)
	}
	if len(args) < documents || args[0] != inputPlace || args[1] != dataPlace {
		return c.unsupported("dynamic call for other documents")
	}
	return func(e *Evaluator, f []Value) int {
		var name strings.Builder
		for i := range path {
			v := path[i].value(f)
			if v.kind != kindString {
				return stop
			}
			if i > 0 {
				name.WriteString(pathSeparator)
			}
			name.WriteString(v.str())
		}
		callee := c.program.byPath[name.String()]
		if callee == nil || len(callee.params) != len(args) {
			return stop
		}
		if m := &e.memo[callee.number]; callee.memoised && m.epoch == e.epoch {
			return e.finish(callee, m.value, &f[result], dynamicUndefined)
		}
		for i := documents; i < len(args); i++ {
			f[callee.params[i]] = f[args[i]]
		}
		return e.finish(callee, callee.run(e, f), &f[result], dynamicUndefined)
	}
}
