package regosig

import (
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// Wanted is the part of the signature's filter that the BPF programs can decide. What
// OPA's interpreter evaluates is evaluated on every event of the signature.
func (s *native) Wanted() pushdown.Set {
	filter := s.filter
	if s.verdict.program == nil {
		filter = nil
	}
	return pushdown.Set{Clauses: filter.Clauses(s.metadata.Events), Overlaps: s.overlaps}
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
