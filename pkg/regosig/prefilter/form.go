package prefilter

import (
	"math"

	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// form is what a condition says, as data: of a field, that op holds between it and
// any of the values, or another field.
type form struct {
	field   string // as fieldOf names it; "" if nothing is known
	mask    uint64 // bits of it
	op      comparison
	values  []value
	other   string // a field in place of values
	negated bool
}

const allBits = math.MaxUint64

// formOf is the form of a comparison.
func formOf(op comparison, left, right operand) form {
	if left.constant != nil {
		left, right, op = right, left, mirrored[op]
	}
	if right.constant == nil {
		return form{field: left.name, mask: left.mask & right.mask, op: op, other: right.name}
	}
	return form{field: left.name, mask: left.mask, op: op, values: []value{*right.constant}}
}

// span is the numbers between which op holds for a constant, or outside which. ok is
// false if there is no such number, or nothing is known of it.
func (op comparison) span(v value) (t pushdown.Test, ok bool) {
	t = pushdown.Test{Low: math.MinInt64, High: math.MaxInt64}
	if v.kind != number {
		return t, false
	}
	n := v.number
	switch op {
	case equal, notEqual:
		t.Low, t.High, t.Outside = n, n, op == notEqual
	case less:
		t.High = n - 1
		return t, n > math.MinInt64
	case lessOrEqual:
		t.High = n
	case greater:
		t.Low = n + 1
		return t, n < math.MaxInt64
	case greaterOrEqual:
		t.Low = n
	default:
		return t, false
	}
	return t, true
}
