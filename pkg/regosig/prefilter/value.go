package prefilter

import (
	"math"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// value is a scalar of the document, or that there is none.
type value struct {
	kind   kind
	number int64 // also of a boolean: 0 or 1
	text   string
}

type kind uint8

const (
	undefined kind = iota
	boolean
	number
	text
	unnamed // a text that is written with digits, as what has no name is
	unknown // there, but not known here: a number beyond 63 bits, say
)

func ofBool(b bool) value {
	if b {
		return value{kind: boolean, number: 1}
	}
	return value{kind: boolean}
}

func ofInt[T int | int32 | int64 | uint16 | uint32](n T) value {
	return value{kind: number, number: int64(n)}
}

func ofUint(n uint64) value {
	if n > math.MaxInt64 {
		return value{kind: unknown}
	}
	return value{kind: number, number: int64(n)}
}

func ofText(s string) value { return value{kind: text, text: s} }

// truthy tells whether an expression that is v alone holds.
func (v value) truthy() bool {
	return v.kind != undefined && (v.kind != boolean || v.number == 1)
}

// constant is the value of a scalar term.
func constant(t *ast.Term) (v value, ok bool) {
	switch c := t.Value.(type) {
	case ast.Boolean:
		return ofBool(bool(c)), true
	case ast.String:
		return ofText(string(c)), true
	case ast.Number:
		if n, whole := c.Int64(); whole {
			return ofInt(n), true
		}
	}
	return value{}, false
}

const digits = "0123456789"

// comparison is an operator of Rego.
type comparison uint8

const (
	equal comparison = iota
	notEqual
	less
	lessOrEqual
	greater
	greaterOrEqual
	isTruthy // of one value: it holds as an expression that is the value alone
)

var comparisons = map[string]comparison{
	"eq": equal, "equal": equal, "neq": notEqual, "lt": less, "lte": lessOrEqual, "gt": greater, "gte": greaterOrEqual,
}

// signs are the comparisons in words.
var signs = map[comparison]string{
	equal: "=", notEqual: "!=", less: "<", lessOrEqual: "<=", greater: ">", greaterOrEqual: ">=",
}

// holds tells whether a op b holds, as Rego decides it. Where that is not known
// here it is true.
func (op comparison) holds(a, b value) bool {
	switch {
	case op == isTruthy:
		return a.truthy()
	case a.kind == undefined || b.kind == undefined:
		return false
	case a.kind == unknown || b.kind == unknown:
		return true
	case a.kind == unnamed || b.kind == unnamed:
		return op != equal || a.kind != b.kind && strings.ContainsAny(a.text+b.text, digits)
	case a.kind != b.kind: // Rego has an order of types, too
		return op != equal
	}
	if a.kind == text {
		return op.orders(int64(strings.Compare(a.text, b.text)), 0)
	}
	return op.orders(a.number, b.number)
}

// orders tells whether a op b holds for numbers.
func (op comparison) orders(a, b int64) bool {
	switch op {
	case equal:
		return a == b
	case notEqual:
		return a != b
	case less:
		return a < b
	case lessOrEqual:
		return a <= b
	case greater:
		return a > b
	default:
		return a >= b
	}
}
