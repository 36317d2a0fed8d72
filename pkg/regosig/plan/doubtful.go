package plan

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ir"
)

// doubtful lists the locals of a function that may be read where nothing was assigned to
// them: only they have to be undefined when the function begins. All others have their
// value before anybody reads them, in the block that does or around it.
func doubtful(blocks []*ir.Block, params []ir.Local, result ir.Local) []ir.Local {
	found := map[ir.Local]bool{}
	if result >= 0 {
		found[result] = true
	}
	var visit func(b *ir.Block, certain map[ir.Local]bool)
	visit = func(b *ir.Block, certain map[ir.Local]bool) {
		if b == nil {
			return
		}
		certain = maps.Clone(certain)
		for _, s := range b.Stmts {
			for _, o := range reads(s) {
				if l, ok := localOf(o); ok && !certain[l] {
					found[l] = true
				}
			}
			inside := certain
			switch s := s.(type) {
			case *ir.AssignVarOnceStmt:
				found[s.Target] = true // looks whether it is defined
			case *ir.ScanStmt:
				inside = maps.Clone(certain)
				inside[s.Key], inside[s.Value] = true, true
			}
			for _, nested := range nestedBlocks(s) {
				visit(nested, inside)
			}
			if target := makes(s); target >= 0 {
				certain[target] = true
			}
		}
	}
	certain := map[ir.Local]bool{}
	for _, p := range params {
		certain[p] = true
	}
	for _, b := range blocks {
		visit(b, certain)
	}
	return slices.Sorted(maps.Keys(found))
}
