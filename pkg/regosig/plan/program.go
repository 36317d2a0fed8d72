package plan

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Options are what a program needs beside the plan. The zero Options are valid.
type Options struct {
	// Input describes the input; without it, Eval takes a value.
	Input *Node
	// Data is the base document.
	Data Value
	// Steps bounds the statements of one evaluation, and Bytes the memory of the
	// elements that they add to collections and of what built-ins return; 0 is no
	// bound. Both are counted roughly; what a built-in of OPA's uses while it is at
	// work is not.
	Steps, Bytes int
	// StrictBuiltins makes the error of a built-in one of Eval.
	StrictBuiltins bool
	// Builtins are functions that OPA does not have itself, or has otherwise.
	Builtins map[string]*topdown.Builtin
	// Capabilities are those that built-ins are told about; nil for all of OPA's.
	Capabilities *ast.Capabilities
	// Context may fill in what built-ins find in their context.
	Context func(*topdown.BuiltinContext)
}

// prepare completes a context of an evaluation.
func (o *Options) prepare(c *topdown.BuiltinContext) {
	c.Capabilities = o.Capabilities
	if o.Context != nil {
		o.Context(c)
	}
	if c.Seed == nil {
		c.Seed = rand.Reader
	}
	if c.Capabilities == nil {
		c.Capabilities = ast.CapabilitiesForThisVersion()
	}
	if c.Time == nil {
		c.Time = ast.NewTerm(ast.Number(strconv.FormatInt(time.Now().UnixNano(), 10)))
	}
}

// Program is a compiled query. It does not change; each goroutine evaluates it
// with an Evaluator of its own.
type Program struct {
	options Options
	input   *Node
	data    Value
	query   *function
	funcs   []*function
	locals  int // of all functions
	byName  map[string]*function
	byPath  map[string]*function // of those that a path of data leads to
}

// function is a compiled function, or the query.
type function struct {
	name      string
	number    int
	params    []int
	result    int
	undefined []int // locals that have to be undefined when it begins
	memoised  bool
	constant  Value       // of a rule that is one
	load      load        // of a rule that is a part of the input; nil for others
	body      []statement // its blocks, or the statements of the only one
	ends      int         // the code from which on a statement of the body ends it

	// What is probably a node; Program.infer has found it out.
	nodes map[ir.Local]*Node
	given []*Node // arguments
	node  *Node   // the result
}

// Rule is a rule of the policy that a program's query asks for. It does not change.
type Rule struct {
	program  *Program
	function *function
}

// Rule finds the rule at a reference such as data.a.match; nil if the policy has no
// function for it.
func (p *Program) Rule(ref string) *Rule {
	if fn := p.byName[rulePrefix+ref]; fn != nil && len(fn.params) == 2 {
		return &Rule{p, fn}
	}
	return nil
}

// rulePrefix comes before the reference in the name of a rule's function, where the
// rule is not evaluated with another document in place of data.
const rulePrefix = "g0."

// UnsupportedError is returned by Compile for what it cannot compile.
type UnsupportedError struct{ What string }

func (e *UnsupportedError) Error() string { return e.What + " is not supported" }

// Compile compiles the plan called entrypoint. The error is an *UnsupportedError
// where it is not the policy's fault. It must be what OPA's planner made, in which no
// function calls itself, and is not used afterwards.
func Compile(policy *ir.Policy, entrypoint string, options Options) (*Program, error) {
	p := &Program{options: options, input: options.Input, data: options.Data, byName: map[string]*function{}, byPath: map[string]*function{}, locals: documents}
	if !p.data.Defined() {
		p.data = newObject().freeze()
	}
	p.input.prepare()
	if policy.Plans == nil {
		return nil, errors.New("the policy has no plans")
	}
	if policy.Funcs != nil {
		once := calledOnce(policy)
		for i, f := range policy.Funcs.Funcs {
			compiled := &function{name: f.Name, number: i, memoised: len(f.Params) == 2 && !once[f.Name], given: make([]*Node, len(f.Params))}
			apart(f)
			p.funcs = append(p.funcs, compiled)
			p.byName[f.Name] = compiled
			if f.Path != nil {
				p.byPath[strings.Join(f.Path, pathSeparator)] = compiled
			}
		}
		p.infer(policy)
		for i, f := range policy.Funcs.Funcs {
			c := newCompiler(p, policy, p.funcs[i])
			if c.constant, c.returns = constantResult(f); c.returns < 0 {
				c.returns = soleResult(f)
			}
			if err := c.compile(f.Blocks, f.Params, f.Return); err != nil {
				return nil, err
			}
			p.funcs[i].constant = c.constantRule(f)
			p.funcs[i].load = c.loads(f)
		}
	}
	if i := slices.IndexFunc(policy.Plans.Plans, func(q *ir.Plan) bool { return q.Name == entrypoint }); i >= 0 {
		p.query = &function{name: entrypoint}
		p.inferIn(p.query, policy, policy.Plans.Plans[i].Blocks, []ir.Local{ir.Input, ir.Data})
		c := newCompiler(p, policy, p.query)
		return p, c.compile(policy.Plans.Plans[i].Blocks, []ir.Local{ir.Input, ir.Data}, -1)
	}
	return nil, fmt.Errorf("the policy has no plan %q", entrypoint)
}

// pathSeparator joins the path of a function; no name in Rego contains it.
const pathSeparator = "\x00"
