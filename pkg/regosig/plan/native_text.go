package plan

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// texts makes a built-in of a test of two strings.
func texts(holds func(a, b string) bool) func(*Evaluator, []Value) Value {
	return func(_ *Evaluator, args []Value) Value {
		if args[0].kind != kindString || args[1].kind != kindString {
			return Value{}
		}
		return Bool(holds(args[0].str(), args[1].str()))
	}
}

// anyAffix makes a built-in of the test whether any of some texts has one of others as
// its affix.
func anyAffix(has func(text, affix string) bool) func(*Evaluator, []Value) Value {
	return func(_ *Evaluator, args []Value) Value {
		texts, affixes := args[0:1], args[1:2]
		if args[0].kind != kindString {
			texts = args[0].elements()
		}
		if args[1].kind != kindString {
			affixes = args[1].elements()
		}
		if len(texts) == 0 || len(affixes) == 0 || !allStrings(texts) || !allStrings(affixes) {
			return Value{}
		}
		for i := range texts {
			for j := range affixes {
				if has(texts[i].str(), affixes[j].str()) {
					return Bool(true)
				}
			}
		}
		return Bool(false)
	}
}

func allStrings(list []Value) bool {
	for i := range list {
		if list[i].kind != kindString {
			return false
		}
	}
	return true
}

// maxRegexes bounds the patterns that an Evaluator remembers.
const maxRegexes = 256

func regexMatch(e *Evaluator, args []Value) Value {
	if args[0].kind != kindString || args[1].kind != kindString {
		return Value{}
	}
	pattern := args[0].str()
	regex := e.regexes[pattern]
	if regex == nil {
		var err error
		if regex, err = regexp.Compile(pattern); err != nil {
			return Value{}
		}
		if len(e.regexes) == maxRegexes || e.regexes == nil {
			e.regexes = map[string]*regexp.Regexp{}
		}
		e.regexes[pattern] = regex
	}
	return Bool(regex.MatchString(args[1].str()))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func indexOf(_ *Evaluator, args []Value) Value {
	if args[0].kind != kindString || args[1].kind != kindString || args[1].str() == "" ||
		!isASCII(args[0].str()) || !isASCII(args[1].str()) {
		return Value{}
	}
	return Int(int64(strings.Index(args[0].str(), args[1].str())))
}

func substring(_ *Evaluator, args []Value) Value {
	text, start, length := args[0].str(), args[1].num, args[2].num
	if args[0].kind != kindString || args[1].kind != kindInt || args[2].kind != kindInt || start < 0 || !isASCII(text) {
		return Value{}
	}
	if start >= int64(len(text)) {
		return String("")
	}
	text = text[start:]
	if length >= 0 && length < int64(len(text)) {
		text = text[:length]
	}
	return String(text)
}

// cut makes a built-in of a function of two strings that leaves out parts of the first.
func cut(f func(text, what string) string) func(*Evaluator, []Value) Value {
	return func(_ *Evaluator, args []Value) Value {
		if args[0].kind != kindString || args[1].kind != kindString {
			return Value{}
		}
		return String(f(args[0].str(), args[1].str()))
	}
}

func trimSpace(_ *Evaluator, args []Value) Value {
	if args[0].kind != kindString {
		return Value{}
	}
	return String(strings.TrimSpace(args[0].str()))
}

func lower(_ *Evaluator, args []Value) Value {
	if args[0].kind != kindString {
		return Value{}
	}
	return String(strings.ToLower(args[0].str()))
}

func upper(_ *Evaluator, args []Value) Value {
	if args[0].kind != kindString {
		return Value{}
	}
	return String(strings.ToUpper(args[0].str()))
}

func split(e *Evaluator, args []Value) Value {
	text, by := args[0].str(), args[1].str()
	if args[0].kind != kindString || args[1].kind != kindString || by == "" && !isASCII(text) {
		return Value{}
	}
	parts := e.collect(kindArray)
	for part := range strings.SplitSeq(text, by) {
		parts.ref().vals = append(parts.ref().vals, String(part))
	}
	return parts
}

func concat(_ *Evaluator, args []Value) Value {
	if args[0].kind != kindString || args[1].kind != kindArray && args[1].kind != kindSet {
		return Value{}
	}
	if args[1].kind == kindSet {
		args[1].ref().sort()
	}
	elements := args[1].elements()
	size := 0
	for i := range elements {
		if elements[i].kind != kindString {
			return Value{}
		}
		size += len(elements[i].str()) + len(args[0].str())
	}
	var text strings.Builder
	text.Grow(size)
	for i := range elements {
		if i > 0 {
			text.WriteString(args[0].str())
		}
		text.WriteString(elements[i].str())
	}
	return String(text.String())
}

func sprintf(_ *Evaluator, args []Value) Value {
	if args[0].kind != kindString || args[1].kind != kindArray {
		return Value{}
	}
	list := make([]any, len(args[1].ref().vals))
	for i, v := range args[1].ref().vals {
		switch v.kind {
		case kindInt:
			list[i] = v.num
		case kindString:
			list[i] = v.str()
		default:
			return Value{}
		}
	}
	return String(fmt.Sprintf(args[0].str(), list...))
}
