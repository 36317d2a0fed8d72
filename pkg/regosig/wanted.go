package regosig

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/prefilter"
)

// Wanted is the part of the signature's filter that the BPF programs can decide. What
// OPA's interpreter evaluates is evaluated on every event of the signature.
func (s *native) Wanted() pushdown.Set {
	wanted := pushdown.Set{Overlaps: s.overlaps}
	switch {
	case s.verdict.program == nil:
		wanted.Clauses = unfiltered(s.metadata.Events)
	case s.sequence != nil:
		wanted.Clauses = s.sequence.clauses(s.metadata.Events, s.metadata.Correlation)
	default:
		wanted.Clauses = s.filter.Clauses(s.metadata.Events)
		if c := s.metadata.Correlation; c != nil && c.Type.Counts() && c.Operator.Rises() {
			mayRepeat(wanted.Clauses, s.reads, c)
		}
	}
	return wanted
}

// Wanted is the part of the signature's filter that the BPF programs can decide, as of
// ipcwarden's own.
func (s *tracee) Wanted() pushdown.Set {
	if s.verdict.program == nil {
		return pushdown.Set{Overlaps: s.overlaps, Clauses: unfiltered(s.metadata.Events)}
	}
	return pushdown.Set{Overlaps: s.overlaps, Clauses: s.filter.Clauses(s.metadata.Events)}
}

// unfiltered is the clauses for every event of a set.
func unfiltered(events event.Set) []pushdown.Clause {
	var everything *prefilter.Filter
	return everything.Clauses(events)
}

// mayRepeat tells of clauses how the kernel may count in a flood what repeats of them,
// unless what is read for that is more than the kernel knows.
func mayRepeat(clauses []pushdown.Clause, reads []string, c *detect.Correlation) {
	paths := slices.Concat(reads, c.GroupBy)
	if c.Field != "" {
		paths = append(paths, c.Field)
	}
	for i := range clauses {
		for _, row := range event.Rows() {
			if clauses[i].Events.Has(row.ID) {
				clauses[i].Repeat = prefilter.Repeat(row, paths, c.RepeatSpan())
			}
		}
	}
}

// sequence is the steps of a correlation of which the kernel can tell whether the first
// one was there.
type sequence struct {
	gate  pushdown.Gate
	first *prefilter.Filter
	reads []string            // fields that the first step looks at
	later []*prefilter.Filter // the other steps, and what breaks off
}

// sequenceOf derives it; nil if the correlation has no such steps.
func sequenceOf(compiler *ast.Compiler, verdict ast.Ref, md *detect.Metadata) *sequence {
	c := md.Correlation
	if c == nil || c.Type != detect.TemporalOrdered {
		return nil
	}
	s := &sequence{gate: pushdown.Gate{Signature: md.ID, Step: c.Steps[0], Timespan: c.Timespan}}
	if !slices.Contains(c.GroupBy, "hostThreadId") {
		if s.gate.Process = true; !slices.Contains(c.GroupBy, "hostProcessId") {
			return nil
		}
	}
	filter := func(step string) *prefilter.Filter {
		return filterOf(compiler, verdict.Append(ast.StringTerm(step)), false)
	}
	s.first = filter(c.Steps[0])
	s.reads = readsOf(compiler, compiler.GetRulesExact(verdict[:len(verdict)-1].Append(ast.StringTerm(c.Steps[0]))))
	for _, step := range c.Steps[1:] {
		s.later = append(s.later, filter(step))
	}
	if c.Until != "" {
		s.later = append(s.later, filter(c.Until))
	}
	return s
}

func (s *sequence) clauses(events event.Set, c *detect.Correlation) []pushdown.Clause {
	list := s.first.Clauses(events)
	mayRepeat(list, s.reads, c)
	for i := range list {
		list[i].Opens = []pushdown.Gate{s.gate}
	}
	for _, step := range s.later {
		for _, c := range step.Clauses(events) {
			if !c.Events.Has(event.IPC) { // which opens every gate
				c.Behind = []pushdown.Gate{s.gate}
			}
			list = append(list, c)
		}
	}
	return list
}
