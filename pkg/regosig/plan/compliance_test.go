package plan

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/test/cases"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/types"
	"github.com/open-policy-agent/opa/v1/util"
)

// exceptions are cases of OPA's that are expected to fail, each with the reason.
var exceptions = map[string]string{
	"baseandvirtualdocs/base/virtual: conflicts": "package rego refuses modules that conflict with data, which the case is about",
	"data/toplevel integer":                      "OPA's planner takes an integer for a name in a reference to data (open-policy-agent/opa#3711); signatures have no base documents",
	"data/nested integer":                        "OPA's planner takes an integer for a name in a reference to data (open-policy-agent/opa#3711); signatures have no base documents",
}

// TestCompliance evaluates the cases that OPA tests its own evaluators with.
func TestCompliance(t *testing.T) {
	dir := complianceCases(t)
	rego.RegisterPlugin("compliance", compliance{})
	for name, version := range map[string]ast.RegoVersion{"v0": ast.RegoV0, "v1": ast.RegoV1} {
		t.Run(name, func(t *testing.T) {
			passed, skipped, excepted := 0, map[string]int{}, 0
			for _, tc := range cases.MustLoad(filepath.Join(dir, name)).Sorted().Cases {
				t.Run(tc.Note, func(t *testing.T) {
					for k, v := range tc.Env {
						t.Setenv(k, v)
					}
					err := evaluateCase(t.Context(), &tc, version)
					unsupported, isUnsupported := errors.AsType[*UnsupportedError](err)
					reason, isException := exceptions[tc.Note]
					switch {
					case isUnsupported:
						skipped[unsupported.What]++
						t.Skip(err)
					case isException && err == nil:
						t.Errorf("passes, though it is an exception: %s", reason)
					case isException:
						excepted++
						t.Skip(reason)
					case err != nil:
						t.Error(err)
					default:
						passed++
					}
				})
			}
			t.Logf("%d passed, %d exceptions, not supported: %v", passed, excepted, skipped)
		})
	}
}

// testSleep is a built-in that only OPA's cases have.
var testSleep = rego.Function1(&rego.Function{Name: "test.sleep", Decl: types.NewFunction(types.Args(types.S), types.Nl)},
	func(_ rego.BuiltinContext, arg *ast.Term) (*ast.Term, error) {
		d, err := time.ParseDuration(string(arg.Value.(ast.String)))
		time.Sleep(d)
		return ast.NullTerm(), err
	})

// complianceCases finds the cases in the module cache.
func complianceCases(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa").Output()
	dir := filepath.Join(strings.TrimSpace(string(out)), "v1/test/cases/testdata")
	if matches, _ := filepath.Glob(filepath.Join(dir, "v1/*/*.yaml")); err != nil || len(matches) == 0 {
		t.Skipf("OPA's test cases are not in the module cache (%s): %v", dir, err)
	}
	return dir
}

// evaluateCase returns in what the result of a case is not the expected one.
func evaluateCase(ctx context.Context, tc *cases.TestCase, version ast.RegoVersion) error {
	store := inmem.New()
	if tc.Data != nil {
		store = inmem.NewFromObject(*tc.Data)
	}
	options := []func(*rego.Rego){
		rego.Target("compliance"), rego.Query(tc.Query), rego.Store(store), rego.SetRegoVersion(version),
		rego.StrictBuiltinErrors(tc.StrictError), testSleep,
		rego.Capabilities(ast.CapabilitiesForThisVersion(ast.CapabilitiesExperimentalKeywords(tc.ExperimentalKeywords))),
	}
	for i, text := range tc.Modules {
		options = append(options, rego.Module(fmt.Sprintf("test-%d.rego", i), text))
	}
	var input []rego.EvalOption
	switch {
	case tc.InputTerm != nil:
		input = append(input, rego.EvalParsedInput(ast.MustParseTerm(*tc.InputTerm).Value))
	case tc.Input != nil:
		input = append(input, rego.EvalParsedInput(ast.MustInterfaceToValue(*tc.Input)))
	}
	var results rego.ResultSet
	prepared, err := rego.New(options...).PrepareForEval(ctx)
	if err == nil {
		results, err = prepared.Eval(ctx, input...)
	}
	if _, ok := errors.AsType[*UnsupportedError](err); ok {
		return err
	}
	switch {
	case tc.WantErrorCode != nil || tc.WantError != nil:
		return compareError(tc, results, err)
	case err != nil:
		return err
	case tc.WantResult != nil:
		return compareResults(tc, results)
	case tc.WantDefined != nil && *tc.WantDefined != (len(results) > 0):
		return fmt.Errorf("got %v", results)
	}
	return nil
}

func compareError(tc *cases.TestCase, results rego.ResultSet, err error) error {
	if err == nil {
		return fmt.Errorf("no error, but %v", results)
	}
	if own, ok := errors.AsType[*topdown.Error](err); tc.WantErrorCode != nil && ok && own.Code != *tc.WantErrorCode {
		return fmt.Errorf("want error code %s: %w", *tc.WantErrorCode, err)
	}
	if tc.WantError != nil && !strings.Contains(err.Error(), *tc.WantError) {
		return fmt.Errorf("want error %q: %w", *tc.WantError, err)
	}
	return nil
}

func compareResults(tc *cases.TestCase, results rego.ResultSet) error {
	want, got := ast.NewSet(), ast.NewSet()
	for _, bindings := range *tc.WantResult {
		want.Add(ast.NewTerm(ast.MustInterfaceToValue(bindings)))
	}
	for _, result := range results {
		bindings := map[string]any{}
		for name, value := range result.Bindings {
			if list, ok := value.([]any); ok && tc.SortBindings {
				slices.SortFunc(list, util.Compare)
			}
			if !strings.HasPrefix(name, "__localq") {
				bindings[name] = value
			}
		}
		got.Add(ast.NewTerm(ast.MustInterfaceToValue(bindings)))
	}
	if want.Compare(got) != 0 {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

// compliance makes this package a target of OPA.
type compliance struct{}

func (compliance) IsTarget(name string) bool { return name == "compliance" }

func (compliance) PrepareForEval(_ context.Context, policy *ir.Policy, options ...rego.PrepareOption) (rego.TargetPluginEval, error) {
	config := &rego.PrepareConfig{}
	for _, o := range options {
		o(config)
	}
	_, err := Compile(policy, "eval", Options{Builtins: config.BuiltinFuncs()})
	return &complianceEval{policy, config.BuiltinFuncs()}, err
}

type complianceEval struct {
	policy   *ir.Policy
	builtins map[string]*topdown.Builtin
}

func (c *complianceEval) Eval(ctx context.Context, ec *rego.EvalContext, runtime ast.Value) (ast.Value, error) {
	options := Options{Builtins: c.builtins, StrictBuiltins: ec.StrictBuiltinErrors(), Steps: 10_000_000, Bytes: 1 << 30}
	options.Context = func(b *topdown.BuiltinContext) {
		b.Capabilities, b.PrintHook, b.Metrics = ec.Capabilities(), ec.PrintHook(), ec.Metrics()
		b.InterQueryBuiltinCache, b.InterQueryBuiltinValueCache = ec.InterQueryBuiltinCache(), ec.InterQueryBuiltinValueCache()
		if runtime != nil {
			b.Runtime = ast.NewTerm(runtime)
		}
	}
	var err error
	reader := ec.Transaction().(interface {
		Read(storage.Path) (any, error)
	})
	data, err := reader.Read(storage.Path{})
	if err != nil {
		return nil, err
	}
	if options.Data, err = FromAST(ast.MustInterfaceToValue(data)); err != nil {
		return nil, err
	}
	program, err := Compile(c.policy, "eval", options)
	if err != nil {
		return nil, err
	}
	var input Value
	if parsed := ec.ParsedInput(); parsed != nil {
		if input, err = FromAST(parsed); err != nil {
			return nil, err
		}
	} else if raw := ec.RawInput(); raw != nil {
		if input, err = FromAST(ast.MustInterfaceToValue(*raw)); err != nil {
			return nil, err
		}
	}
	results, err := new(Evaluator).Eval(ctx, program, input, nil)
	if err != nil {
		return nil, err
	}
	set := ast.NewSet()
	for _, result := range results {
		set.Add(result.term())
	}
	return set, nil
}
