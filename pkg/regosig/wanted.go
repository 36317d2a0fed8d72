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
		var everything *prefilter.Filter
		wanted.Clauses = everything.Clauses(s.metadata.Events)
	case s.sequence != nil:
		wanted.Clauses = s.sequence.clauses(s.metadata.Events)
	default:
		wanted.Clauses = s.filter.Clauses(s.metadata.Events)
	}
	return wanted
}

// sequence is the steps of a correlation of which the kernel can tell whether the first
// one was there.
type sequence struct {
	gate  pushdown.Gate
	first *prefilter.Filter
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
	for _, step := range c.Steps[1:] {
		s.later = append(s.later, filter(step))
	}
	if c.Until != "" {
		s.later = append(s.later, filter(c.Until))
	}
	return s
}

func (s *sequence) clauses(events event.Set) []pushdown.Clause {
	list := s.first.Clauses(events)
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

// readsOverlaps tells whether any rule of the package, or what it is made of, may read
// which calls were on the same memory.
func (p *regoPackage) readsOverlaps(compiler *ast.Compiler) bool {
	seen := map[*ast.Rule]bool{}
	var reads func(rule *ast.Rule) bool
	reads = func(rule *ast.Rule) bool {
		if seen[rule] {
			return false
		}
		seen[rule] = true
		found := mentionsOverlaps(rule)
		for dependency := range compiler.Graph.Dependencies(rule) {
			if other, ok := dependency.(*ast.Rule); ok && !found {
				found = reads(other)
			}
		}
		return found
	}
	for _, m := range p.modules {
		for _, rule := range compiler.Modules[m.name].Rules {
			for r := rule; r != nil; r = r.Else {
				if reads(r) {
					return true
				}
			}
		}
	}
	return false
}

// mentionsOverlaps tells whether a part of a rule names the overlaps of the input, or
// may have them because it names the whole input.
func mentionsOverlaps(part any) (found bool) {
	ast.WalkTerms(part, func(t *ast.Term) bool {
		switch v := t.Value.(type) {
		case ast.Var:
			found = found || v.Equal(ast.InputRootDocument.Value)
		case ast.Ref:
			if !v[0].Equal(ast.InputRootDocument) {
				return found
			}
			if len(v) == 1 {
				found = true
				return true
			}
			field, fixed := v[1].Value.(ast.String)
			found = found || !fixed || field == "overlaps" || field == "overlapsOmitted"
			for _, step := range v[1:] {
				found = found || mentionsOverlaps(step)
			}
			return true
		}
		return found
	})
	return found
}
