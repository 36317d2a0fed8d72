package regosig

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

const (
	testSuffix = "_test.rego"

	// testTimeout bounds one test.
	testTimeout = 10 * time.Second
)

// TestOptions says what RunTests runs.
type TestOptions struct {
	// Paths are directories, with those below, or files: a test, or a signature
	// whose test lies beside it. Without any, the built-in signatures are tested.
	Paths    []string
	Run      *regexp.Regexp // if not nil, only tests whose full name matches
	Coverage bool
}

// TestReport is what came of a run.
type TestReport struct {
	Tests    []TestResult   `json:"tests"` // by file and line
	Passed   int            `json:"passed"`
	Failed   int            `json:"failed"`
	Skipped  int            `json:"skipped"`
	Coverage []FileCoverage `json:"coverage,omitempty"` // of the signatures and libraries, by file
	Warnings []string       `json:"warnings,omitempty"`
}

// TestResult is one test.
type TestResult struct {
	Name string `json:"name"` // package and rule, without data
	Place
	Outcome    string        `json:"outcome"` // pass, fail, error or skip
	DurationNS time.Duration `json:"durationNs"`
	Error      string        `json:"error,omitempty"`
	Output     string        `json:"output,omitempty"` // of print
	Cases      []string      `json:"cases,omitempty"`  // test_x[case]: those that failed
	Bodies     []Attempt     `json:"bodies,omitempty"` // why it failed
}

// The outcomes of a test.
const (
	Passed  = "pass"
	Failed  = "fail"
	Errored = "error"
	Skipped = "skip"
)

// RunTests runs the tests beside signatures with OPA's own runner. An error means
// that there is no outcome; it is a *LoadError if files are to blame.
func RunTests(ctx context.Context, o TestOptions) (*TestReport, error) {
	var ps problems
	trees := testTrees(o.Paths, &ps)
	if err := ps.err(); err != nil {
		return nil, err
	}
	sources := make([]Source, len(trees))
	for i, t := range trees {
		sources[i] = t.Source
	}
	l, err := loadAll(sources)
	if err != nil {
		return nil, err
	}
	r := &testRun{TestOptions: o, loader: l, trees: map[string]Source{}, report: &TestReport{Tests: []TestResult{}}}
	r.read(trees)
	for _, tracee := range []bool{false, true} {
		r.prepare(tracee)
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	for _, g := range r.groups {
		if err := r.run(ctx, g); err != nil {
			return nil, err
		}
	}
	r.finish()
	return r.report, nil
}

// testTree is a tree of signatures with tests beside them.
type testTree struct {
	Source
	only []string // the test files of it that count; nil for all
}

// testTrees are the trees that paths name. For a file that is its directory,
// without those below: a test can need every file beside it.
func testTrees(paths []string, ps *problems) []*testTree {
	if len(paths) == 0 {
		return []*testTree{{Source: Builtin()}}
	}
	var trees []*testTree
	byDir := map[string]*testTree{}
	for _, name := range paths {
		name = filepath.Clean(name)
		if Path(name).bundle {
			ps.add(name, 0, 0, "tests are read from directories and files; unpack the bundle")
			continue
		}
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() || !strings.HasSuffix(name, ".rego") {
			trees = append(trees, &testTree{Source: Path(name)})
			continue
		}
		dir, base := filepath.Dir(name), filepath.Base(name)
		t := byDir[dir]
		if t == nil {
			t = &testTree{Source: Path(dir)}
			t.flat = true
			byDir[dir] = t
			trees = append(trees, t)
		}
		if !strings.HasSuffix(base, testSuffix) {
			base = strings.TrimSuffix(base, ".rego") + testSuffix
			if _, err := fs.Stat(t.FS, base); err != nil {
				ps.add(name, 0, 0, "no %s lies beside this file", base)
			}
		}
		t.only = append(t.only, base)
	}
	return trees
}

// testRun has what the steps of RunTests share.
type testRun struct {
	TestOptions
	loader *loader
	tests  []*module
	trees  map[string]Source // test file -> the tree that it is from
	groups []*testGroup
	report *TestReport
	cover  []*coverRun
}

// testGroup is tests that see the same recorded events.
type testGroup struct {
	modules []*module // everything that is compiled together
	tests   []*module
	tracee  bool
	events  map[string]any
}

type coverRun struct {
	tracer  *cover.Cover
	modules map[string]*ast.Module
}

// read parses the test files of the trees.
func (r *testRun) read(trees []*testTree) {
	ps := &r.loader.problems
	for _, t := range trees {
		files, _ := t.walk(func(name string) bool {
			return strings.HasSuffix(name, testSuffix) && (t.only == nil || slices.Contains(t.only, name))
		}, ps)
		for _, f := range files {
			if _, seen := r.trees[f.name]; seen {
				continue
			}
			r.trees[f.name] = t.Source
			if m := parse(f, r.loader.caps, ps); m != nil {
				r.tests = append(r.tests, m)
			}
		}
	}
}

// prepare compiles the tests of one contract together with what they test, to
// find what is wrong with them and which events they want.
func (r *testRun) prepare(tracee bool) {
	l := r.loader
	var tests, modules []*module
	for _, m := range r.tests {
		if m.isTracee() == tracee {
			tests = append(tests, m)
		}
	}
	if len(tests) == 0 {
		return
	}
	for _, p := range l.packages {
		for _, m := range p.modules {
			if tracee && (p.isTracee() || !p.isSignature()) || !tracee && (!p.isTracee() || m.builtin) {
				modules = append(modules, m)
			}
		}
	}
	modules = append(modules, tests...)
	compiler := compile(modules, r.schema(tracee), l.caps, true, &l.problems)
	if compiler == nil {
		return
	}
	byEvents := map[string]*testGroup{}
	for _, m := range tests {
		if compiler.Modules[m.name] == nil {
			continue
		}
		wants := r.eventsOf(m, compiler)
		key := ""
		if len(wants) > 0 {
			key = path.Dir(m.name)
		}
		g := byEvents[key]
		if g == nil {
			g = &testGroup{modules: modules, tracee: tracee, events: map[string]any{}}
			byEvents[key] = g
			r.groups = append(r.groups, g)
		}
		g.tests = append(g.tests, m)
		maps.Copy(g.events, wants)
	}
}

// schema is what the input is held to: see loader.compile.
func (r *testRun) schema(tracee bool) *ast.SchemaSet {
	if tracee {
		return nil
	}
	return r.loader.schema
}

// run runs the tests of a group.
func (r *testRun) run(ctx context.Context, g *testGroup) error {
	modules := make(map[string]*ast.Module, len(g.modules))
	for _, m := range g.modules {
		modules[m.name] = m.authored()
	}
	wanted := map[string]bool{}
	var packages []ast.Ref
	for _, m := range g.tests {
		wanted[m.name] = true
		packages = append(packages, m.Package.Path)
	}
	compiler := ast.NewCompiler().WithCapabilities(r.loader.caps).WithSchemas(r.schema(g.tracee)).WithEnablePrintStatements(true)
	store := inmem.NewFromObject(map[string]any{"events": g.events})
	txn, err := store.NewTransaction(ctx)
	if err != nil {
		return fmt.Errorf("preparing the events of tests: %w", err)
	}
	defer store.Abort(ctx, txn)
	runner := tester.NewRunner().SetCompiler(compiler).SetModules(modules).SetStore(store).SetTimeout(testTimeout).
		RaiseBuiltinErrors(true).SetPrefixMatchers(packages...)
	if r.Run != nil {
		runner.Filter(r.Run.String())
	}
	if r.Coverage {
		c := &coverRun{cover.New(), modules}
		runner.SetCoverageQueryTracer(c.tracer)
		r.cover = append(r.cover, c)
	}
	results, err := runner.RunTests(ctx, txn)
	if err != nil {
		return fmt.Errorf("running tests: %w", err)
	}
	e := &evaluator{compiler: compiler, caps: r.loader.caps, store: store}
	for result := range results {
		if wanted[result.Location.File] {
			r.report.Tests = append(r.report.Tests, r.result(ctx, e, result))
		}
	}
	return ctx.Err()
}

// result tells of one test; of one that failed, why.
func (r *testRun) result(ctx context.Context, e *evaluator, result *tester.Result) TestResult {
	t := TestResult{
		Name: strings.TrimPrefix(result.Package, "data.") + "." + result.Name, Place: placeOf(result.Location),
		DurationNS: result.Duration, Output: string(result.Output), Outcome: Passed,
	}
	switch {
	case result.Skip:
		t.Outcome = Skipped
	case result.Error != nil:
		t.Outcome, t.Error = Errored, printable(result.Error.Error())
	case result.Fail:
		t.Outcome = Failed
		for name, sub := range result.SubResults.Iter {
			if sub.Fail && len(sub.SubResults) == 0 {
				t.Cases = append(t.Cases, strings.Join(name, "/"))
			}
		}
		if ref, err := ruleRef(result); err == nil {
			ctx, cancel := context.WithTimeout(ctx, testTimeout)
			defer cancel()
			t.Bodies, _ = e.attempts(ctx, ref, nil) // without a reason, the failure stands alone
		}
	}
	return t
}

// ruleRef leads to the rule of a test. OPA numbers tests of one name, as x#01.
func ruleRef(result *tester.Result) (ast.Ref, error) {
	if pkg, err := ast.ParseRef(result.Package); err == nil && !strings.ContainsAny(result.Name, ".[") {
		return pkg.Append(ast.StringTerm(result.Name)), nil
	}
	return ast.ParseRef(result.Package + "." + result.Name)
}

// finish puts the report in order.
func (r *testRun) finish() {
	slices.SortFunc(r.report.Tests, func(a, b TestResult) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name))
	})
	for _, t := range r.report.Tests {
		switch t.Outcome {
		case Passed:
			r.report.Passed++
		case Skipped:
			r.report.Skipped++
		default:
			r.report.Failed++
		}
	}
	if r.Coverage {
		r.report.Coverage = r.coverage()
	}
}
