package plan

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
)

// statement executes one statement on the locals of all functions. It returns next, or
// where to go on: the number of blocks to leave beside the current one, returned, or
// aborted.
type statement func(e *Evaluator, f []Value) int

const (
	next     = -1
	stop     = 0       // leave the current block: something is undefined
	returned = 1 << 20 // leave the function
	aborted  = 1 << 21 // leave the evaluation: Evaluator.err says why
)

// leave is the code for outside of a block whose last statement returned code,
// which is not next.
func leave(code int) int {
	if code >= returned {
		return code
	}
	return code - 1 // next, for stop
}

// compiler compiles one function, or the query.
type compiler struct {
	program *Program
	policy  *ir.Policy
	fn      *function
	slots   map[ir.Local]int // where locals are, see local
	nodes   map[int]*Node    // what is there if the input is Program.input
	err     error            // the first one

	facts     *facts
	constants map[ir.Local]Value    // locals that fold has found out about
	same      map[ir.Local]ir.Local // the same

	// A function whose rules all give the same constant returns with the first
	// that holds: no other can contradict it, and topdown does not evaluate it. So does
	// one that gets its result in one place. returns is the local that has it, or -1.
	constant Value // undefined if it is none
	returns  ir.Local
}

func newCompiler(p *Program, policy *ir.Policy, fn *function) *compiler {
	return &compiler{
		program: p, policy: policy, fn: fn, returns: -1,
		slots: map[ir.Local]int{}, nodes: map[int]*Node{}, constants: map[ir.Local]Value{}, same: map[ir.Local]ir.Local{},
	}
}

// compile makes the function's blocks.
func (c *compiler) compile(blocks []*ir.Block, params []ir.Local, result ir.Local) error {
	if len(params) < documents {
		return &UnsupportedError{"function without the documents"}
	}
	c.place(params[0], inputPlace)
	c.place(params[1], dataPlace)
	for _, param := range params {
		c.fn.params = append(c.fn.params, c.local(param))
	}
	for _, l := range doubtful(blocks, params, result) {
		if l != c.returns { // which nobody reads: whoever would give it a value returns
			c.fn.undefined = append(c.fn.undefined, c.local(l))
		}
	}
	if c.fn.result = -1; result >= 0 {
		c.fn.result = c.local(result)
	}
	c.facts = learn(blocks, params)
	c.fold(blocks)
	if live := c.live(blocks); len(live) == 1 {
		c.fn.body, c.fn.ends = c.statements(live[0]), stop
	} else {
		c.fn.body, c.fn.ends = c.blocks(live), returned
	}
	c.program.locals += len(c.slots)
	return c.err
}

func (c *compiler) blocks(blocks []*ir.Block) []statement {
	list := make([]statement, len(blocks))
	for i, b := range blocks {
		list[i] = c.block(b)
	}
	return list
}

// block makes one statement of a block: a break out of it goes on behind it.
func (c *compiler) block(b *ir.Block) statement {
	statements := c.statements(b)
	n := len(statements)
	return func(e *Evaluator, f []Value) int {
		if e.fuel -= n; e.fuel < 0 {
			if code := e.refuel(); code != next {
				return code
			}
		}
		for _, s := range statements {
			if code := s(e, f); code != next {
				return leave(code)
			}
		}
		return next
	}
}

func (c *compiler) statements(b *ir.Block) []statement {
	if b == nil {
		return nil
	}
	list := make([]statement, 0, len(b.Stmts))
	literals := c.literals(b)
	for i := 0; i < len(b.Stmts); i++ {
		s := b.Stmts[i]
		if c.folded(s) {
			continue
		}
		if l := literals[s]; l != nil {
			if s == l.last {
				list = append(list, l.compile(c))
			}
			continue
		}
		if i+1 < len(b.Stmts) {
			both := c.condition(s, b.Stmts[i+1])
			if both == nil {
				both = c.path(s, b.Stmts[i+1])
			}
			if both != nil {
				list = append(list, both)
				i++
				continue
			}
		}
		if compiled := c.statement(s); compiled != nil {
			list = append(list, compiled)
		}
	}
	return list
}

// unsupported records what cannot be compiled.
func (c *compiler) unsupported(format string, args ...any) statement {
	if c.err == nil {
		c.err = &UnsupportedError{fmt.Sprintf(format, args...)}
	}
	return nil
}

// The first arguments of all functions are the documents, which have the same places in
// all of them: only statements that are evaluated with others change these, for a while.
const (
	inputPlace = iota
	dataPlace
	documents
)

// local is the place of a local among those of all functions, none of which calls itself.
func (c *compiler) local(l ir.Local) int {
	slot, ok := c.slots[l]
	if !ok {
		slot = c.program.locals + len(c.slots)
		c.place(l, slot)
	}
	return slot
}

// place gives a local a place.
func (c *compiler) place(l ir.Local, slot int) {
	c.slots[l] = slot
	if node := c.fn.nodes[l]; node != nil {
		c.nodes[slot] = node
	}
}

// operand is a local, or a constant with a local of -1.
type operand struct {
	local    int
	constant Value
}

func (o *operand) isConstant() bool { return o.local < 0 }

// value is the operand's value, which may be a node.
func (o *operand) value(f []Value) Value {
	if o.local < 0 {
		return o.constant
	}
	return f[o.local]
}

// whole is the operand's value, built if it is a node.
func (o *operand) whole(e *Evaluator, f []Value) Value {
	if o.local < 0 {
		return o.constant
	}
	v := &f[o.local]
	if v.kind == kindNode {
		return e.whole(*v)
	}
	return *v
}

// operand reads an operand. Policies that were read from JSON have pointers
// where the planner has values.
func (c *compiler) operand(o ir.Operand) operand {
	switch v := o.Value.(type) {
	case ir.Local:
		return c.read(v)
	case *ir.Local:
		return c.read(*v)
	case ir.Bool:
		return operand{-1, Bool(bool(v))}
	case *ir.Bool:
		return operand{-1, Bool(bool(*v))}
	case ir.StringIndex:
		return operand{-1, String(c.text(int(v)))}
	case *ir.StringIndex:
		return operand{-1, String(c.text(int(*v)))}
	}
	c.unsupported("operand %T", o.Value)
	return operand{}
}

// read is the operand that a local stands for.
func (c *compiler) read(l ir.Local) operand {
	l = c.original(l)
	if v, ok := c.constants[l]; ok {
		return operand{-1, v}
	}
	return operand{local: c.local(l)}
}

// original is the local that l is a copy of, or l itself.
func (c *compiler) original(l ir.Local) ir.Local {
	for {
		other, ok := c.same[l]
		if !ok {
			return l
		}
		l = other
	}
}

func (c *compiler) operands(list []ir.Operand) []operand {
	operands := make([]operand, len(list))
	for i := range list {
		operands[i] = c.operand(list[i])
	}
	return operands
}

// text is a string constant of the policy.
func (c *compiler) text(i int) string {
	if c.policy.Static == nil || i < 0 || i >= len(c.policy.Static.Strings) {
		c.unsupported("string %d, which the policy does not have", i)
		return ""
	}
	return c.policy.Static.Strings[i].Value
}

// location is where a statement comes from, for errors.
func (c *compiler) location(l *ir.Location) *ast.Location {
	loc := &ast.Location{Row: l.Row, Col: l.Col, Text: []byte(l.Text)}
	if s := c.policy.Static; s != nil && l.File >= 0 && l.File < len(s.Files) {
		loc.File = s.Files[l.File].Value
	}
	return loc
}
