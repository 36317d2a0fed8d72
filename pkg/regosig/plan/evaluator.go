package plan

import (
	"context"
	"errors"
	"regexp"

	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"
)

// ErrBudget is the error of an evaluation that has used up Options.Steps or
// Options.Bytes.
var ErrBudget = errors.New("too many steps, or too much memory")

// pollEvery is the number of statements after which the context is looked at.
const pollEvery = 1024

// Evaluator evaluates programs, one at a time. The zero Evaluator is ready; it
// keeps its memory from one evaluation to the next.
type Evaluator struct {
	program *Program
	source  any     // what nodes read from
	locals  []Value // of all functions
	memo    []memo  // of functions without arguments of their own, by their number
	epoch   uint64  // of the memo entries that hold
	pool    pool
	args    [maxArgs]Value // of the built-in that is being called
	texts   [1 << textBits]formatted
	regexes map[string]*regexp.Regexp // by their patterns

	ctx   context.Context
	fuel  int // statements until refuel is called
	steps int // statements beyond fuel
	bytes int // that built-ins may still make

	err       error   // what ended the evaluation
	builtins  []error // of built-ins, which are then undefined
	results   []Value
	bctx      topdown.BuiltinContext
	bctxReady bool
}

// memo is the result of a function for the current input and data.
type memo struct {
	epoch uint64
	value Value
}

// Eval evaluates the program's query. Each result is an object with the query's
// variables; there is none where the query is undefined. They are valid until the
// next evaluation, and their strings and collections may be those that nodes have read
// from source.
//
// input is the input document, or undefined for none; with Options.Input, it is
// not looked at, and what the nodes read comes from source.
//
// Errors are those of topdown: *topdown.Error for conflicts, for what a halting
// built-in returns and, if Options.StrictBuiltins is set, for the first failed
// built-in; besides, ErrBudget. Cancelling the context ends the evaluation with
// topdown's cancellation error.
func (e *Evaluator) Eval(ctx context.Context, p *Program, input Value, source any) ([]Value, error) {
	e.start(ctx, p, source)
	if p.input == nil {
		e.locals[inputPlace] = input
	}
	p.query.run(e, e.locals)
	if err := e.end(); err != nil {
		return nil, err
	}
	return e.results, nil
}

// EvalRule evaluates a rule for what Options.Input reads from source: less than the
// query that asks for the rule takes. The value is undefined if the rule is; it is
// like those that Eval returns.
func (e *Evaluator) EvalRule(ctx context.Context, r *Rule, source any) (Value, error) {
	e.start(ctx, r.program, source)
	v := e.whole(e.call(r.function))
	return v, e.end()
}

// EvalMore goes on with an evaluation by EvalRule that has succeeded: it evaluates
// further rules of the same program, for the same source. What rules have in common is
// evaluated once, and the bounds are those of one evaluation. Their values are appended
// to dst.
func (e *Evaluator) EvalMore(ctx context.Context, rules []*Rule, source any, dst []Value) ([]Value, error) {
	e.ctx, e.source = ctx, source
	for _, r := range rules {
		var v Value
		if r.function.load != nil {
			v = r.function.load(source)
		} else if v = e.call(r.function); e.err != nil {
			break
		}
		dst = append(dst, e.whole(v))
	}
	return dst, e.end()
}

// call is the value of a function of the input and the data, of nodes.
func (e *Evaluator) call(fn *function) Value {
	if fn.memoised {
		if m := &e.memo[fn.number]; m.epoch == e.epoch {
			return m.value
		}
	}
	v := fn.run(e, e.locals)
	if fn.memoised {
		e.memo[fn.number] = memo{e.epoch, v.freeze()}
	}
	return v
}

// end tells how the evaluation ended.
func (e *Evaluator) end() error {
	e.ctx, e.source = nil, nil
	if e.err == nil && e.program.options.StrictBuiltins && len(e.builtins) > 0 {
		e.err = e.builtins[0]
	}
	return e.err
}

// start forgets the evaluation before, whichever way it ended.
func (e *Evaluator) start(ctx context.Context, p *Program, source any) {
	if len(e.locals) < p.locals {
		e.locals = make([]Value, p.locals)
	}
	e.locals[inputPlace], e.locals[dataPlace] = Value{}, p.data
	if p.input != nil {
		e.locals[inputPlace] = p.input.value()
	}
	if len(e.memo) < len(p.funcs) {
		e.memo = make([]memo, len(p.funcs))
	}
	e.epoch++ // which no memo entry has
	e.pool.reset()
	e.program, e.ctx, e.source = p, ctx, source
	e.steps, e.bytes, e.fuel = p.options.Steps, p.options.Bytes, 0
	e.results, e.bctxReady = e.results[:0], false
	if e.err != nil || e.builtins != nil {
		e.err, e.builtins = nil, nil
	}
}

// run executes the function, whose arguments are in their places among the locals f, and
// returns its result.
func (fn *function) run(e *Evaluator, f []Value) Value {
	for _, l := range fn.undefined {
		f[l] = Value{}
	}
	if e.spend(len(fn.body)) == next {
		for _, s := range fn.body {
			if s(e, f) >= fn.ends {
				break
			}
		}
	}
	if fn.result < 0 {
		return Value{}
	}
	return f[fn.result]
}

// fail ends the evaluation.
func (e *Evaluator) fail(err error) int {
	e.err = err
	return aborted
}

// spend counts n statements. It returns next, or aborted at the end of the
// budget.
func (e *Evaluator) spend(n int) int {
	if e.fuel -= n; e.fuel >= 0 {
		return next
	}
	return e.refuel()
}

func (e *Evaluator) refuel() int {
	if e.err != nil {
		return aborted
	}
	if e.ctx.Err() != nil {
		return e.fail(&topdown.Error{Code: topdown.CancelErr, Message: "caller cancelled query execution"})
	}
	if e.steps += e.fuel; e.steps < 0 && e.program.options.Steps > 0 {
		return e.fail(ErrBudget)
	}
	e.fuel = pollEvery
	if e.program.options.Steps > 0 {
		e.fuel = min(pollEvery, e.steps)
		e.steps -= e.fuel
	}
	return next
}

// whole makes a value of a node.
func (e *Evaluator) whole(v Value) Value {
	if v.kind == kindNode {
		return v.ref().node.Whole(e.source)
	}
	return v
}

// context is what built-ins of topdown get.
func (e *Evaluator) context() *topdown.BuiltinContext {
	if !e.bctxReady {
		e.bctx = topdown.BuiltinContext{Context: e.ctx, Cache: builtins.Cache{}, Cancel: cancel{e.ctx}}
		e.program.options.prepare(&e.bctx)
		e.bctxReady = true
	}
	return &e.bctx
}

// cancel is a context as topdown polls it.
type cancel struct{ ctx context.Context }

func (cancel) Cancel()           {}
func (c cancel) Cancelled() bool { return c.ctx.Err() != nil }
