package regosig

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	oparego "github.com/open-policy-agent/opa/v1/rego"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/rego"
)

// stock is the signatures in OPA as it is, without anything of ipcwarden's but the
// document of an event.
type stock struct {
	signatures []stockSignature // by id
	selected   [256][]stockSignature
	document   event.Document
}

// stockSignature is the prepared queries of a signature.
type stockSignature struct {
	verdict  oparego.PreparedEvalQuery
	evidence *oparego.PreparedEvalQuery // nil if there is none
}

// stock prepares the signatures.
func (r *ruleSet) stock(t testing.TB) *stock {
	t.Helper()
	modules := map[string]*ast.Module{}
	parse := func(name, text string) *ast.Module {
		version := ast.RegoV1
		if strings.HasPrefix(text, "package tracee.") {
			version = ast.RegoV0
		}
		m, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{RegoVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		modules[name] = m
		return m
	}
	for i, text := range regoFiles(t, rego.Library) {
		parse("lib"+string(rune('a'+i)), text)
	}
	packages := map[string]*ast.Package{}
	for i, id := range r.ids {
		packages[id] = parse(r.files[2*i], r.files[2*i+1]).Package
	}
	compiler := ast.NewCompiler()
	if compiler.Compile(modules); compiler.Failed() {
		t.Fatal(compiler.Errors)
	}
	prepare := func(pkg *ast.Package, rule string) oparego.PreparedEvalQuery {
		q, err := oparego.New(oparego.Compiler(compiler), oparego.Query(pkg.Path.String()+"."+rule)).PrepareForEval(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	o := &stock{}
	for _, s := range r.load(t).Signatures() {
		pkg := packages[s.Metadata().ID]
		rule, explained := matchRule, len(compiler.GetRules(pkg.Path.Append(ast.StringTerm(evidenceRule)))) > 0
		if isTracee(&ast.Module{Package: pkg}) {
			rule = traceeMatch
		}
		q := stockSignature{verdict: prepare(pkg, rule)}
		if explained {
			evidence := prepare(pkg, evidenceRule)
			q.evidence = &evidence
		}
		o.signatures = append(o.signatures, q)
		for _, row := range event.Rows() {
			if s.Metadata().Events.Has(row.ID) {
				o.selected[row.ID] = append(o.selected[row.ID], q)
			}
		}
	}
	return o
}

// input is what a query takes: the JSON of the document, read.
func (o *stock) input(e *event.Event) (input map[string]any, err error) {
	e.Document(&o.document)
	text, err := json.Marshal(&o.document)
	if err != nil {
		return nil, err
	}
	return input, json.Unmarshal(text, &input)
}

// everySignature gives the event to every signature, as Tracee did.
func (o *stock) everySignature(ctx context.Context, e *event.Event) (found int, err error) {
	input, err := o.input(e)
	if err != nil {
		return 0, err
	}
	return evaluateAll(ctx, o.signatures, oparego.EvalInput(input))
}

// dispatched gives the event to the signatures that select it, parsed once.
func (o *stock) dispatched(ctx context.Context, e *event.Event) (found int, err error) {
	selected := o.selected[e.ID]
	if len(selected) == 0 {
		return 0, nil
	}
	input, err := o.input(e)
	if err != nil {
		return 0, err
	}
	parsed, err := ast.InterfaceToValue(input)
	if err != nil {
		return 0, err
	}
	return evaluateAll(ctx, selected, oparego.EvalParsedInput(parsed))
}

func evaluateAll(ctx context.Context, signatures []stockSignature, input oparego.EvalOption) (found int, err error) {
	for i := range signatures {
		results, err := signatures[i].verdict.Eval(ctx, input)
		if err != nil {
			return found, err
		}
		if len(results) == 0 || results[0].Expressions[0].Value == false {
			continue
		}
		found++
		if evidence := signatures[i].evidence; evidence != nil {
			if _, err := evidence.Eval(ctx, input); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// TestStock holds OPA as it is to the same verdicts on the recorded events.
func TestStock(t *testing.T) {
	r := varied(t, 20)
	o, table := r.stock(t), r.predicates(t)
	for i, e := range recording(t) {
		want := 0
		for _, p := range table[e.ID] {
			if p(e) {
				want++
			}
		}
		got, err := o.dispatched(t.Context(), e)
		if err != nil || got != want {
			t.Errorf("event %d, %s: %d findings, want %d, error %v", i, e.ID, got, want, err)
		}
		// Without dispatch, an event that a signature does not select may match it.
		if all, err := o.everySignature(t.Context(), e); err != nil || all < want {
			t.Errorf("event %d, %s: %d findings, want %d at least, error %v", i, e.ID, all, want, err)
		}
	}
}
