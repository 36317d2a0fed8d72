package regosig

import (
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// stepsRule is the set of the steps that hold for an event. Nobody writes it: it is
// added to a package whose correlation has steps, so that these are evaluated,
// filtered and planned together as one rule.
const stepsRule = "__steps__"

// addSteps adds stepsRule to a package that needs it.
func (p *regoPackage) addSteps(caps *ast.Capabilities, ps *problems) {
	for _, m := range p.modules {
		for _, r := range m.rules(stepsRule) {
			ps.at(r.Location, "%s is a name that ipcwarden gives", stepsRule)
			return
		}
	}
	for _, m := range p.modules {
		steps, stepped := declaredSteps(m, p.has(matchRule) || p.has(findingsRule))
		if !stepped || p.isTracee() {
			continue
		}
		p.stepped = m
		for _, name := range steps {
			for _, defining := range p.defining(name) {
				step := defining.rules(name)[0]
				if !isFlag(step) {
					continue // reported with the metadata
				}
				r := stepRule(m, name, step.Location, caps)
				if r != nil && !slices.ContainsFunc(m.rules(stepsRule), func(have *ast.Rule) bool { return have.Equal(r) }) {
					m.Rules = append(m.Rules, r)
				}
			}
		}
		return // OPA refuses a second METADATA for the package
	}
}

// declaredSteps lists the steps that the METADATA of a module names, without looking
// whether they are right.
func declaredSteps(m *module, decided bool) (steps []string, stepped bool) {
	a := packageAnnotation(m)
	if a == nil {
		return nil, false
	}
	correlation, _ := a.Custom["correlation"].(map[string]any)
	typ, _ := correlation[typeKey].(string)
	list, _ := correlation[stepsKey].([]any)
	temporal := typ == string(detect.Temporal) || typ == string(detect.TemporalOrdered)
	if !temporal && (decided || len(list) == 0) {
		return nil, false
	}
	for _, step := range append(list, correlation[untilKey]) {
		if name, ok := step.(string); ok {
			steps = append(steps, name)
		}
	}
	return steps, true
}

// stepRule is the rule that makes a step an element of stepsRule. It lies where the
// step does.
func stepRule(m *module, name string, at *ast.Location, caps *ast.Capabilities) *ast.Rule {
	text := m.Package.String() + strings.Repeat("\n", max(at.Row-1, 1)) + stepsRule + " contains " + strconv.Quote(name) + " if " + name
	parsed, err := parseAs(file{name: at.File, text: text}, ast.RegoV1, caps)
	if err != nil || len(parsed.Rules) != 1 {
		return nil // no name of a rule: reported with the metadata
	}
	rule := parsed.Rules[0]
	rule.Module = m.Module
	return rule
}

// authored is the module without what was added to it, which no test reaches.
func (m *module) authored() *ast.Module {
	if len(m.rules(stepsRule)) == 0 {
		return m.Module
	}
	own := *m.Module
	own.Rules = slices.DeleteFunc(slices.Clone(m.Rules), func(r *ast.Rule) bool { return slices.Contains(m.rules(stepsRule), r) })
	return &own
}

// ruleNames lists the names of the rules that the author wrote.
func (p *regoPackage) ruleNames() []string {
	var names []string
	for _, m := range p.modules {
		for _, r := range m.Rules {
			if v, ok := r.Head.Ref()[0].Value.(ast.Var); ok && v != stepsRule && !slices.Contains(names, string(v)) {
				names = append(names, string(v))
			}
		}
	}
	return names
}

// isFlag tells whether a rule has the form of match: it holds, or it does not.
func isFlag(r *ast.Rule) bool {
	return r.Head.RuleKind() == ast.SingleValue && len(r.Head.Ref()) == 1 && len(r.Head.Args) == 0
}
