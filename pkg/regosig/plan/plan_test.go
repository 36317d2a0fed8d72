package plan

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// planned makes the plan of data.a.p of a module.
func planned(t testing.TB, rules string) (*ast.Compiler, *ir.Policy) {
	t.Helper()
	compiler, err := ast.CompileModules(map[string]string{"a.rego": "package a\n" + rules})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := Policy(compiler, ast.CapabilitiesForThisVersion(), ast.MustParseBody("x = data.a.p"))
	if err != nil {
		t.Fatal(err)
	}
	return compiler, policy
}

func compiled(t testing.TB, rules string, options Options) *Program {
	t.Helper()
	_, policy := planned(t, rules)
	program, err := Compile(policy, Entrypoint, options)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// value is a constant as Rego writes it; undefined for "".
func value(t testing.TB, text string) Value {
	t.Helper()
	if text == "" {
		return Value{}
	}
	v, err := FromAST(ast.MustParseTerm(text).Value)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ask(ctx context.Context, e *Evaluator, program *Program, input Value) (Value, error) {
	results, err := e.Eval(ctx, program, input, nil)
	if err != nil || len(results) == 0 {
		return Value{}, err
	}
	return results[0].Get(String("x")), nil
}

// askTopdown is what OPA's interpreter answers.
func askTopdown(t testing.TB, compiler *ast.Compiler, input string) (Value, error) {
	t.Helper()
	var options []rego.EvalOption
	if input != "" {
		options = append(options, rego.EvalParsedInput(ast.MustParseTerm(input).Value))
	}
	prepared, err := rego.New(rego.Compiler(compiler), rego.Query("x = data.a.p"), rego.GenerateJSON(
		func(term *ast.Term, _ *rego.EvalContext) (any, error) { return FromAST(term.Value) },
	)).PrepareForEval(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	results, err := prepared.Eval(t.Context(), options...)
	if err != nil || len(results) == 0 {
		return Value{}, err
	}
	return results[0].Bindings["x"].(Value), nil
}

// TestSameAsTopdown is about what OPA's own cases have little of.
func TestSameAsTopdown(t *testing.T) {
	for _, tt := range []struct{ name, rules, input string }{
		{"undefined", "p if input.a == 1", `{"a": 2}`},
		{"no input", "p if input.a == 1", ""},
		{"first of several that hold", "p if input.a[_] > 1\np if input.a[_] > 0", `{"a": [3, 2, 1]}`},
		{"default", "default p := false\np if input.a[_] > 1", `{"a": [0]}`},
		{"default, and it holds", "default p := false\np if input.a[_] > 1", `{"a": [0, 2]}`},
		{"conflict", "p := x if some x in input.a", `{"a": [1, 2]}`},
		{"no conflict of equal numbers", "p := x if some x in input.a", `{"a": [1, 1.0]}`},
		{"conflict of a function", "p := f(input.a)\nf(x) := y if some y in x", `{"a": [1, 2]}`},
		{"conflict of keys", "p := {k: v | some v in input.a; k := 1}", `{"a": [1, 2]}`},
		{"else", "p := 1 if input.a > 3\nelse := 2 if input.a > 2\nelse := 3", `{"a": 3}`},
		{"else that does not hold", "p := [x | x := f(input.a[_])]\nf(n) := n if n > 3\nelse := 2 if n > 2", `{"a": [5, 1, 3, 2]}`},
		{"else and a default", "p := [f(x) | some x in input.a]\ndefault f(_) := 0\nf(n) := 1 if n > 3\nelse := 2 if n > 2", `{"a": [5, 1, 3]}`},
		{"else with several values", "p := 1 if input.a == 3\nelse := x if some x in input.a", `{"a": [1, 2]}`},
		{"conflict of else", "p := 1 if input.a > 3\nelse := 2 if input.a > 1\np := 3 if input.a > 0", `{"a": 2}`},
		{"the same function, again and again", "p := [f(f(f(x))), [z | some y in [f(x), g(f(x))]; z := f(y) + g(y)]] if x := input.a\nf(n) := n + 1\ng(n) := f(n) * f(n + 1)", `{"a": 1}`},
		{"variables of several rules", "p contains [x, y] if { some x in input.a; y := {x, 7} }\np contains y if { y := input.b; x := y + 1; x > 3 }\np contains x if { some y in input.a; x := {\"k\": y} }", `{"a": [1, 2], "b": 4}`},
		{"unions", `p := [object.union(x, y) | some x in input.a; some y in input.a]`, `{"a": [{}, {"b": 1, "a": {"x": 1}}, {"c": 1, "a": {"y": 2, "x": 3}}, {"a": 4}]}`},
		{"numbers as keys", "p := [{1: \"a\"}[input.a], input.b[input.a], input.s[input.a]]", `{"a": 1.0, "b": [5, 6], "s": {1}}`},
		{"great numbers", "p := [input.a + 1, input.a - 1, input.a * input.a, input.a / 3, input.a % 10, -input.a]", `{"a": 18446744073709551615}`},
		{"overflow", "p := [input.a + 1, input.b - 1, input.a * 2, bits.lsh(input.a, 1), abs(input.b)]", `{"a": 9223372036854775807, "b": -9223372036854775808}`},
		{"division", "p := [input.a / 2, input.a / 3, 0 / input.a, input.a % 4, -7 % 3, 4000000000 / 2]", `{"a": 6}`},
		{"division by zero", "p := input.a / 0", `{"a": 6}`},
		{"bits", "p := [bits.and(input.a, 5), bits.or(input.a, 8), bits.xor(input.a, 1), bits.lsh(1, 70), bits.rsh(input.a, 70), bits.rsh(-4, 1), bits.negate(7)]", `{"a": 6}`},
		{"text", `p := [upper(input.a), indexof(input.a, "b"), substring(input.a, 1, -1), substring(input.a, 1, 1), split(input.a, ","), split(input.a, ""), concat("-", ["x", input.a]), contains(input.a, "b"), count(input.a)]`, `{"a": "äb,c"}`},
		{"long numbers", `p := [input.a < 1, input.a >= 512, input.a == 9223372036854775808, input.b < 0, 5 > input.b, max([input.a, input.b, 3]), input.b == -9223372036854775808, input.c > 3]`, `{"a": 9223372036854775808, "b": -9223372036854775809, "c": 9223372036854775807.5}`},
		{"trimmed", `p := [trim(input.a, "a "), trim_left(input.a, " "), trim_right(input.a, " "), trim_prefix(input.a, " a"), trim_suffix(input.a, "b "), trim_space(input.a)]`, `{"a": " ab "}`},
		{"affixes", `p := [strings.any_prefix_match(input.a, ["x", "/tmp/"]), strings.any_suffix_match([input.a, "b"], {"b"}), strings.any_prefix_match(input.a, "/t"), strings.any_prefix_match(input.a, []), strings.any_suffix_match(input.a, "/t")]`, `{"a": "/tmp/a"}`},
		{"ASCII text", `p := [lower(input.a), indexof(input.a, "C"), indexof(input.a, "z"), substring(input.a, 1, 9), substring(input.a, 9, 1), split(input.a, ","), concat(",", {"z", input.a})]`, `{"a": "aB,C"}`},
		{"sprintf", `p := sprintf("%d %s %04o %v %v", [input.a, "x", input.a, input, 1.5])`, `{"a": 6}`},
		{"conversions", `p := [to_number("12"), to_number("1e3"), to_number(true), format_int(255, 16), format_int(255.9, 16)]`, ""},
		{"failing conversion", `p := to_number("x")`, ""},
		{"sets", "p := [input.a & input.b, input.a | input.b, input.a - input.b, count(input.a), sum(input.a), max(input.a), min(input.b)]", `{"a": {1, 2, 3}, "b": {3, 4}}`},
		{"objects", `p := [object.get(input, "a", 1), object.get(input, ["a", "b"], 1), object.get(input, ["a", "c", "d"], 1), object.union(input, {"a": {"c": 2}}), object.filter(input, ["a"]), object.keys(input)]`, `{"a": {"b": 1}, "z": 2}`},
		{"arrays", "p := [array.concat(input.a, [9]), array.slice(input.a, 1, 2), array.reverse(input.a), sum(input.a), max(input.a)]", `{"a": [1, 2, 2.5]}`},
		{"membership", `p := [1 in input.a, 1 in input.o, 0, 7 in input.s, "x", 1 in input.o]`, `{"a": [1.0], "o": {"x": 1}, "s": {7}}`},
		{"order", "p := [x | some x in input.a]", `{"a": {null, true, 2, 10, -1, 1.5, "b", "a", [1], {"k": 1}, {2}, set()}}`},
		{"many members", "p := {x: {y | some y in numbers.range(x, x + 40)} | some x in numbers.range(1, 40)}", ""},
		{"nested partial objects", "p[x].n[y] := x + y if { some x in [1, 2]; some y in [3, 4] }", ""},
		{"with", "p := [q, r] if { q := n with input as {\"a\": 5}; r := n with input.b as 3 }\nn := [input.a, object.get(input, \"b\", 0)]", `{"a": 1}`},
		{"with data", "p := [q, n] if { q := n with data.a.m as 7 }\nm := 1\nn := m", ""},
		{"with and no result", "p := n if { not bad with input as {}; n := input.a }\nbad if input.a", `{"a": 1}`},
		{"every", "p if every x in input.a { x > 0; not x in {7} }", `{"a": [1, 2]}`},
		{"every of none", "p if every x in input.a { x > 0 }", `{"a": []}`},
		{"regex", `p := [regex.match("^a+$", input.a), regex.match(input.r, input.a), [x | some r in ["(", "a", input.r]; x := regex.match(r, input.a)]]`, `{"a": "aaa", "r": "b"}`},
		{"constant collections", `p := [input.a in {"x", "y"}, [1, [2, {"k": {3}}]][1], {"k": [n]}, {n, 7}, [y | some y in [n, 2]]]` + "\nn := 5", `{"a": "y"}`},
		{"constants in loops", `p := {[x, y, z] | some x in [1, 2]; y := 3; z := {x, y}}`, ""},
		{"constants that are changed", "p := [a, b] if { a := {x | some x in q} | q; b := object.union(o, {\"l\": 2}) }\nq := {1, 2}\no := {\"k\": 1}", ""},
		{"rules of several constants", "p := [q, r, s] \nq := 1 if input.a\nq := 1 if input.b\ndefault r := 2\nr := 3 if input.b\ns := 1 if input.a == 1\nelse := 4", `{"a": 2}`},
		{"comparisons with constants", `p := [input.a == 1, input.a == 1.0, input.a != 1, input.a == "1", input.b == true, input.n == null, input.s == {1, 2}, input.s != [1], input.b != false, input.a < 2, 1 <= input.a, "a" > input.a]`,
			`{"a": 1.0, "b": true, "n": null, "s": {2, 1}}`},
		{"comparisons as conditions", "p contains 1 if input.a > 0\np contains 2 if input.a >= 1.0\np contains 3 if input.a < input.b\np contains 4 if not input.b > input.c\np contains 5 if input.c in [1, 3]\np contains 6 if { x := input.a > 0; x == true }\np contains 7 if input.s > 3\np contains 8 if startswith(input.s, \"a\")\np contains 9 if startswith(input.a, \"a\")\np contains 10 if not contains(input.s, \"z\")",
			`{"a": 1, "b": 2.5, "c": 3, "s": "abc"}`},
		{"copies of what changes", "p := [x, y] if { x := input.a; y := x with input.a as 2; z := y; z != 3 }", `{"a": 1}`},
		{"false is a value", "p := input.a", `{"a": false}`},
		{"walk", "p := [path | walk(input, [path, 1])]", `{"a": [1, {"b": 1}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			compiler, policy := planned(t, tt.rules)
			want, wantErr := askTopdown(t, compiler, tt.input)
			program, err := Compile(policy, Entrypoint, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var evaluator Evaluator
			for range 2 {
				got, err := ask(t.Context(), &evaluator, program, value(t, tt.input))
				if (err == nil) != (wantErr == nil) || got.String() != want.String() {
					t.Fatalf("got %v and error %v, want %v and %v", got, err, want, wantErr)
				}
				if err != nil {
					own, _ := errors.AsType[*topdown.Error](err)
					wanted, _ := errors.AsType[*topdown.Error](wantErr)
					if own.Code != wanted.Code || !strings.HasPrefix(wanted.Message, own.Message) || own.Location.Row != wanted.Location.Row {
						t.Errorf("error %v, want %v", err, wantErr)
					}
				}
			}
		})
	}
}

func TestBudget(t *testing.T) {
	endless := "p := count([1 | some x in numbers.range(1, 1000); some y in numbers.range(1, 1000); x == y])"
	program, evaluator := compiled(t, endless, Options{Steps: 5000}), new(Evaluator)
	for range 2 {
		if v, err := ask(t.Context(), evaluator, program, Value{}); !errors.Is(err, ErrBudget) {
			t.Errorf("got %v and error %v", v, err)
		}
	}
	if v, err := ask(t.Context(), new(Evaluator), compiled(t, endless, Options{Steps: 1e8, Bytes: 1e8}), Value{}); err != nil || v.num != 1000 {
		t.Errorf("got %v and error %v", v, err)
	}
	many := "p := count([[x, y] | some x in numbers.range(1, 1000); some y in numbers.range(1, 1000)])"
	if v, err := ask(t.Context(), new(Evaluator), compiled(t, many, Options{Bytes: 1e6}), Value{}); !errors.Is(err, ErrBudget) {
		t.Errorf("got %v and error %v", v, err)
	}
	doubling := "a0 := concat(\"\", [\"" + strings.Repeat("x", 100) + "\", \"\"])\np := count(a9)\n"
	for i := range 9 {
		n, next := string(rune('0'+i)), string(rune('1'+i))
		doubling += "a" + next + " := concat(\"\", [a" + n + ", a" + n + ", a" + n + ", a" + n + "])\n"
	}
	if v, err := ask(t.Context(), new(Evaluator), compiled(t, doubling, Options{Bytes: 1e6}), Value{}); !errors.Is(err, ErrBudget) {
		t.Errorf("got %v and error %v", v, err)
	}
}

func TestCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	program, evaluator := compiled(t, "p := 1", Options{}), new(Evaluator)
	if v, err := ask(ctx, evaluator, program, Value{}); !topdown.IsCancel(err) {
		t.Errorf("got %v and error %v", v, err)
	}
	if v, err := ask(t.Context(), evaluator, program, Value{}); err != nil || v.num != 1 {
		t.Errorf("got %v and error %v", v, err)
	}
}

func TestStrictBuiltins(t *testing.T) {
	rules := "p if { not q }\nq if 1 / input.a == 1"
	if v, err := ask(t.Context(), new(Evaluator), compiled(t, rules, Options{}), value(t, `{"a": 0}`)); err != nil || !v.IsTrue() {
		t.Errorf("got %v and error %v", v, err)
	}
	v, err := ask(t.Context(), new(Evaluator), compiled(t, rules, Options{StrictBuiltins: true}), value(t, `{"a": 0}`))
	if own, ok := errors.AsType[*topdown.Error](err); !ok || own.Code != topdown.BuiltinErr || own.Message != "div: divide by zero" {
		t.Errorf("got %v and error %v", v, err)
	}
}

func TestUnsupported(t *testing.T) {
	compiler := ast.NewCompiler()
	compiler.Compile(nil)
	policy := &ir.Policy{Plans: &ir.Plans{Plans: []*ir.Plan{{Name: "q", Blocks: []*ir.Block{{Stmts: []ir.Stmt{
		&ir.CallStmt{Func: "no.such", Result: 2},
	}}}}}}}
	_, err := Compile(policy, "q", Options{})
	if unsupported, ok := errors.AsType[*UnsupportedError](err); !ok || unsupported.What != "built-in function no.such" {
		t.Errorf("error %v", err)
	}
	if _, err := Compile(policy, "r", Options{}); err == nil {
		t.Error("no error")
	}
}

// TestInputUnchanged looks for rules that change what they were given.
func TestInputUnchanged(t *testing.T) {
	const text = `{"a": {"b": {"c": 1}}, "s": {1, 2}}`
	input := value(t, text)
	rules := "p.x := input.a\np[k].y[z] := 2 if { some k in [\"v\", \"w\"]; z := \"b\" }\n" +
		"p.z := {s | some s in input.s} | {3}\np.u := object.union(input.a, {\"b\": {\"d\": 2}})\np.w1 := w if { w := input with input.a.b.c as 5 }"
	if _, err := ask(t.Context(), new(Evaluator), compiled(t, rules, Options{}), input); err != nil {
		t.Error(err)
	}
	if !Equal(input, value(t, text)) {
		t.Errorf("the input is now %v", input)
	}
}
