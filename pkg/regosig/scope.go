package regosig

import (
	"maps"

	"github.com/open-policy-agent/opa/v1/ast"
)

// scope is one body with what its variables stand for: x in one rule is another variable
// than x in the next. A comprehension, or an every, knows those around it as well.
type scope struct {
	of      any                   // the comprehension, or what else has the body; nil for a rule
	defined map[ast.Var]*ast.Expr // the expression that gives a variable its value
	loops   map[ast.Var]*ast.Term // the list whose elements every gives to a variable
	exprs   []*ast.Expr           // of the body itself
	terms   []*ast.Term           // in these, and in the head
}

// scopesOf lists the scopes of a compiled module.
func scopesOf(m *ast.Module) (list []*scope) {
	for _, rule := range m.Rules {
		for ; rule != nil; rule = rule.Else {
			list = appendScopes(list, &scope{}, nil, rule.Head, rule.Body)
		}
	}
	return list
}

// appendScopes appends the scope of something by its parts, and those within them.
func appendScopes(list []*scope, outer *scope, of any, parts ...any) []*scope {
	s := &scope{of: of, defined: maps.Clone(outer.defined), loops: maps.Clone(outer.loops)}
	list = append(list, s)
	var inner []any
	var visitor *ast.GenericVisitor
	visitor = ast.NewGenericVisitor(func(part any) bool {
		switch part := part.(type) {
		case *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension, *ast.Not:
			inner = append(inner, part)
			return true
		case *ast.Every:
			inner = append(inner, part)
			visitor.Walk(part.Domain)
			return true
		case *ast.Expr:
			s.exprs = append(s.exprs, part)
		case *ast.Term:
			s.terms = append(s.terms, part)
		}
		return false
	})
	for _, part := range parts {
		visitor.Walk(part)
	}
	s.define()
	for _, part := range inner {
		switch part := part.(type) {
		case *ast.ArrayComprehension:
			list = appendScopes(list, s, part, part.Term, part.Body)
		case *ast.SetComprehension:
			list = appendScopes(list, s, part, part.Term, part.Body)
		case *ast.ObjectComprehension:
			list = appendScopes(list, s, part, part.Key, part.Value, part.Body)
		case *ast.Not:
			list = appendScopes(list, s, part, part.Body)
		case *ast.Every:
			if v, ok := part.Value.Value.(ast.Var); ok {
				s.loops = with(s.loops, v, part.Domain)
			}
			list = appendScopes(list, s, part, part.Body)
		}
	}
	return list
}

// define finds what gives variables their values: x = term, and f(…, x).
func (s *scope) define() {
	add := func(t *ast.Term, e *ast.Expr) {
		if v, ok := t.Value.(ast.Var); ok && s.defined[v] == nil {
			s.defined = with(s.defined, v, e)
		}
	}
	for _, e := range s.exprs {
		switch {
		case e.Negated || !e.IsCall():
		case e.IsEquality():
			add(e.Operand(0), e)
			add(e.Operand(1), e)
		default:
			if operands := e.Operands(); len(operands) > 0 {
				add(operands[len(operands)-1], e)
			}
		}
	}
}

// with adds to a map that may not be there yet.
func with[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	if m == nil {
		m = map[K]V{}
	}
	m[key] = value
	return m
}
