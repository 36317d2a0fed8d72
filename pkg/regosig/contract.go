package regosig

import (
	"cmp"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// The rules by which a package is a signature.
const (
	matchRule    = "match"
	findingsRule = "findings"
	evidenceRule = "evidence"

	traceeMatch    = "tracee_match"
	traceeSelected = "tracee_selected_events"
	traceeMetadoc  = "__rego_metadoc__"
)

// regoPackage is a package with all files that add to it.
type regoPackage struct {
	path    ast.Ref
	modules []*module
	stepped *module // whose METADATA has a correlation with steps, if any
	tracee  *tracee // what it has been loaded as, if it is in Tracee's contract
}

// groupPackages puts files of one package together, ordered by package.
func groupPackages(modules []*module) []*regoPackage {
	byPath := map[string]*regoPackage{}
	for _, m := range modules {
		path := m.path()
		p := byPath[path.String()]
		if p == nil {
			p = &regoPackage{path: path}
			byPath[path.String()] = p
		}
		p.modules = append(p.modules, m)
	}
	return slices.SortedFunc(maps.Values(byPath), func(a, b *regoPackage) int {
		return cmp.Compare(a.path.String(), b.path.String())
	})
}

// narrow tells the files which events the signature is about, if it said so.
func (p *regoPackage) narrow(events event.Set) {
	for _, m := range p.modules {
		if events != 0 {
			m.selects = events
		}
	}
}

// isTracee tells whether Tracee's contract holds for the package.
func (p *regoPackage) isTracee() bool { return p.modules[0].isTracee() }

// isSignature tells whether the package decides about events.
func (p *regoPackage) isSignature() bool {
	if p.isTracee() {
		return p.has(traceeMatch)
	}
	return p.stepped != nil || p.has(matchRule) || p.has(findingsRule)
}

// home is the file of a native signature that has its METADATA.
func (p *regoPackage) home() *module {
	if p.stepped != nil {
		return p.stepped
	}
	return p.defining(matchRule, findingsRule)[0]
}

// has tells whether any file of the package defines the rule.
func (p *regoPackage) has(name string) bool { return len(p.defining(name)) > 0 }

// compiledBy tells whether no file of the package had to be taken out.
func (p *regoPackage) compiledBy(c *ast.Compiler) bool {
	return c != nil && !slices.ContainsFunc(p.modules, func(m *module) bool { return c.Modules[m.name] == nil })
}

// mention is where the package has the text first, or else where its rule is.
func (p *regoPackage) mention(text string, rule *ast.Location) *ast.Location {
	var at *ast.Location
	for _, m := range p.modules {
		ast.WalkTerms(m.Module, func(t *ast.Term) bool {
			if at == nil && t.Value.Compare(ast.String(text)) == 0 {
				at = t.Location
			}
			return at != nil
		})
	}
	return cmp.Or(at, rule)
}

// defining lists the files that have any of the rules.
func (p *regoPackage) defining(names ...string) []*module {
	var list []*module
	for _, m := range p.modules {
		if slices.ContainsFunc(names, func(name string) bool { return len(m.rules(name)) > 0 }) {
			list = append(list, m)
		}
	}
	return list
}

// rules lists the module's rules of a name: match.x and match[y] are of the name
// match.
func (m *module) rules(name string) []*ast.Rule {
	var list []*ast.Rule
	for _, rule := range m.Rules {
		if ref := rule.Head.Ref(); len(ref) > 0 && ref[0].Value.Compare(ast.Var(name)) == 0 {
			list = append(list, rule)
		}
	}
	return list
}

// checkContract reports what keeps a package from being one signature, or a
// library.
func (p *regoPackage) checkContract(ps *problems) {
	if p.isTracee() {
		p.checkTracee(ps)
		return
	}
	p.checkNative(ps)
}

// checkOne reports a package of which several files are signatures.
func (p *regoPackage) checkOne(verdicts []*module, ps *problems) {
	if len(verdicts) > 1 {
		ps.at(verdicts[1].Package.Location, "package %s has a signature in %s already: one signature to a package", p.path, verdicts[0].name)
	}
}
