package plan

import (
	"math"
	"math/bits"
	"strconv"
)

// integers makes a built-in of a function of integers, which reports false where
// the result is none, or the arguments are an error.
func integers(f func(a, b int64) (int64, bool)) func(*Evaluator, []Value) Value {
	return func(_ *Evaluator, args []Value) Value {
		if args[0].kind != kindInt || args[1].kind != kindInt {
			return Value{}
		}
		if n, ok := f(args[0].num, args[1].num); ok {
			return Int(n)
		}
		return Value{}
	}
}

func add(a, b int64) (int64, bool) {
	n := a + b
	return n, b == 0 || (n > a) == (b > 0)
}

func subtract(a, b int64) (int64, bool) {
	n := a - b
	return n, b == 0 || (n < a) == (b > 0)
}

func multiply(a, b int64) (int64, bool) {
	if a == math.MinInt64 || b == math.MinInt64 {
		return 0, false
	}
	high, low := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
	return a * b, high == 0 && low <= math.MaxInt64
}

// divide is exact. OPA divides greater numbers as floats, and writes them so.
func divide(a, b int64) (int64, bool) {
	if a == 0 || b == 0 || int64(int32(a)) != a || int64(int32(b)) != b || a%b != 0 {
		return 0, false
	}
	return a / b, true
}

func remainder(a, b int64) (int64, bool) {
	if b == 0 {
		return 0, false
	}
	if b == -1 {
		return 0, true // and not an overflow
	}
	return a % b, true
}

func shiftLeft(a, b int64) (int64, bool) {
	if b < 0 || b > 62 {
		return 0, false
	}
	n := a << b
	return n, n>>b == a
}

func shiftRight(a, b int64) (int64, bool) {
	if b < 0 {
		return 0, false
	}
	return a >> min(b, 63), true
}

func minus(e *Evaluator, args []Value) Value {
	if args[0].kind != kindSet || args[1].kind != kindSet {
		return integers(subtract)(e, args)
	}
	difference := e.collect(kindSet)
	for _, element := range args[0].ref().keys {
		if args[1].ref().find(element) < 0 {
			difference.ref().appendKey(element)
		}
	}
	return difference
}

func absolute(_ *Evaluator, args []Value) Value {
	if n := args[0].num; args[0].kind == kindInt && n != math.MinInt64 {
		return Int(max(n, -n))
	}
	return Value{}
}

// elements are those of an array or a set; nil for other values.
func (v Value) elements() []Value {
	switch v.kind {
	case kindArray:
		return v.ref().vals
	case kindSet:
		return v.ref().keys
	}
	return nil
}

func sum(_ *Evaluator, args []Value) Value {
	if args[0].kind != kindArray && args[0].kind != kindSet {
		return Value{}
	}
	total := int64(0)
	for _, element := range args[0].elements() {
		if element.kind != kindInt {
			return Value{}
		}
		sum, ok := add(total, element.num)
		if !ok {
			return Value{}
		}
		total = sum
	}
	return Int(total)
}

// extreme makes max, with a sign of 1, or min, with -1.
func extreme(sign int) func(*Evaluator, []Value) Value {
	return func(_ *Evaluator, args []Value) Value {
		elements := args[0].elements()
		if len(elements) == 0 {
			return Value{}
		}
		best := elements[0]
		for _, element := range elements {
			if element.kind != kindInt && element.kind != kindString {
				return Value{}
			}
			if compare(&element, &best)*sign > 0 {
				best = element
			}
		}
		return best
	}
}

func toNumber(_ *Evaluator, args []Value) Value {
	switch v := args[0]; v.kind {
	case kindNull:
		return Int(0)
	case kindBool:
		return Int(v.num)
	case kindInt:
		return v
	case kindString:
		if i, ok := shortInt(v.str()); ok {
			return Int(i)
		}
	}
	return Value{}
}

func formatInt(_ *Evaluator, args []Value) Value {
	if args[0].kind != kindInt || args[1].kind != kindInt {
		return Value{}
	}
	switch base := args[1].num; base {
	case 2, 8, 10, 16:
		return String(strconv.FormatInt(args[0].num, int(base)))
	}
	return Value{}
}
