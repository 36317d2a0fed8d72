package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Origin is where a value comes from. The zero value is the default.
type Origin struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"` // in File, from 1
	Variable string `json:"variable,omitempty"`
	Flag     string `json:"flag,omitempty"`
}

func (o Origin) String() string {
	switch {
	case o.File != "" && o.Line > 0:
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	case o.File != "":
		return o.File
	case o.Variable != "":
		return "$" + o.Variable
	case o.Flag != "":
		return "--" + o.Flag
	default:
		return "default"
	}
}

// Problem is one thing that is wrong, or for a warning, not well.
type Problem struct {
	Origin Origin
	Key    string // empty if it is about all of the origin
	Reason string
}

// String is origin: key: reason; a flag is named like what it sets.
func (p Problem) String() string {
	if p.Key == "" || p.Origin.Flag != "" {
		return p.Origin.String() + ": " + p.Reason
	}
	return p.Origin.String() + ": " + p.Key + ": " + p.Reason
}

// Error is why a configuration is refused.
type Error struct{ Problems []Problem }

// Error has a line for each problem.
func (e *Error) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines has the problems as text.
func (e *Error) Lines() []string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return lines
}

// tidy puts problems in the order of files and lines; others come first, in the
// order in which they were found.
func tidy(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Origin.File, b.Origin.File), cmp.Compare(a.Origin.Line, b.Origin.Line))
	})
	return slices.Compact(problems)
}
