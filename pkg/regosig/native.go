package regosig

import (
	"context"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/prefilter"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// native is a signature in ipcwarden's own contract.
type native struct {
	metadata *detect.Metadata
	verdict  *query // match, findings, or the steps of a correlation
	filter   *prefilter.Filter
	sequence *sequence    // nil if the kernel cannot follow the steps
	evidence *explanation // of match; nil if the package has none
	overlaps bool         // the package reads which calls were on the same memory
	reads    []string     // fields that the verdict of a correlation may look at, but for a sequence
	many     bool         // the verdict is findings
	stepped  bool         // the verdict is steps
}

// checkNative reports rules that do not have the form that the contract gives
// them.
func (p *regoPackage) checkNative(ps *problems) {
	for _, m := range p.defining(traceeMatch) {
		ps.at(m.rules(traceeMatch)[0].Location, "%s belongs in package tracee.<ID>", traceeMatch)
	}
	verdicts := p.defining(matchRule, findingsRule)
	p.checkOne(verdicts, ps)
	if p.stepped != nil && len(verdicts) > 0 {
		ps.at(verdicts[0].Package.Location, "the steps of the correlation decide: there is no place for %s or %s", matchRule, findingsRule)
	}
	if !p.isSignature() {
		for _, m := range p.modules {
			if a := packageAnnotation(m); a != nil && a.Custom["id"] != nil {
				ps.at(m.Package.Location, "the package has the metadata of a signature, but neither %s nor %s", matchRule, findingsRule)
			}
		}
		return
	}
	for _, m := range p.modules {
		for _, r := range m.rules(matchRule) {
			if !isFlag(r) {
				ps.at(r.Location, "%s must have the form: match if { … }", matchRule)
			}
		}
		for _, r := range m.rules(findingsRule) {
			if r.Head.RuleKind() != ast.MultiValue || len(r.Head.Ref()) > 1 {
				ps.at(r.Location, "%s must have the form: findings contains {…} if { … }", findingsRule)
			}
			if p.has(matchRule) {
				ps.at(r.Location, "a package has either %s or %s", matchRule, findingsRule)
			}
		}
		for _, r := range m.rules(evidenceRule) {
			if r.Head.RuleKind() != ast.SingleValue || len(r.Head.Args) > 0 {
				ps.at(r.Location, "%s must have the form: evidence[key] := value", evidenceRule)
			}
			if !p.has(matchRule) && p.stepped == nil {
				ps.at(r.Location, "%s goes with %s; each element of %s is evidence itself", evidenceRule, matchRule, findingsRule)
			}
		}
	}
}

// newNative prepares the package's rules. The package holds to the contract.
func newNative(p *regoPackage, md *detect.Metadata, compiler *ast.Compiler, caps *ast.Capabilities) (*native, error) {
	s := &native{
		metadata: md, many: p.has(findingsRule), stepped: p.stepped != nil,
		overlaps: p.readsOverlaps(compiler),
	}
	var err error
	s.verdict, s.evidence, err = prepareVerdict(compiler, caps, p.modules[0].Package, p.verdict(), p.has(evidenceRule))
	if err != nil {
		return nil, err
	}
	s.filter = filterOf(compiler, s.verdict.rule, s.many || s.stepped)
	s.sequence = sequenceOf(compiler, s.verdict.rule, md)
	if md.Correlation != nil && s.sequence == nil {
		s.reads = readsOf(compiler, compiler.GetRulesExact(s.verdict.rule))
	}
	return s, nil
}

// Metadata is what the METADATA block says.
func (s *native) Metadata() *detect.Metadata { return s.metadata }

// Filter is what has to be true of an event for Match to find something.
func (s *native) Filter() *sieve.Filter { return s.filter.Sieve() }

// Match evaluates the verdict and, if there is one, what explains it.
func (s *native) Match(ctx context.Context, in *detect.Input, found []detect.Finding) ([]detect.Finding, error) {
	answer, err := s.verdict.answer(ctx, in)
	switch {
	case err != nil || !answer.Defined():
		return found, err
	case s.many:
		return s.appendAll(viewOf(in), found, answer.Elements())
	case s.stepped:
		return s.appendSteps(ctx, in, found, answer.Elements())
	case answer.IsTrue():
		finding, err := s.explained(ctx, in)
		return append(found, finding), err
	case answer.IsFalse():
		return found, nil
	}
	return found, fmt.Errorf("%s is %s, not true or false", s.verdict.rule, kindOf(readable(answer)))
}

// explained is a finding with the evidence. If that cannot be had it is a finding all the
// same: whoever makes a call must not be able to hide it by what the evidence is about.
func (s *native) explained(ctx context.Context, in *detect.Input) (finding detect.Finding, err error) {
	if s.evidence != nil {
		err = s.evidence.explain(ctx, in, &finding)
	}
	return finding, err
}

// appendAll makes each element of findings a finding, but for those that are no objects.
func (s *native) appendAll(v *view, found []detect.Finding, elements []plan.Value) ([]detect.Finding, error) {
	v.findings = v.findings[:0]
	var err error
	for _, element := range elements {
		if !element.IsObject() {
			err = fmt.Errorf("%s has %s, not only objects", s.verdict.rule, kindOf(readable(element)))
			continue
		}
		v.findings = append(v.findings, evidence{object: element})
	}
	for i := range v.findings {
		found = append(found, detect.Finding{Unread: &v.findings[i]})
	}
	return found, err
}

// appendSteps makes each step that holds a finding. They share the evidence.
func (s *native) appendSteps(ctx context.Context, in *detect.Input, found []detect.Finding, steps []plan.Value) ([]detect.Finding, error) {
	if len(steps) == 0 {
		return found, nil
	}
	finding, err := s.explained(ctx, in)
	for _, step := range steps {
		finding.Step, _ = step.AsString() // as stepRule wrote it
		found = append(found, finding)
	}
	return found, err
}

// kindOf names a value's JSON type for an error.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "an array or a set"
	case map[string]any:
		return "an object"
	default:
		return "a number"
	}
}
