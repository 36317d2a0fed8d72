package plan

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// native is a built-in of our own. It returns undefined for arguments that it
// does not know, an error among them: topdown then has the word.
type native struct {
	arity int
	call  func(_ *Evaluator, args []Value) Value
}

// comparisons tell by the order of two values whether a comparison holds.
var comparisons = map[string]func(int) bool{
	ast.Equal.Name:         func(c int) bool { return c == 0 },
	ast.NotEqual.Name:      func(c int) bool { return c != 0 },
	ast.GreaterThan.Name:   func(c int) bool { return c > 0 },
	ast.GreaterThanEq.Name: func(c int) bool { return c >= 0 },
	ast.LessThan.Name:      func(c int) bool { return c < 0 },
	ast.LessThanEq.Name:    func(c int) bool { return c <= 0 },
}

// natives are the built-ins that need not go through OPA's form of values.
var natives = map[string]native{
	ast.Member.Name:         {2, member},
	ast.MemberWithKey.Name:  {3, memberWithKey},
	ast.Plus.Name:           {2, integers(add)},
	ast.Minus.Name:          {2, minus},
	ast.Multiply.Name:       {2, integers(multiply)},
	ast.Divide.Name:         {2, integers(divide)},
	ast.Rem.Name:            {2, integers(remainder)},
	ast.Abs.Name:            {1, absolute},
	ast.BitsAnd.Name:        {2, integers(func(a, b int64) (int64, bool) { return a & b, true })},
	ast.BitsOr.Name:         {2, integers(func(a, b int64) (int64, bool) { return a | b, true })},
	ast.BitsXOr.Name:        {2, integers(func(a, b int64) (int64, bool) { return a ^ b, true })},
	ast.BitsShiftLeft.Name:  {2, integers(shiftLeft)},
	ast.BitsShiftRight.Name: {2, integers(shiftRight)},
	ast.Sum.Name:            {1, sum},
	ast.Max.Name:            {1, extreme(1)},
	ast.Min.Name:            {1, extreme(-1)},
	ast.StartsWith.Name:     {2, texts(strings.HasPrefix)},
	ast.EndsWith.Name:       {2, texts(strings.HasSuffix)},
	ast.Contains.Name:       {2, texts(strings.Contains)},
	ast.IndexOf.Name:        {2, indexOf},
	ast.Substring.Name:      {3, substring},
	ast.RegexMatch.Name:     {2, regexMatch},
	ast.AnyPrefixMatch.Name: {2, anyAffix(strings.HasPrefix)},
	ast.AnySuffixMatch.Name: {2, anyAffix(strings.HasSuffix)},
	ast.Trim.Name:           {2, cut(strings.Trim)},
	ast.TrimLeft.Name:       {2, cut(strings.TrimLeft)},
	ast.TrimRight.Name:      {2, cut(strings.TrimRight)},
	ast.TrimPrefix.Name:     {2, cut(strings.TrimPrefix)},
	ast.TrimSuffix.Name:     {2, cut(strings.TrimSuffix)},
	ast.TrimSpace.Name:      {1, trimSpace},
	ast.Lower.Name:          {1, lower},
	ast.Upper.Name:          {1, upper},
	ast.Split.Name:          {2, split},
	ast.Concat.Name:         {2, concat},
	ast.ToNumber.Name:       {1, toNumber},
	ast.FormatInt.Name:      {2, formatInt},
	ast.Sprintf.Name:        {2, sprintf},
	ast.And.Name:            {2, intersection},
	ast.Or.Name:             {2, union},
	ast.ArrayConcat.Name:    {2, arrayConcat},
	ast.ArrayReverse.Name:   {1, arrayReverse},
	ast.ObjectGet.Name:      {3, objectGet},
	ast.ObjectUnion.Name:    {2, objectUnion},
	ast.ObjectFilter.Name:   {2, objectFilter},
	ast.ObjectKeys.Name:     {1, objectKeys},
}

func compared(holds func(int) bool) func(*Evaluator, []Value) Value {
	return func(_ *Evaluator, args []Value) Value {
		return Bool(holds(compare(&args[0], &args[1])))
	}
}

func member(_ *Evaluator, args []Value) Value {
	switch in := &args[1]; in.kind {
	case kindSet:
		return Bool(in.ref().find(args[0]) >= 0)
	case kindArray, kindObject:
		for i := range in.ref().vals {
			if equal(&args[0], &in.ref().vals[i]) {
				return Bool(true)
			}
		}
	}
	return Bool(false)
}

func memberWithKey(_ *Evaluator, args []Value) Value {
	key, value, in := args[0], args[1], args[2]
	found := in.Get(key)
	if in.kind == kindSet && !Equal(key, value) {
		return Bool(false)
	}
	return Bool(found.Defined() && Equal(found, value))
}
