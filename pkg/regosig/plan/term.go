package plan

import (
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

// FromAST converts a constant of OPA. The result shares nothing with it but the
// bytes of its strings, and may be used by several evaluations at a time.
func FromAST(value ast.Value) (Value, error) {
	switch v := value.(type) {
	case ast.Null:
		return Null, nil
	case ast.Boolean:
		return Bool(bool(v)), nil
	case ast.Number:
		return Number(string(v)), nil
	case ast.String:
		return String(string(v)), nil
	case *ast.Array:
		elements := make([]Value, v.Len())
		for i := range elements {
			var err error
			if elements[i], err = FromAST(v.Elem(i).Value); err != nil {
				return Value{}, err
			}
		}
		return Array(elements), nil
	case ast.Object:
		object := newObject()
		err := v.Iter(func(key, val *ast.Term) error {
			k, err := FromAST(key.Value)
			if err != nil {
				return err
			}
			member, err := FromAST(val.Value)
			object.ref().put(k, member)
			return err
		})
		object.ref().sort()
		return object.freeze(), err
	case ast.Set:
		set := newSet()
		err := v.Iter(func(t *ast.Term) error {
			element, err := FromAST(t.Value)
			set.ref().add(element)
			return err
		})
		set.ref().sort()
		return set.freeze(), err
	}
	return Value{}, fmt.Errorf("%s is no constant", ast.ValueName(value))
}

// AST converts to OPA's form; nil for undefined.
func (v Value) AST() ast.Value {
	switch v.kind {
	case kindNull:
		return ast.Null{}
	case kindBool:
		return ast.Boolean(v.num != 0)
	case kindInt, kindNumber:
		return v.number()
	case kindString:
		return ast.String(v.str())
	case kindArray:
		return ast.NewArray(terms(v.ref().vals)...)
	case kindSet:
		return ast.NewSet(terms(v.ref().sort().keys)...)
	case kindObject:
		object := ast.NewObjectWithCapacity(len(v.ref().keys))
		for i, key := range v.ref().sort().keys {
			object.Insert(key.term(), v.ref().vals[i].term())
		}
		return object
	}
	return nil
}

func (v Value) term() *ast.Term {
	switch v.kind {
	case kindInt:
		if i := int(v.num); int64(i) == v.num && ast.HasInternedIntNumberTerm(i) {
			return ast.InternedTerm(i)
		}
	case kindBool:
		return ast.InternedTerm(v.num != 0)
	case kindNull:
		return ast.InternedNullTerm
	}
	return ast.NewTerm(v.AST())
}

func terms(values []Value) []*ast.Term {
	list := make([]*ast.Term, len(values))
	for i, v := range values {
		list[i] = v.term()
	}
	return list
}

// JSON converts to what OPA's ast.JSON makes of the value: numbers are
// json.Number, sets arrays, and the keys of objects text.
func (v Value) JSON() (any, error) {
	switch v.kind {
	case kindNull, kindUndefined:
		return nil, nil
	case kindBool:
		return v.num != 0, nil
	case kindInt, kindNumber:
		return json.Number(v.number()), nil
	case kindString:
		return v.str(), nil
	case kindArray:
		return listJSON(v.ref().vals)
	case kindSet:
		return listJSON(v.ref().sort().keys)
	case kindObject:
		members := make(map[string]any, len(v.ref().keys))
		for i, key := range v.ref().keys {
			if key.kind != kindString {
				return ast.JSON(v.AST()) // which makes text of the key
			}
			member, err := v.ref().vals[i].JSON()
			if err != nil {
				return nil, err
			}
			members[key.str()] = member
		}
		return members, nil
	}
	return ast.JSON(v.AST())
}

func listJSON(values []Value) (any, error) {
	list := make([]any, len(values))
	for i := range values {
		var err error
		if list[i], err = values[i].JSON(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// String is the value as Rego writes it.
func (v Value) String() string {
	switch v.kind {
	case kindUndefined:
		return "undefined"
	case kindNode:
		return "input"
	}
	return v.AST().String()
}
