package plan

import (
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// kind is the type of a value. From kindNull on, the order is the one in which
// OPA sorts values of different types.
type kind uint8

const (
	kindUndefined kind = iota
	kindNull
	kindBool
	kindInt    // a number that is an int64, in its shortest form
	kindNumber // any other number; str is its text
	kindString
	kindArray
	kindObject
	kindSet
	kindNode // a part of the input that is read when asked for; ref is its Node's
)

// Value is a Rego value, or undefined, which is the zero Value. Scalars need no
// allocation. A Value does not change once it was handed out: what is changed
// while it is being built is owned by the evaluation that builds it.
//
// It has no more than three words, so that the compiler keeps it in registers: kind tells
// what ptr points to, and what num is.
type Value struct {
	kind kind
	num  int64          // the number or boolean, or the length of the text
	ptr  unsafe.Pointer // to a text, or a *collection
}

// text makes a value of a kind that is a text.
func text(kind kind, s string) Value {
	return Value{kind, int64(len(s)), unsafe.Pointer(unsafe.StringData(s))}
}

// collected makes a value of a kind that is a collection.
func collected(kind kind, c *collection) Value { return Value{kind, 0, unsafe.Pointer(c)} }

// str is the text of a string or a number, "" for all others.
func (v Value) str() string {
	if v.kind != kindString && v.kind != kindNumber {
		return ""
	}
	return unsafe.String((*byte)(v.ptr), v.num)
}

// ref is the collection of an array, an object, a set or a node, nil for all others.
func (v Value) ref() *collection {
	if v.kind < kindArray {
		return nil
	}
	return (*collection)(v.ptr)
}

// Null is Rego's null.
var Null = Value{kind: kindNull}

// Bool makes a boolean.
func Bool(b bool) Value {
	if b {
		return Value{kind: kindBool, num: 1}
	}
	return Value{kind: kindBool}
}

// Int makes a number.
func Int(i int64) Value { return Value{kind: kindInt, num: i} }

// Uint makes a number. It allocates only for one that is no int64.
func Uint(u uint64) Value {
	if i := int64(u); i >= 0 {
		return Int(i)
	}
	return text(kindNumber, strconv.FormatUint(u, 10))
}

// Number makes a number of its text, which must be a JSON number.
func Number(s string) Value {
	if i, ok := shortInt(s); ok {
		return Int(i)
	}
	return text(kindNumber, s)
}

// shortInt reads an integer that is written the way strconv.FormatInt does.
func shortInt(text string) (int64, bool) {
	if text == "" || len(text) > len("-9223372036854775808") {
		return 0, false
	}
	digits := text
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if digits == "" || digits[0] < '0' || digits[0] > '9' || digits[0] == '0' && text != "0" {
		return 0, false
	}
	i, err := strconv.ParseInt(text, 10, 64)
	return i, err == nil
}

// String makes a string. The caller must not change its bytes afterwards.
func String(s string) Value { return text(kindString, s) }

// Array makes an array that takes over elements.
func Array(elements []Value) Value {
	return collected(kindArray, &collection{vals: elements, frozen: true})
}

// Object makes an object, whose keys must differ. It takes over both slices.
func Object(keys, vals []Value) Value {
	object := collected(kindObject, &collection{keys: keys, vals: vals, frozen: true})
	object.ref().sort()
	return object
}

// Defined tells whether there is a value.
func (v Value) Defined() bool { return v.kind != kindUndefined }

// IsTrue tells whether the value is the boolean true.
func (v Value) IsTrue() bool { return v.kind == kindBool && v.num != 0 }

// IsFalse tells whether the value is the boolean false.
func (v Value) IsFalse() bool { return v.kind == kindBool && v.num == 0 }

// IsObject tells whether the value is an object.
func (v Value) IsObject() bool { return v.kind == kindObject }

// AsString returns the text of a string.
func (v Value) AsString() (s string, ok bool) { return v.str(), v.kind == kindString }

// Get is the member of an object at key, the element of an array at the number
// key, or the element key of a set; otherwise undefined.
func (v Value) Get(key Value) Value {
	switch v.kind {
	case kindObject:
		if i := v.ref().find(key); i >= 0 {
			return v.ref().vals[i]
		}
	case kindArray:
		i := key.num
		if key.kind == kindNumber {
			integer := false
			if i, integer = key.number().Int64(); !integer { // 1.0 is one
				return Value{}
			}
		} else if key.kind != kindInt {
			return Value{}
		}
		if i >= 0 && i < int64(len(v.ref().vals)) {
			return v.ref().vals[i]
		}
	case kindSet:
		if v.ref().find(key) >= 0 {
			return key
		}
	}
	return Value{}
}

// Elements are those of an array, or of a set in OPA's order; nil for other values. The
// caller must not change them.
func (v Value) Elements() []Value {
	switch v.kind {
	case kindArray:
		return v.ref().vals
	case kindSet:
		return v.ref().sort().keys
	}
	return nil
}

// Len is the number of elements or characters; -1 for what has none.
func (v Value) Len() int {
	switch v.kind {
	case kindArray:
		return len(v.ref().vals)
	case kindObject, kindSet:
		return len(v.ref().keys)
	case kindString:
		return utf8.RuneCountInString(v.str())
	}
	return -1
}
