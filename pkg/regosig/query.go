package regosig

import (
	"context"
	"fmt"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	oparego "github.com/open-policy-agent/opa/v1/rego"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// loadTimeout bounds the evaluation of what a signature says about itself. It
// is computed once, from nothing, so that only an endless loop takes that long.
const loadTimeout = 5 * time.Second

// query is one rule of a package, prepared to be evaluated for many events.
type query struct {
	rule     ast.Ref
	prepared oparego.PreparedEvalQuery
}

// prepare makes the query for a rule of a package.
func prepare(compiler *ast.Compiler, caps *ast.Capabilities, pkg *ast.Package, rule string) (query, error) {
	ref := pkg.Path.Append(ast.StringTerm(rule))
	prepared, err := oparego.New(
		oparego.Compiler(compiler),
		oparego.Capabilities(caps),
		oparego.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(ref)))),
		oparego.StrictBuiltinErrors(false),
	).PrepareForEval(context.Background())
	if err != nil {
		return query{}, fmt.Errorf("preparing %s: %w", ref, err)
	}
	return query{ref, prepared}, nil
}

// onEvent evaluates the rule for an event. The value is nil and defined false
// if the rule does not hold; numbers in it are json.Number.
func (q *query) onEvent(ctx context.Context, in *detect.Input) (value any, defined bool, err error) {
	parsed, err := in.Parsed(parsedInput)
	if err != nil {
		return nil, false, err
	}
	return q.eval(ctx, oparego.EvalParsedInput(parsed.(ast.Value)))
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

// parsedInput is the form in which detect.Input keeps the document for all Rego
// signatures.
func parsedInput(d *event.Document) (any, error) { return documentValue(d), nil }
