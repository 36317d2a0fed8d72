package regosig

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// readsOf lists the fields of the input that rules, or what they are made of, may look
// at: paths as far as they are constant, "" for the whole input.
func readsOf(compiler *ast.Compiler, rules []*ast.Rule) []string {
	paths := map[string]bool{}
	seen := map[*ast.Rule]bool{}
	var walk func(rule *ast.Rule)
	walk = func(rule *ast.Rule) {
		if seen[rule] {
			return
		}
		seen[rule] = true
		collectReads(rule, paths)
		for dependency := range compiler.Graph.Dependencies(rule) {
			if other, ok := dependency.(*ast.Rule); ok {
				walk(other)
			}
		}
	}
	for _, rule := range rules {
		for r := rule; r != nil; r = r.Else {
			walk(r)
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// collectReads adds the fields that a part of a rule names.
func collectReads(part any, paths map[string]bool) {
	ast.WalkTerms(part, func(t *ast.Term) bool {
		switch v := t.Value.(type) {
		case ast.Var:
			if v.Equal(ast.InputRootDocument.Value) {
				paths[""] = true
			}
		case ast.Ref:
			if !v[0].Equal(ast.InputRootDocument) {
				return false
			}
			var path []string
			for _, step := range v[1:] {
				name, fixed := step.Value.(ast.String)
				if !fixed {
					break
				}
				path = append(path, string(name))
			}
			paths[strings.Join(path, ".")] = true
			for _, step := range v[1:] {
				collectReads(step, paths)
			}
			return true
		}
		return false
	})
}

// readsOverlaps tells whether any rule of the package, or what it is made of, may read
// which calls were on the same memory.
func (p *regoPackage) readsOverlaps(compiler *ast.Compiler) bool {
	var rules []*ast.Rule
	for _, m := range p.modules {
		rules = append(rules, compiler.Modules[m.name].Rules...)
	}
	return slices.ContainsFunc(readsOf(compiler, rules), func(path string) bool {
		first, _, _ := strings.Cut(path, ".")
		return first == "" || first == "overlaps" || first == "overlapsOmitted"
	})
}
