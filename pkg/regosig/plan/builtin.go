package plan

import (
	"errors"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"
)

// maxArgs bounds the arguments of a built-in.
const maxArgs = 8

// builtin compiles the call of a built-in. Where there is a function of our own
// for it, that comes first; what it does not know, topdown's answers.
func (c *compiler) builtin(s *ir.CallStmt, args []operand, result int) statement {
	general := c.topdown(s, args, result)
	if general == nil || c.program.options.Builtins[s.Func] != nil {
		return general
	}
	if s.Func == ast.Count.Name && len(args) == 1 {
		return countOf(args[0], result, general)
	}
	if kinds := typeChecks[s.Func]; kinds != nil && len(args) == 1 {
		return typeCheck(args[0], kinds, result)
	}
	fast, arity := natives[s.Func].call, natives[s.Func].arity
	if holds := comparisons[s.Func]; holds != nil {
		fast, arity = compared(holds), 2
	}
	if fast == nil || arity != len(args) {
		return general
	}
	native := func(e *Evaluator, f []Value) int {
		list := e.args[:len(args)]
		for i := range args {
			if list[i] = args[i].whole(e, f); !list[i].Defined() {
				return stop
			}
		}
		if v := fast(e, list); v.Defined() {
			return e.made(v, &f[result])
		}
		return general(e, f)
	}
	if s.Func == ast.ObjectFilter.Name {
		return filterOf(args[0], args[1], result, native)
	}
	if number := sprintfOf(s.Func, args, result, native); number != nil {
		return number
	}
	return native
}

// typeChecks are the built-ins that tell whether a value is of some types.
var typeChecks = map[string][]kind{
	ast.IsNumber.Name:  {kindInt, kindNumber},
	ast.IsString.Name:  {kindString},
	ast.IsBoolean.Name: {kindBool},
	ast.IsArray.Name:   {kindArray},
	ast.IsSet.Name:     {kindSet},
	ast.IsObject.Name:  {kindObject},
	ast.IsNull.Name:    {kindNull},
}

// typeCheck compiles one, for which a node need not be built.
func typeCheck(arg operand, kinds []kind, result int) statement {
	return func(_ *Evaluator, f []Value) int {
		v := arg.value(f)
		if !v.Defined() {
			return stop
		}
		f[result] = Bool(slices.Contains(kinds, v.shape()))
		return next
	}
}

// countOf compiles count, for which a node need not be built.
func countOf(arg operand, result int, general statement) statement {
	return func(e *Evaluator, f []Value) int {
		v := arg.value(f)
		if v.kind == kindNode && v.ref().node.isArray() {
			f[result] = Int(int64(v.ref().node.Len(e.source)))
			return next
		}
		if n := e.whole(v).Len(); n >= 0 {
			f[result] = Int(int64(n))
			return next
		}
		return general(e, f)
	}
}

// made stores the result of a built-in, unless it takes too much memory.
func (e *Evaluator) made(v Value, result *Value) int {
	if e.program.options.Bytes > 0 {
		if e.bytes -= v.size(); e.bytes < 0 {
			return e.fail(ErrBudget)
		}
	}
	*result = v
	return next
}

// valueBytes is about what an element of a collection takes.
const valueBytes = 24

// size is about what a value takes beside the Value itself, not counting what is
// in the elements of a collection.
func (v Value) size() int {
	c := v.ref()
	if c == nil {
		return len(v.str())
	}
	return valueBytes * (len(c.keys) + len(c.vals))
}

// textSize is what the texts in a collection take.
func (v Value) textSize() (n int) {
	c := v.ref()
	if c == nil {
		return 0
	}
	for _, list := range [][]Value{c.keys, c.vals} {
		for i := range list {
			n += len(list[i].str())
		}
	}
	return n
}

// topdown compiles the call of a built-in by OPA's own implementation.
func (c *compiler) topdown(s *ir.CallStmt, args []operand, result int) statement {
	implementation, decl := topdown.GetBuiltin(s.Func), ast.BuiltinMap[s.Func]
	if own := c.program.options.Builtins[s.Func]; own != nil {
		implementation, decl = own.Func, own.Decl
	}
	switch {
	case implementation == nil || decl == nil:
		return c.unsupported("built-in function %s", s.Func)
	case len(args) > maxArgs:
		return c.unsupported("built-in function %s with %d arguments", s.Func, len(args))
	}
	location := c.location(&s.Location)
	void := decl.Decl.Result() == nil
	return func(e *Evaluator, f []Value) int {
		list := make([]*ast.Term, len(args))
		for i := range args {
			v := args[i].whole(e, f)
			if !v.Defined() {
				return stop
			}
			list[i] = v.term()
		}
		bctx := e.context()
		bctx.Location = location
		var answer Value
		var all []Value
		err := implementation(*bctx, list, func(t *ast.Term) error {
			if t == nil {
				return nil
			}
			var err error
			if answer, err = FromAST(t.Value); err == nil && decl.Relation {
				all = append(all, answer)
			}
			return err
		})
		switch {
		case err != nil:
			return e.builtinFailed(s.Func, location, err)
		case void:
			return next
		case decl.Relation:
			answer = Array(all)
		case !answer.Defined():
			return stop
		}
		e.bytes -= answer.textSize() // which no other value has yet
		return e.made(answer, &f[result])
	}
}

// builtinFailed is what topdown does with the error of a built-in: only some end
// the evaluation, after the others the result is undefined.
func (e *Evaluator) builtinFailed(name string, location *ast.Location, err error) int {
	if halt, ok := errors.AsType[topdown.Halt](err); ok {
		return e.fail(halt.Err)
	}
	if own, ok := errors.AsType[*topdown.Error](err); ok {
		if topdown.IsCancel(own) {
			return e.fail(own)
		}
		e.builtins = append(e.builtins, own)
		return stop
	}
	// Some of OPA's own built-ins still return it.
	if _, empty := errors.AsType[topdown.BuiltinEmpty](err); empty { //nolint:staticcheck // deprecated for authors of built-ins
		return stop
	}
	code := topdown.BuiltinErr
	if _, operand := errors.AsType[builtins.ErrOperand](err); operand {
		code = topdown.TypeErr
	}
	failure := &topdown.Error{Code: code, Message: name + ": " + err.Error(), Location: location}
	e.builtins = append(e.builtins, failure.Wrap(err))
	return stop
}
