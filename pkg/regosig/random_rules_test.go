package regosig

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// TestRandomRules holds plans to the answers of topdown for rules that nobody
// would write.
func TestRandomRules(t *testing.T) {
	rules := uint64(2000)
	if testing.Short() {
		rules = 50
	}
	var in detect.Input
	planned, holds := 0, 0
	for seed := range rules {
		g := ruleGenerator{generator: generator{rand.New(rand.NewPCG(seed, 2))}}
		text := g.module()
		compiler, err := ast.CompileModules(map[string]string{"a.rego": text})
		if err != nil {
			continue // unsafe variables, for one
		}
		q, err := prepare(compiler, capabilities(), compiler.Modules["a.rego"].Package, "p")
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if q.program == nil {
			continue
		}
		planned++
		for event := range uint64(4) {
			in.Reset(randomEvent(seed*4 + event))
			if compareWithTopdown(t, judged{q, q.onEvent}, &in, seed) {
				holds++
			}
		}
		if t.Failed() {
			t.Fatal(text)
		}
	}
	t.Logf("%d rules, of which %d are planned, held %d times", rules, planned, holds)
}

// ruleGenerator writes a package with a rule p.
type ruleGenerator struct {
	generator
	variables []string
	rules     []string // that can be used without recursion
	depth     int
}

func (g *ruleGenerator) module() string {
	var b strings.Builder
	g.rules = []string{"c", "k"}
	fmt.Fprintf(&b, "package a\nc := %s\nk := {%s, 7}\n", g.constant(), g.constant())
	fmt.Fprintf(&b, "h(x) := y if {\ny := x\n%s\n}\nh(x) := %s if {\n%s\n}\n", g.body("x", "y"), g.constant(), g.body("x"))
	g.rules = append(g.rules, "h(input.returnValue)", "h(input.via)")
	fmt.Fprintf(&b, "s contains x if {\nx := %s\n%s\n}\n", g.scalar(), g.body())
	g.rules = append(g.rules, "s", "s[_]")
	fmt.Fprintf(&b, "q if {\n%s\n}\nq if {\n%s\n}\n", g.body(), g.body())
	g.rules = append(g.rules, "q")
	switch g.IntN(4) {
	case 0:
		fmt.Fprintf(&b, "p if {\n%s\n}\np if {\n%s\n}\n", g.body(), g.body())
	case 1:
		fmt.Fprintf(&b, "p := %s if {\n%s\n}\nelse := %s if {\n%s\n}\n", g.constant(), g.body(), g.scalar(), g.body())
	case 2:
		fmt.Fprintf(&b, "default p := false\np := v if {\n%s\nv := [%s, s]\n}\n", g.body(), g.scalar())
	default:
		fmt.Fprintf(&b, "p[name] := v if {\n%s\nname := %s\nv := %s\n}\n", g.body(), g.scalar(), g.scalar())
	}
	return b.String()
}

// body is conditions that may use the variables.
func (g *ruleGenerator) body(variables ...string) string {
	defer func(outer []string) { g.variables = outer }(g.variables)
	g.variables = append(append([]string{}, g.variables...), variables...)
	lines := make([]string, 1+g.IntN(3))
	for i := range lines {
		lines[i] = g.condition()
	}
	return strings.Join(lines, "\n")
}

func (g *ruleGenerator) condition() string {
	g.depth++
	defer func() { g.depth-- }()
	name := fmt.Sprintf("v%d", g.Uint32())
	choice := g.IntN(12)
	if g.depth > 2 {
		choice %= 6
	}
	value, over := g.scalar(), g.collection()
	switch choice {
	case 0, 1:
		return fmt.Sprintf("%s %s %s", g.scalar(), pick(g.generator, "==", "!=", "<", ">=", ">"), g.scalar())
	case 2:
		return fmt.Sprintf("%s in %s", g.scalar(), g.collection())
	case 3:
		return g.scalar()
	case 4:
		return fmt.Sprintf("%s(%s, %q)", pick(g.generator, "startswith", "contains"), g.field(), pick(g.generator, "", "I", "msg", "0x"))
	case 5:
		return pick(g.generator, g.rules...)
	case 6:
		g.variables = append(g.variables, name)
		return fmt.Sprintf("%s := %s", name, value)
	case 7:
		g.variables = append(g.variables, name)
		return fmt.Sprintf("some %s in %s\n%s != 9", name, over, name)
	case 8:
		g.depth += 9 // nothing but an expression
		defer func() { g.depth -= 9 }()
		return "not " + g.condition()
	case 9:
		return fmt.Sprintf("every %s in %s {\n%s\n}", name, over, g.body(name))
	case 10:
		return fmt.Sprintf(pick(g.generator, g.rules...)+" with input.%s as %s", pick(g.generator, "object.mode", "error", "flags", "arg", "memory"), g.scalar())
	default:
		return fmt.Sprintf("count([1 | some %s in %s; %s != 9; %s]) %s 1", name, over, name, g.body(name), pick(g.generator, "<", ">", "=="))
	}
}

func (g *ruleGenerator) constant() string {
	return pick(g.generator, "0", "7", "-1", "384", "true", "false", "null", `"IPC_NOWAIT"`, `"msgsnd"`, `"0x0"`, "1.0", "18446744073709551615", "[1, \"x\"]", "{2, 3}")
}

func (g *ruleGenerator) scalar() string {
	if len(g.variables) > 0 && g.IntN(3) == 0 {
		return pick(g.generator, g.variables...) + pick(g.generator, "", "", ".value", ".arg", ".atEntry.state", ".written", ".changed", "[0]")
	}
	if g.depth++; g.depth > 4 {
		g.depth--
		return g.constant()
	}
	defer func() { g.depth-- }()
	switch g.IntN(9) {
	case 0:
		return g.constant()
	case 1:
		return fmt.Sprintf("bits.and(%s, %s)", g.field(), pick(g.generator, "7", "2", "c"))
	case 2:
		return fmt.Sprintf("count(%s)", g.collection())
	case 3:
		return pick(g.generator, "abs", "upper", "to_number", "is_number") + "(" + g.field() + ")"
	case 4:
		return "(" + g.field() + pick(g.generator, " + ", " - ", " * ", " % ", " / ") + pick(g.generator, g.field(), "7", "0") + ")"
	case 5:
		return pick(g.generator, pick(g.generator, g.rules...), "input.args[1].value", "input.args[_].name", "input.memory[0].address", "input.memory[_].type", "input[\"via\"]")
	default:
		return g.field()
	}
}

func (g *ruleGenerator) field() string {
	return "input." + pick(g.generator, "eventName", "returnValue", "error", "command", "via", "userId", "durationNs", "sleeps", "unfinished",
		"arg.msgflg", "arg.cmd", "arg.shmaddr", "arg.nsops", "object.mode", "object.nsems", "object.created", "object.kind", "object.inKernel.id",
		"ipc.call", "container.id", "executable.path", "processName", "cgroupId", "overlapsOmitted", "stalledNs")
}

func (g *ruleGenerator) collection() string {
	return pick(g.generator, "input.flags", "input.args", "input.arg", "input.memory", "input.overlaps", "input.object", "input.object.inKernel.access",
		"input.memory[_].mappings", "input.memory[0]", "k", "{7, \"msgsnd\", 1}", "["+g.constant()+", "+g.constant()+"]", "{\"k\": "+g.constant()+"}", "{1, {2}}")
}
