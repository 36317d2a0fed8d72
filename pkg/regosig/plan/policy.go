package plan

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/rego"
)

// Entrypoint is the name of the plan in what Policy returns.
const Entrypoint = "eval"

// Policy is OPA's plan of a query of compiled modules. The variables of the query
// are the keys of its results.
func Policy(compiler *ast.Compiler, caps *ast.Capabilities, query ast.Body) (policy *ir.Policy, err error) {
	defer func() {
		if r := recover(); r != nil { // what the planner thinks impossible
			policy, err = nil, fmt.Errorf("planning %v: %v", query, r)
		}
	}()
	registerPlanner()
	ctx := context.WithValue(context.Background(), policyKey{}, &policy)
	_, err = rego.New(
		rego.Target(target),
		rego.EvalMode(ast.EvalModeTopdown), // or it would be changed, in a compiler that is not ours
		rego.Compiler(compiler),
		rego.Capabilities(caps),
		rego.ParsedQuery(query),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, fmt.Errorf("planning %v: %w", query, err)
	}
	return policy, nil
}

// target is the name by which OPA knows planner.
const target = "ipcwarden-plan"

// registerPlanner is the only public way to OPA's planner that takes modules as
// they were compiled: it plans for evaluators that are registered.
var registerPlanner = sync.OnceFunc(func() { rego.RegisterPlugin(target, planner{}) })

// policyKey is where the context of PrepareForEval has the place for the plan.
type policyKey struct{}

// planner takes plans, and evaluates none.
type planner struct{}

func (planner) IsTarget(name string) bool { return name == target }

func (planner) PrepareForEval(ctx context.Context, policy *ir.Policy, _ ...rego.PrepareOption) (rego.TargetPluginEval, error) {
	*ctx.Value(policyKey{}).(**ir.Policy) = policy
	return planner{}, nil
}

func (planner) Eval(context.Context, *rego.EvalContext, ast.Value) (ast.Value, error) {
	return nil, errors.New("the plan is evaluated by package plan")
}
