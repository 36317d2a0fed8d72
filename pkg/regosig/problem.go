package regosig

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Problem is one reason why signatures could not be loaded.
type Problem struct {
	File   string // as the reader can open it: the source's name and the path below it
	Line   int    // from 1; 0 if the problem is not at one line
	Column int    // from 1; 0 if Line is
	Reason string // one line of at most some kilobytes, without control characters
}

// String is file:line:col: reason, without the parts that are not known.
func (p Problem) String() string {
	at := printable(p.File)
	if p.Line > 0 {
		at += ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
	}
	return at + ": " + p.Reason
}

// LoadError has every problem that a load met, ordered by file and line.
type LoadError struct {
	Problems []Problem
}

// Error is one line per problem.
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong while loading goes on.
type problems struct {
	list   []Problem
	warned []Problem // what is allowed and perhaps not meant
}

func (ps *problems) add(file string, line, column int, format string, args ...any) {
	ps.list = append(ps.list, newProblem(file, line, column, format, args))
}

// warn adds what is no reason to load nothing; line and column may be 0.
func (ps *problems) warn(file string, line, column int, format string, args ...any) {
	ps.warned = append(ps.warned, newProblem(file, line, column, format, args))
}

// maxReason bounds a reason, in which OPA repeats the line of the file, however long it is.
const maxReason = 2000

func newProblem(file string, line, column int, format string, args []any) Problem {
	reason := fmt.Sprintf(format, args...)
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + "…"
	}
	return Problem{file, line, column, printable(reason)}
}

// at adds a problem at a place in a module.
func (ps *problems) at(loc *ast.Location, format string, args ...any) {
	ps.add(loc.File, loc.Row, loc.Col, format, args...)
}

func (ps *problems) warnAt(loc *ast.Location, format string, args ...any) {
	ps.warn(loc.File, loc.Row, loc.Col, format, args...)
}

// addError adds what OPA says is wrong; file is where, unless OPA knows better.
func (ps *problems) addError(file string, err error) {
	for _, e := range opaErrors(err) {
		if e.Location == nil || e.Location.Row == 0 {
			ps.add(file, 0, 0, "%s", readableReason(e))
			continue
		}
		ps.at(e.Location, "%s", readableReason(e))
	}
}

// localVar is a variable that the compiler has made.
var localVar = regexp.MustCompile(regexp.QuoteMeta(ast.LocalVarPrefix) + `\d+__`)

// readableReason is the reason with what its author could have written.
func readableReason(e *ast.Error) string { return localVar.ReplaceAllLiteralString(reason(e), "_") }

// err is nil if there was no problem, and else has all of them, each once.
func (ps *problems) err() error {
	if len(ps.list) == 0 {
		return nil
	}
	return &LoadError{Problems: tidied(ps.list)}
}

// tidied is a list ordered by place, without what is said twice.
func tidied(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Reason, b.Reason))
	})
	return slices.Compact(list)
}

// opaErrors takes apart what OPA returns: one error, or a list of them.
func opaErrors(err error) ast.Errors {
	var list ast.Errors
	if errors.As(err, &list) {
		return list
	}
	var single *ast.Error
	if errors.As(err, &single) {
		return ast.Errors{single}
	}
	return ast.Errors{{Message: err.Error()}}
}

// printable makes text from a user's file safe for a terminal, and one line.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case unprintable(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
