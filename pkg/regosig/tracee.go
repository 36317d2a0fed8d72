package regosig

import (
	"context"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/prefilter"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// tracee is a signature in Tracee's contract.
type tracee struct {
	metadata *detect.Metadata
	verdict  *query
	filter   *prefilter.Filter
	selected map[event.ID]origins
	overlaps bool // the package reads which calls were on the same memory
	unseen   bool // it also selects events that ipcwarden does not have
}

// checkTracee reports packages of which only a part of the contract is there.
func (p *regoPackage) checkTracee(ps *problems) {
	verdicts := p.defining(traceeMatch)
	p.checkOne(verdicts, ps)
	for _, name := range []string{traceeMetadoc, traceeSelected} {
		owners := p.defining(name)
		if len(verdicts) == 0 && len(owners) > 0 {
			ps.at(owners[0].rules(name)[0].Location, "the package has %s, but no %s", name, traceeMatch)
		}
		if len(verdicts) > 0 && len(owners) == 0 {
			ps.at(verdicts[0].Package.Location, "the package has %s, but no %s", traceeMatch, name)
		}
	}
	for _, name := range []string{matchRule, findingsRule} {
		for _, m := range p.defining(name) {
			if a := packageAnnotation(m); a != nil && a.Custom["id"] != nil {
				ps.at(m.rules(name)[0].Location, "%s does not belong in package tracee, where Tracee's contract holds", name)
			}
		}
	}
	for _, m := range verdicts {
		for _, r := range m.rules(traceeMatch) {
			if r.Head.RuleKind() != ast.SingleValue || len(r.Head.Ref()) > 1 || len(r.Head.Args) > 0 {
				ps.at(r.Location, "%s must be true or an object", traceeMatch)
			}
		}
	}
}

// newTracee evaluates what the package says about itself and prepares its
// verdict. It is nil if something is wrong, which is then reported.
func newTracee(p *regoPackage, compiler *ast.Compiler, caps *ast.Capabilities, ps *problems) *tracee {
	m := p.defining(traceeMatch)[0]
	value := func(rule string) (any, *ast.Location) {
		loc := p.defining(rule)[0].rules(rule)[0].Location
		q, err := prepare(compiler, caps, m.Package, rule)
		if err != nil {
			ps.at(loc, "%v", err)
			return nil, loc
		}
		v, defined, err := q.onNothing()
		switch {
		case err != nil:
			ps.at(loc, "%v", err)
		case !defined:
			ps.at(loc, "%s is undefined: it must not depend on the event", rule)
		}
		return v, loc
	}
	before := len(ps.list)
	s := &tracee{
		metadata: &detect.Metadata{Source: m.name}, selected: map[event.ID]origins{},
		overlaps: p.readsOverlaps(compiler),
	}
	if doc, loc := value(traceeMetadoc); doc != nil {
		for _, w := range readMetadoc(s.metadata, doc, loc, ps) {
			ps.warn(m.name, 0, 0, "%s", w)
		}
	}
	if set, loc := value(traceeSelected); set != nil {
		s.selectEvents(p, set, loc, ps)
	}
	var err error
	if s.verdict, err = prepare(compiler, caps, m.Package, traceeMatch); err != nil {
		ps.at(m.Package.Location, "%v", err)
	}
	if len(ps.list) > before {
		return nil
	}
	s.filter = filterOf(compiler, s.verdict.rule, false)
	return s
}

// Metadata is what __rego_metadoc__ says.
func (s *tracee) Metadata() *detect.Metadata { return s.metadata }

// Filter is what has to be true of an event for Match to find something.
func (s *tracee) Filter() *sieve.Filter { return s.filter.Sieve() }

// Match evaluates tracee_match. An empty object is a finding, as it is for
// Tracee.
func (s *tracee) Match(ctx context.Context, in *detect.Input, found []detect.Finding) ([]detect.Finding, error) {
	e := in.Event()
	if id := e.Process.ContainerID; !s.selected[e.ID].has(originOf(id != "", id)) {
		return found, nil
	}
	if v := viewOf(in); s.verdict.runs(v) {
		answer, err := s.verdict.evaluate(ctx, v)
		switch {
		case err != nil || !answer.Defined():
			return found, err
		case answer.IsTrue():
			return append(found, detect.Finding{}), nil
		case answer.IsObject():
			return append(found, detect.Finding{Unread: v.evidence.of(answer)}), nil
		}
	}
	value, defined, err := s.verdict.onEvent(ctx, in)
	if err != nil || !defined {
		return found, err
	}
	switch v := value.(type) {
	case bool:
		if v {
			found = append(found, detect.Finding{})
		}
		return found, nil
	case map[string]any:
		return append(found, detect.Finding{Evidence: v}), nil
	default:
		return found, fmt.Errorf("%s is %s, not true or an object", s.verdict.rule, kindOf(value))
	}
}
