package regosig

import (
	"context"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// explanation is the evidence of a signature, prepared to be evaluated for many events.
type explanation struct {
	*query
	// members are the rules of the object, which are evaluated without making it, and
	// keys what they are called; nil if it has to be made. They are of the verdict's
	// program: what that has evaluated is not evaluated again.
	members []*plan.Rule
	keys    []string
}

// evidence is what an explanation came to for one event: an object, or its members, of
// which some may be undefined. There is one for each view.
type evidence struct {
	object plan.Value
	keys   []string
	values []plan.Value
}

// prepareVerdict makes the queries for a rule of a package and, if the package has any,
// for the evidence.
func prepareVerdict(compiler *ast.Compiler, caps *ast.Capabilities, pkg *ast.Package, rule string, explained bool) (*query, *explanation, error) {
	if !explained {
		verdict, err := prepare(compiler, caps, pkg, rule)
		return verdict, nil, err
	}
	verdict, err := interpret(compiler, caps, pkg, rule)
	if err != nil {
		return nil, nil, err
	}
	q, err := interpret(compiler, caps, pkg, evidenceRule)
	if err != nil {
		return nil, nil, err
	}
	x := &explanation{query: q}
	if program, err := planQuery(compiler, caps, verdict.rule, q.rule); err == nil && x.findMembers(compiler, program) {
		verdict.planned = program.Rule(verdict.rule.String())
		verdict.program, q.program = program, program
	}
	if verdict.planned == nil {
		return prepareApart(compiler, caps, pkg, rule)
	}
	return verdict, x, nil
}

// prepareApart makes the queries for a rule and for the evidence, which have nothing to
// share.
func prepareApart(compiler *ast.Compiler, caps *ast.Capabilities, pkg *ast.Package, rule string) (*query, *explanation, error) {
	verdict, err := prepare(compiler, caps, pkg, rule)
	if err != nil {
		return nil, nil, err
	}
	q, err := prepare(compiler, caps, pkg, evidenceRule)
	return verdict, &explanation{query: q}, err
}

// findMembers finds the rules of the object in a program. It tells whether these are all
// that the object has.
func (x *explanation) findMembers(compiler *ast.Compiler, program *plan.Program) bool {
	node := compiler.RuleTree
	for _, term := range x.rule {
		if node = node.Child(term.Value); node == nil {
			return false
		}
	}
	for _, key := range node.Sorted {
		name, isText := key.(ast.String)
		rule := program.Rule(x.rule.Append(ast.NewTerm(key)).String())
		if !isText || rule == nil || len(node.Child(key).Children) > 0 || len(node.Values) > 0 {
			x.keys, x.members = nil, nil
			return false
		}
		x.keys, x.members = append(x.keys, string(name)), append(x.members, rule)
	}
	return len(x.members) > 0
}

// explain evaluates the evidence of a finding, which has none if it is not defined, or
// there is an error. It comes right after the verdict.
func (x *explanation) explain(ctx context.Context, in *detect.Input, finding *detect.Finding) error {
	v := viewOf(in)
	if !x.runs(v) {
		value, defined, err := x.onEvent(ctx, in)
		if err != nil || !defined {
			return err
		}
		object, ok := value.(map[string]any)
		if !ok {
			return x.noObject(value)
		}
		finding.Evidence = object
		return nil
	}
	e := &v.evidence
	if len(x.members) == 0 {
		object, err := x.evaluate(ctx, v)
		if err != nil || !object.Defined() {
			return err
		}
		if !object.IsObject() {
			value, _ := object.JSON()
			return x.noObject(value)
		}
		finding.Unread = e.of(object)
		return nil
	}
	var err error
	e.object, e.keys = plan.Value{}, x.keys
	if e.values, err = v.evaluator.EvalMore(ctx, x.members, v, e.values[:0]); err != nil {
		return x.failed(err)
	}
	finding.Unread = e
	return nil
}

func (x *explanation) noObject(value any) error {
	return fmt.Errorf("%s is %s, not an object", x.rule, kindOf(value))
}

// of makes e the evidence that is an object.
func (e *evidence) of(object plan.Value) *evidence {
	e.object, e.keys = object, nil
	return e
}

// Read makes an object of the evidence.
func (e *evidence) Read() map[string]any {
	if e.object.Defined() {
		object, _ := readable(e.object).(map[string]any)
		return object
	}
	object := make(map[string]any, len(e.keys))
	for i, key := range e.keys {
		if e.values[i].Defined() {
			object[key] = readable(e.values[i])
		}
	}
	return object
}

// readable is the JSON of a value, or its text if there is none.
func readable(v plan.Value) any {
	value, err := v.JSON()
	if err != nil {
		return v.String()
	}
	return value
}
