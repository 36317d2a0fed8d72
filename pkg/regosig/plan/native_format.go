package plan

import (
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// numberFormat is a format of sprintf for one number, such as "0x%08x".
type numberFormat struct {
	before      string
	width, base int
}

// parseFormat reads a format; nil for one of another form.
func parseFormat(format string) *numberFormat {
	before, verb, found := strings.Cut(format, "%")
	if !found {
		return nil
	}
	f := &numberFormat{before: before}
	if len(verb) == len("04o") && verb[0] == '0' && verb[1] >= '1' && verb[1] <= '9' {
		f.width, verb = int(verb[1]-'0'), verb[2:]
	}
	switch verb {
	case "o":
		f.base = 8
	case "d":
		f.base = 10
	case "x":
		f.base = 16
	default:
		return nil
	}
	return f
}

// text is what fmt makes of a number that is not negative.
func (f *numberFormat) text(n int64) string {
	var room, digits [64]byte
	number := strconv.AppendInt(digits[:0], n, f.base)
	b := append(room[:0], f.before...)
	for range f.width - len(number) {
		b = append(b, '0')
	}
	return string(append(b, number...))
}

// textBits is the binary logarithm of the number of formatted numbers that an Evaluator
// remembers: modes and keys are often the same ones.
const textBits = 6

// formatted is a number as text.
type formatted struct {
	format *numberFormat
	number int64
	text   string
}

// format allocates only for a number that is not remembered.
func (e *Evaluator) format(format *numberFormat, n int64) string {
	f := &e.texts[uint64(n+int64(format.base))*0x9e3779b97f4a7c15>>(64-textBits)]
	if f.format != format || f.number != n {
		*f = formatted{format, n, format.text(n)}
	}
	return f.text
}

// sprintfOf compiles sprintf with a constant format for one number; nil for any other
// call. What is not such a number is left to general.
func sprintfOf(name string, args []operand, result int, general statement) statement {
	if name != ast.Sprintf.Name || len(args) != 2 || args[0].constant.kind != kindString {
		return nil
	}
	format := parseFormat(args[0].constant.str())
	if format == nil {
		return nil
	}
	return func(e *Evaluator, f []Value) int {
		if list := args[1].place(f); list.kind == kindArray && len(list.ref().vals) == 1 {
			if n := &list.ref().vals[0]; n.kind == kindInt && n.num >= 0 {
				return e.made(String(e.format(format, n.num)), &f[result])
			}
		}
		return general(e, f)
	}
}
