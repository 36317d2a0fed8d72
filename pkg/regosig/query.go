package regosig

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	oparego "github.com/open-policy-agent/opa/v1/rego"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/prefilter"
)

// loadTimeout bounds the evaluation of what a signature says about itself. It
// is computed once, from nothing, so that only an endless loop takes that long.
const loadTimeout = 5 * time.Second

// The bounds of one evaluation for an event. Statements take some nanoseconds
// each: a signature that needs more would hold up all others.
const (
	maxSteps = 5_000_000
	maxBytes = 64 << 20
)

// query is one rule of a package, prepared to be evaluated for many events.
type query struct {
	rule      ast.Ref
	prepared  oparego.PreparedEvalQuery
	program   *plan.Program // nil: prepared is evaluated
	planned   *plan.Rule    // the same without the query around it; nil if it cannot be had
	unplanned error         // why there is no program
}

// result is the variable of the planned query.
var result = plan.String("result")

// prepare makes the query for a rule of a package. OPA's interpreter evaluates
// it if it cannot be planned.
func prepare(compiler *ast.Compiler, caps *ast.Capabilities, pkg *ast.Package, rule string) (*query, error) {
	q, err := interpret(compiler, caps, pkg, rule)
	if err != nil {
		return nil, err
	}
	if q.program, q.unplanned = planQuery(compiler, caps, q.rule); q.program != nil {
		q.planned = q.program.Rule(q.rule.String())
	}
	return q, nil
}

// interpret makes the query without a plan.
func interpret(compiler *ast.Compiler, caps *ast.Capabilities, pkg *ast.Package, rule string) (*query, error) {
	ref := pkg.Path.Append(ast.StringTerm(rule))
	prepared, err := oparego.New(
		oparego.Compiler(compiler),
		oparego.Capabilities(caps),
		oparego.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(ref)))),
		oparego.StrictBuiltinErrors(false),
	).PrepareForEval(context.Background())
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", ref, err)
	}
	return &query{rule: ref, prepared: prepared}, nil
}

// planQuery compiles the plan for a rule. The program has the other rules, too.
func planQuery(compiler *ast.Compiler, caps *ast.Capabilities, rule ast.Ref, others ...ast.Ref) (*plan.Program, error) {
	variable, _ := result.AsString()
	body := ast.NewBody(ast.Equality.Expr(ast.VarTerm(variable), ast.NewTerm(rule)))
	for i, other := range others {
		body.Append(ast.Equality.Expr(ast.VarTerm(fmt.Sprint(variable, i)), ast.NewTerm(other)))
	}
	policy, err := plan.Policy(compiler, caps, body)
	if err != nil {
		return nil, err
	}
	return plan.Compile(policy, plan.Entrypoint, plan.Options{
		Input: inputNode, Capabilities: caps, Steps: maxSteps, Bytes: maxBytes,
	})
}

// filterOf derives what has to be true of an event for a rule to hold, or to have an
// element if it has many. Where nothing can be derived, every event passes.
func filterOf(compiler *ast.Compiler, rule ast.Ref, many bool) *prefilter.Filter {
	if many {
		rule = rule.Append(ast.VarTerm("finding"))
	}
	filter, err := prefilter.Derive(compiler, ast.NewBody(ast.NewExpr(ast.NewTerm(rule))))
	if err != nil {
		return nil
	}
	return filter
}

// onEvent evaluates the rule for an event. The value is nil and defined false
// if the rule does not hold; numbers in it are json.Number. It shares nothing
// with the event.
func (q *query) onEvent(ctx context.Context, in *detect.Input) (value any, defined bool, err error) {
	v := viewOf(in)
	if !q.runs(v) {
		return q.eval(ctx, oparego.EvalParsedInput(v.term()))
	}
	answer, err := q.evaluate(ctx, v)
	if err != nil || !answer.Defined() {
		return nil, false, err
	}
	if value, err = answer.JSON(); err != nil {
		return nil, false, fmt.Errorf("the value of %s: %w", q.rule, err)
	}
	return value, true, nil
}

// answer is the rule's value for an event, undefined if it does not hold. It is valid
// until the next evaluation. Sets may have become arrays.
func (q *query) answer(ctx context.Context, in *detect.Input) (plan.Value, error) {
	v := viewOf(in)
	if q.runs(v) {
		return q.evaluate(ctx, v)
	}
	value, defined, err := q.eval(ctx, oparego.EvalParsedInput(v.term()))
	if err != nil || !defined {
		return plan.Value{}, err
	}
	parsed, err := ast.InterfaceToValue(value)
	if err != nil {
		return plan.Value{}, fmt.Errorf("the value of %s: %w", q.rule, err)
	}
	return plan.FromAST(parsed)
}

// runs tells whether the rule is evaluated by its plan.
func (q *query) runs(v *view) bool { return q.program != nil && !v.interpreted }

// evaluate is the rule's value by its plan, undefined if it does not hold. It is valid
// until the next evaluation.
func (q *query) evaluate(ctx context.Context, v *view) (answer plan.Value, err error) {
	if q.planned != nil {
		answer, err = v.evaluator.EvalRule(ctx, q.planned, v)
	} else {
		var results []plan.Value
		if results, err = v.evaluator.Eval(ctx, q.program, plan.Value{}, v); len(results) > 0 {
			answer = results[0].Get(result)
		}
	}
	if err != nil {
		return plan.Value{}, q.failed(err)
	}
	return answer, nil
}

// failed is the error of an evaluation of the plan.
func (q *query) failed(err error) error {
	if errors.Is(err, plan.ErrBudget) {
		err = fmt.Errorf("%w: %w", detect.ErrBudget, err)
	}
	return fmt.Errorf("evaluating %s: %w", q.rule, err)
}

// onNothing evaluates the rule without an input.
func (q *query) onNothing() (value any, defined bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	return q.eval(ctx)
}

func (q *query) eval(ctx context.Context, options ...oparego.EvalOption) (value any, defined bool, err error) {
	// Without this, OPA starts a goroutine per evaluation to watch the context.
	options = append(options, oparego.EvalExternalCancel(watched(ctx.Done())))
	results, err := q.prepared.Eval(ctx, options...)
	if err != nil {
		return nil, false, fmt.Errorf("evaluating %s: %w", q.rule, err)
	}
	if len(results) == 0 {
		return nil, false, nil
	}
	return results[0].Expressions[0].Value, true, nil
}

// watched is a context's Done channel as OPA polls it. It is a channel and not
// a structure so that it fits into an interface without an allocation.
type watched <-chan struct{}

// Cancel is never called: only the context's owner cancels.
func (watched) Cancel() {}

// Cancelled tells whether the context is done.
func (w watched) Cancelled() bool {
	select {
	case <-w:
		return true
	default:
		return false
	}
}
