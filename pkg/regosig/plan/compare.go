package plan

import (
	"cmp"
	"hash/maphash"
	"math"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Compare orders values as OPA does: by type, then by value; negative if a comes
// first. Values of kindNode must be built before.
func Compare(a, b Value) int { return compare(&a, &b) }

// Equal tells whether two values are the same to Rego: 1 and 1.0 are.
func Equal(a, b Value) bool { return equal(&a, &b) }

// compare is Compare without copying what is compared.
func compare(a, b *Value) int {
	switch {
	case a.kind == kindInt && b.kind == kindInt:
		return cmp.Compare(a.num, b.num)
	case a.kind == kindInt && b.isLong():
		return -b.sign()
	case b.kind == kindInt && a.isLong():
		return a.sign()
	case a.isNumber() && b.isNumber():
		return ast.NumberCompare(a.number(), b.number())
	case a.kind != b.kind:
		return cmp.Compare(a.kind, b.kind)
	}
	switch a.kind {
	case kindBool:
		return cmp.Compare(a.num, b.num)
	case kindString:
		return strings.Compare(a.str(), b.str())
	case kindArray:
		return compareAll(a.ref().vals, b.ref().vals)
	case kindSet:
		return compareAll(a.ref().sort().keys, b.ref().sort().keys)
	case kindObject:
		return compareObjects(a.ref().sort(), b.ref().sort())
	}
	return 0
}

func compareAll(a, b []Value) int {
	for i := range min(len(a), len(b)) {
		if c := compare(&a[i], &b[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func compareObjects(a, b *collection) int {
	for i := range min(len(a.keys), len(b.keys)) {
		if c := compare(&a.keys[i], &b.keys[i]); c != 0 {
			return c
		}
		if c := compare(&a.vals[i], &b.vals[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.keys), len(b.keys))
}

// equal is Equal without copying what is compared.
func equal(a, b *Value) bool {
	if a.kind != b.kind {
		return a.isNumber() && b.isNumber() && compare(a, b) == 0
	}
	switch a.kind {
	case kindBool, kindInt:
		return a.num == b.num
	case kindString:
		return a.str() == b.str()
	}
	if a.ref() != nil {
		if a.ref() == b.ref() {
			return true
		}
		if len(a.ref().keys) != len(b.ref().keys) || len(a.ref().vals) != len(b.ref().vals) {
			return false
		}
	}
	return compare(a, b) == 0
}

func (v *Value) isNumber() bool { return v.kind == kindInt || v.kind == kindNumber }

// isLong tells of a number that it is an integer beyond all those of an int64.
func (v *Value) isLong() bool {
	if v.kind != kindNumber {
		return false
	}
	digits := strings.TrimPrefix(v.str(), "-")
	if len(digits) < len("9223372036854775808") || digits[0] == '0' {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// sign is that of a long number.
func (v *Value) sign() int {
	if v.str()[0] == '-' {
		return -1
	}
	return 1
}

// number is the value as OPA has it.
func (v *Value) number() ast.Number {
	if v.kind == kindInt {
		return ast.Number(strconv.FormatInt(v.num, 10))
	}
	return ast.Number(v.str())
}

var seed = maphash.MakeSeed()

// hash is the same for values that are Equal.
func hash(v Value) uint64 {
	h := uint64(v.kind) * 0x9e3779b97f4a7c15
	switch v.kind {
	case kindBool:
		return h + uint64(v.num)
	case kindInt:
		return hashFloat(float64(v.num))
	case kindNumber:
		f, _ := strconv.ParseFloat(v.str(), 64) // out of range is the infinity of that sign
		return hashFloat(f)
	case kindString:
		return maphash.String(seed, v.str())
	case kindArray:
		for _, e := range v.ref().vals {
			h = h*31 + hash(e)
		}
	case kindSet:
		for _, e := range v.ref().keys {
			h += mix(hash(e))
		}
	case kindObject:
		for i, k := range v.ref().keys {
			h += mix(hash(k)*31 + hash(v.ref().vals[i]))
		}
	}
	return h
}

// hashFloat hashes numbers, of which the nearest float64 is the same if they are.
func hashFloat(f float64) uint64 {
	if f == 0 {
		f = 0 // and not -0
	}
	return mix(math.Float64bits(f))
}

func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	return h ^ h>>33
}
