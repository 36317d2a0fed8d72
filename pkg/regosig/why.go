package regosig

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	oparego "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/topdown"
)

const (
	// maxQueries bounds what is remembered of an evaluation.
	maxQueries = 100_000
	// maxAttempts and maxDepth bound what is told of it.
	maxAttempts = 12
	maxDepth    = 6
)

// Place is where something stands in a file.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String is file:line:col, safe for a terminal.
func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", printable(p.File), p.Line, p.Column) }

func placeOf(loc *ast.Location) Place {
	if loc == nil {
		return Place{}
	}
	return Place{loc.File, loc.Row, loc.Col}
}

// Attempt is one body of a rule, evaluated for one event.
type Attempt struct {
	// Rule names the rule as references do, without data; "every" for the body of one.
	Rule string `json:"rule"`
	Place
	Held   bool     `json:"held"`
	Value  *any     `json:"value,omitempty"`  // what the rule is, if it held and is not just true
	Failed *Failure `json:"failed,omitempty"` // why the body did not hold
}

// Failure is the first expression of a body that nothing satisfied: all those
// before it can be satisfied together.
type Failure struct {
	Place
	Expression string  `json:"expression"` // as it stands in the file
	Values     []Value `json:"values"`     // what it refers to
	// Tries is how often it was evaluated, each time with other values of the
	// variables before it; Values are those of the first.
	Tries int       `json:"tries"`
	Calls []Attempt `json:"calls,omitempty"` // the rules that made it fail
}

// Value is what an expression refers to.
type Value struct {
	Name      string `json:"name"` // as it stands in the file
	Value     any    `json:"value,omitempty"`
	Undefined bool   `json:"undefined,omitempty"`
}

// evaluator evaluates rules of compiled modules.
type evaluator struct {
	compiler *ast.Compiler
	caps     *ast.Capabilities
	store    storage.Store
}

// value evaluates a rule; with a tracer, OPA leaves nothing out that cannot
// change the outcome.
func (e *evaluator) value(ctx context.Context, ref ast.Ref, input *ast.Term, tracer topdown.QueryTracer) (value any, defined bool, err error) {
	options := []func(*oparego.Rego){
		oparego.Compiler(e.compiler),
		oparego.Capabilities(e.caps),
		oparego.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(ref)))),
	}
	if e.store != nil {
		options = append(options, oparego.Store(e.store))
	}
	prepared, err := oparego.New(options...).PrepareForEval(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("preparing %s: %w", ref, err)
	}
	var how []oparego.EvalOption
	if input != nil {
		how = append(how, oparego.EvalParsedInput(input.Value))
	}
	if tracer != nil {
		how = append(how, oparego.EvalQueryTracer(tracer), oparego.EvalRuleIndexing(false), oparego.EvalEarlyExit(false))
	}
	results, err := prepared.Eval(ctx, how...)
	if err != nil {
		return nil, false, fmt.Errorf("evaluating %s: %w", ref, err)
	}
	if len(results) == 0 {
		return nil, false, nil
	}
	return results[0].Expressions[0].Value, true, nil
}

// attempts evaluates a rule and tells of each of its bodies, in their order in
// the files, what became of it.
func (e *evaluator) attempts(ctx context.Context, ref ast.Ref, input *ast.Term) ([]Attempt, error) {
	t := &tracer{queries: map[uint64]*bodyTrace{}, first: map[*ast.Rule]*bodyTrace{}}
	if _, _, err := e.value(ctx, ref, input, t); err != nil {
		return nil, err
	}
	root := t.queries[0]
	if root == nil || root.furthest == nil {
		return nil, nil
	}
	why := &reasoner{ctx: ctx, evaluator: e, tracer: t}
	var list []Attempt
	for _, child := range root.furthest.children {
		if rule, ok := child.node.(*ast.Rule); ok && !rule.Default {
			list = append(list, why.attempt(child, rule, 0))
		}
	}
	sortAttempts(list)
	return list, nil
}

func sortAttempts(list []Attempt) {
	slices.SortStableFunc(list, func(a, b Attempt) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// bodyTrace is what the evaluation of one body came to: of a rule, or of a
// negation, a comprehension or every.
type bodyTrace struct {
	node     ast.Node // *ast.Rule, ast.Body, or *ast.Expr for every
	input    *ast.Term
	current  *stepTrace
	furthest *stepTrace   // the expression with the highest index that was reached
	all      []*bodyTrace // the bodies below, of all expressions
	held     bool
	locals   *ast.ValueMap // when it held
}

// stepTrace is one expression as it was evaluated the first time.
type stepTrace struct {
	expr     *ast.Expr
	locals   *ast.ValueMap
	names    map[ast.Var]topdown.VarMetadata
	children []*bodyTrace
	tries    int
}

// tracer keeps of an evaluation what a reason can be made of.
type tracer struct {
	queries map[uint64]*bodyTrace
	first   map[*ast.Rule]*bodyTrace // OPA evaluates a rule once and remembers the outcome
}

// Enabled makes OPA trace.
func (t *tracer) Enabled() bool { return true }

// Config asks for the values of variables.
func (t *tracer) Config() topdown.TraceConfig { return topdown.TraceConfig{PlugLocalVars: true} }

// TraceEvent is called by OPA for each step of the evaluation.
func (t *tracer) TraceEvent(e topdown.Event) {
	switch e.Op {
	case topdown.EnterOp:
		t.enter(e)
	case topdown.ExitOp:
		if q := t.queries[e.QueryID]; q != nil && !q.held {
			q.held, q.locals = true, e.Locals
		}
	case topdown.EvalOp, topdown.RedoOp:
		expr, ok := e.Node.(*ast.Expr)
		if q := t.queries[e.QueryID]; ok && q != nil {
			q.step(e, expr)
		}
	}
}

func (t *tracer) enter(e topdown.Event) {
	if len(t.queries) >= maxQueries {
		return
	}
	q := &bodyTrace{node: e.Node, input: e.Input()}
	t.queries[e.QueryID] = q
	if rule, ok := e.Node.(*ast.Rule); ok && t.first[rule] == nil {
		t.first[rule] = q
	}
	if parent := t.queries[e.ParentID]; parent != nil && parent != q {
		parent.all = append(parent.all, q)
		if parent.current != nil {
			parent.current.children = append(parent.current.children, q)
		}
	}
}

// step makes an expression the one that the bodies entered next belong to.
func (q *bodyTrace) step(e topdown.Event, expr *ast.Expr) {
	switch {
	case e.Op == topdown.RedoOp:
		if q.current = q.furthest; q.current == nil || q.current.expr != expr {
			q.current = &stepTrace{expr: expr}
		}
		return
	case q.furthest != nil && q.furthest.expr == expr:
		q.furthest.tries++
	}
	q.current = &stepTrace{expr: expr, locals: e.Locals, names: e.LocalMetadata, tries: 1}
	if q.furthest == nil || expr.Index > q.furthest.expr.Index {
		q.furthest = q.current
	}
}

// body is the expressions of the query.
func (q *bodyTrace) body() ast.Body {
	switch node := q.node.(type) {
	case *ast.Rule:
		return node.Body
	case ast.Body:
		return node
	default:
		return nil
	}
}

// reasoner makes what is told of what was traced.
type reasoner struct {
	ctx context.Context
	*evaluator
	tracer *tracer
}

func (w *reasoner) attempt(q *bodyTrace, rule *ast.Rule, depth int) Attempt {
	a := Attempt{Rule: ruleName(rule), Place: placeOf(rule.Location), Held: q.held}
	if q.held {
		a.Value = headValue(rule, q.locals)
	} else {
		a.Failed = w.failure(q, depth)
	}
	return a
}

// ruleName is package and name of a rule.
func ruleName(rule *ast.Rule) string {
	name := rule.Ref().GroundPrefix()
	return strings.TrimPrefix(name.String(), "data.")
}

// headValue is what a rule that held gives; nil for true and what cannot be told.
func headValue(rule *ast.Rule, locals *ast.ValueMap) *any {
	term := rule.Head.Value
	if term == nil {
		term = rule.Head.Key
	}
	if term == nil {
		return nil
	}
	value := term.Value
	if _, isVar := value.(ast.Var); isVar && locals != nil {
		value = locals.Get(value)
	}
	if value == nil || value.Compare(ast.Boolean(true)) == 0 {
		return nil
	}
	plain, err := ast.JSON(value)
	if err != nil {
		return nil
	}
	return &plain
}

// failure tells of the expression beyond which a body did not come.
func (w *reasoner) failure(q *bodyTrace, depth int) *Failure {
	step := q.furthest
	if step == nil {
		return nil
	}
	group := sourceGroup(q.body(), step.expr)
	source := group[len(group)-1]
	f := &Failure{Place: placeOf(source.Location), Tries: step.tries}
	if source.Location != nil {
		f.Expression = strings.TrimSpace(string(source.Location.Text))
	}
	f.Values = w.values(q, step, group)
	if depth < maxDepth {
		f.Calls = w.calls(q, step, depth+1)
	}
	return f
}

// sourceGroup is the expressions that the compiler made of the one in the file
// that e belongs to; the last stands for all.
func sourceGroup(body ast.Body, e *ast.Expr) []*ast.Expr {
	at := slices.Index(body, e)
	if at < 0 {
		return []*ast.Expr{e}
	}
	end := at
	for end+1 < len(body) && body[end].Generated && within(e.Location, body[end+1].Location) {
		end++
	}
	start := at
	for start > 0 && body[start-1].Generated && within(body[start-1].Location, body[end].Location) {
		start--
	}
	return body[start : end+1]
}

// within tells whether the text at a place is a part of that at another.
func within(part, whole *ast.Location) bool {
	return part != nil && whole != nil && part.File == whole.File && part.Offset >= whole.Offset &&
		part.Offset+len(part.Text) <= whole.Offset+len(whole.Text)
}

// values are the fields, the rules and the variables that expressions refer to.
func (w *reasoner) values(q *bodyTrace, step *stepTrace, group []*ast.Expr) []Value {
	list := []Value{}
	add := func(v Value) {
		if v.Name != "" && !slices.ContainsFunc(list, func(have Value) bool { return have.Name == v.Name }) {
			list = append(list, v)
		}
	}
	seen := ast.NewVarSet()
	visit := func(t *ast.Term) bool {
		switch v := t.Value.(type) {
		case ast.Ref:
			w.refValue(q.input, t, v, add)
			return v.HasPrefix(ast.InputRootRef) && v.IsGround() || v.HasPrefix(ast.DefaultRootRef) && v.IsGround()
		case ast.Var:
			if !seen.Contains(v) {
				seen.Add(v)
				varValue(step, v, add)
			}
		}
		return false
	}
	for _, e := range group {
		ast.WalkTerms(e, visit)
	}
	return list
}

// refValue looks up the part of a reference that is fixed.
func (w *reasoner) refValue(input, t *ast.Term, ref ast.Ref, add func(Value)) {
	ground := ref.GroundPrefix()
	switch {
	case ref.HasPrefix(ast.InputRootRef):
		if len(ground) == 1 || input == nil {
			return
		}
		found, err := input.Value.Find(ground[1:])
		if err != nil {
			add(Value{Name: ground.String(), Undefined: true})
			return
		}
		if plain, err := ast.JSON(found); err == nil {
			add(Value{Name: ground.String(), Value: plain})
		}
	case ref.HasPrefix(ast.DefaultRootRef):
		rules := w.compiler.GetRulesExact(ground)
		if len(rules) > 0 && len(rules[0].Head.Args) > 0 {
			return // a function
		}
		name := strings.TrimPrefix(ground.String(), "data.")
		if len(ref) == len(ground) && t.Location != nil && len(t.Location.Text) > 0 {
			name = string(t.Location.Text)
		}
		if value, defined, err := w.value(w.ctx, ground, input, nil); err == nil && defined && value != true {
			add(Value{Name: name, Value: value})
		}
	}
}

// varValue looks up a variable: one that the author named, or the one that the
// compiler named for a part of an expression.
func varValue(step *stepTrace, v ast.Var, add func(Value)) {
	meta, known := step.names[v]
	if !known || step.locals == nil {
		return
	}
	bound := step.locals.Get(v)
	if bound == nil {
		return
	}
	name := string(meta.Name)
	if strings.HasPrefix(name, ast.LocalVarPrefix) {
		if name = ""; meta.Location != nil {
			name = string(meta.Location.Text)
		}
		if strings.HasPrefix(name, ast.LocalVarPrefix) {
			return
		}
	}
	if plain, err := ast.JSON(bound); err == nil {
		add(Value{Name: strings.Join(strings.Fields(name), " "), Value: plain})
	}
}

// calls tells of the rules that an expression depends on: of those that did not
// hold, or of those that held where the expression denies them.
func (w *reasoner) calls(q *bodyTrace, step *stepTrace, depth int) []Attempt {
	var list []Attempt
	denied := step.expr.Negated
	heldRules := map[string]bool{}
	collect := func(child *bodyTrace) {
		if rule, ok := child.node.(*ast.Rule); ok && len(list) < maxAttempts && !rule.Default {
			a := w.attempt(child, rule, depth)
			heldRules[a.Rule] = heldRules[a.Rule] || a.Held
			list = append(list, a)
		}
	}
	for _, child := range step.children {
		switch child.node.(type) {
		case *ast.Rule:
			collect(child)
		case ast.Body:
			for _, below := range child.all {
				if denied && child.held {
					collect(below)
				}
			}
		case *ast.Expr:
			list = append(list, w.everyBodies(child, depth)...)
		}
	}
	if len(list) == 0 {
		for _, child := range w.remembered(q, step.expr) {
			collect(child)
		}
	}
	list = slices.DeleteFunc(list, func(a Attempt) bool {
		if denied || heldRules[a.Rule] {
			// A body that held says it all; one that is merely true says nothing
			// of an expression that fails nevertheless.
			return !a.Held || !denied && a.Value == nil
		}
		return false
	})
	sortAttempts(list)
	return list
}

// everyBodies tells of the element that every failed on.
func (w *reasoner) everyBodies(q *bodyTrace, depth int) []Attempt {
	for _, child := range q.all {
		if body, ok := child.node.(ast.Body); ok && !child.held && len(body) > 0 {
			return []Attempt{{Rule: "every", Place: placeOf(body.Loc()), Failed: w.failure(child, depth)}}
		}
	}
	return nil
}

// remembered finds the evaluation of the rules that an expression refers to, and
// that OPA did not evaluate again.
func (w *reasoner) remembered(q *bodyTrace, e *ast.Expr) []*bodyTrace {
	var list []*bodyTrace
	ast.WalkRefs(e, func(ref ast.Ref) bool {
		if !ref.HasPrefix(ast.DefaultRootRef) {
			return false
		}
		for _, rule := range w.compiler.GetRules(ref.GroundPrefix()) {
			for r := rule; r != nil; r = r.Else {
				if first := w.tracer.first[r]; first != nil && len(r.Head.Args) == 0 && sameInput(first.input, q.input) {
					list = append(list, first)
				}
			}
		}
		return false
	})
	return list
}

func sameInput(a, b *ast.Term) bool {
	return a == b || a != nil && b != nil && a.Value.Compare(b.Value) == 0
}
