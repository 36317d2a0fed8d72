package regosig

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// explainTimeout bounds the evaluation of one signature for one event. Tracing
// is slow, and only an endless loop is that slow.
const explainTimeout = 30 * time.Second

// Workbench is signatures for their author: it loads what Load does, and knows
// besides where everything comes from. The daemon has no use for it.
type Workbench struct {
	loader *loader
}

// Open loads sources as Load does.
func Open(sources ...Source) (*Workbench, error) {
	l, err := loadAll(sources)
	if err != nil {
		return nil, err
	}
	return &Workbench{l}, nil
}

// Signatures lists the signatures in the order of their ids.
func (w *Workbench) Signatures() []detect.Signature { return w.loader.set.Signatures() }

// UnknownSignatureError is an id that no signature has.
type UnknownSignatureError struct {
	ID    string
	Known []string
}

// Error names the id alone: what was meant instead is for the caller to guess.
func (e *UnknownSignatureError) Error() string { return fmt.Sprintf("unknown signature %q", e.ID) }

// find returns a signature, and the package that defines it.
func (w *Workbench) find(id string) (detect.Signature, *regoPackage, error) {
	unknown := &UnknownSignatureError{ID: id}
	for _, s := range w.loader.set.signatures {
		md := s.Metadata()
		if md.ID != id {
			unknown.Known = append(unknown.Known, md.ID)
			continue
		}
		for _, p := range w.loader.packages {
			if p.isSignature() && slices.ContainsFunc(p.modules, func(m *module) bool { return m.name == md.Source }) {
				return s, p, nil
			}
		}
		return nil, nil, fmt.Errorf("signature %s: no package in %s", id, md.Source)
	}
	return nil, nil, unknown
}

// verdict is the name of the rule that decides.
func (p *regoPackage) verdict() string {
	switch {
	case p.isTracee():
		return traceeMatch
	case p.stepped != nil:
		return stepsRule
	case p.has(findingsRule):
		return findingsRule
	default:
		return matchRule
	}
}

// deciding lists the rules that an author wrote to decide.
func (p *regoPackage) deciding() (rules []string) {
	if p.stepped == nil {
		return []string{p.verdict()}
	}
	for _, m := range p.modules {
		for _, r := range m.rules(stepsRule) {
			name, _ := r.Head.Key.Value.(ast.String) // as stepRule wrote it
			rules = append(rules, string(name))
		}
	}
	return rules
}

// File is a Rego file as it was read.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Definition is what there is to know about a signature.
type Definition struct {
	Metadata *detect.Metadata
	Contract string // ipcwarden or tracee
	Package  string // without data
	Verdict  []Place
	Files    []File // all that add to the package, the one with the verdict first

	// Filter says what has to be true of an event for the signature to be evaluated
	// on it: one of these lines.
	Filter []string

	// Kernel says which calls the BPF programs send for the signature's sake: those
	// of which one of these lines is true. It is the part of Filter that they can
	// decide, or all events.
	Kernel []string

	// Correlation says what is looked for among many matches; "" if one is enough.
	Correlation string
}

// Definition describes a signature.
func (w *Workbench) Definition(id string) (*Definition, error) {
	s, p, err := w.find(id)
	if err != nil {
		return nil, err
	}
	d := &Definition{Metadata: s.Metadata(), Contract: "ipcwarden", Package: p.path.String()}
	if p.isTracee() {
		d.Contract = "tracee"
	}
	if c := d.Metadata.Correlation; c != nil {
		d.Correlation = c.String()
	}
	for _, m := range p.modules {
		for _, name := range p.deciding() {
			for _, r := range m.rules(name) {
				if !r.Default {
					d.Verdict = append(d.Verdict, placeOf(r.Location))
				}
			}
		}
		d.Files = append(d.Files, File{m.name, m.text})
	}
	switch s := s.(type) {
	case *native:
		d.Filter, d.Kernel = s.filter.Words(), s.Wanted().Words()
	case *tracee:
		d.Filter, d.Kernel = s.filter.Words(), s.Wanted().Words()
	}
	slices.SortStableFunc(d.Files, func(a, b File) int {
		return boolCompare(b.Name == d.Metadata.Source, a.Name == d.Metadata.Source)
	})
	return d, nil
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// Explanation is why a signature matches an event, or why not.
type Explanation struct {
	Signature string `json:"signature"`
	Event     string `json:"event"`
	File      string `json:"file"` // of the event
	Line      int    `json:"line"`
	Matches   bool   `json:"matches"`
	// NotSelected says why the signature is not evaluated for the event at all.
	NotSelected string           `json:"notSelected,omitempty"`
	Findings    []map[string]any `json:"findings,omitempty"`      // the evidence of each
	Unexplained string           `json:"evidenceError,omitempty"` // why there is none, or not all
	Steps       []string         `json:"steps,omitempty"`         // those of its correlation that the event is
	Bodies      []Attempt        `json:"bodies,omitempty"`        // of the verdict
}

// Explain evaluates a signature for an event, and says what made the difference.
func (w *Workbench) Explain(ctx context.Context, id string, event *Recorded) (*Explanation, error) {
	s, p, err := w.find(id)
	if err != nil {
		return nil, err
	}
	name, err := event.Name()
	if err != nil {
		return nil, err
	}
	x := &Explanation{Signature: id, Event: name, File: event.File, Line: event.Line}
	md := s.Metadata()
	if !slices.Contains(md.Events.Names(), name) {
		x.NotSelected = fmt.Sprintf("the signature is for %s, and this is %s", list(md.Events.Names()), printable(name))
		return x, nil
	}
	if t, ok := s.(*tracee); ok && !t.accepts(name, event.origin()) {
		x.NotSelected = "the signature is not for events of this origin"
		return x, nil
	}
	input, err := event.term()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	e := &evaluator{compiler: w.loader.natives, caps: w.loader.caps}
	if p.isTracee() {
		e.compiler = w.loader.tracees
	}
	return x, x.evaluate(ctx, e, p, input)
}

func (x *Explanation) evaluate(ctx context.Context, e *evaluator, p *regoPackage, input *ast.Term) error {
	rule := func(name string) ast.Ref { return p.modules[0].Package.Path.Append(ast.StringTerm(name)) }
	verdict, defined, err := e.value(ctx, rule(p.verdict()), input, nil)
	if err != nil {
		return err
	}
	if defined {
		if err := x.findings(p, verdict); err != nil {
			return err
		}
	}
	if x.Matches = len(x.Findings) > 0; x.Matches && p.has(evidenceRule) && p.verdict() != findingsRule {
		evidence, defined, err := e.value(ctx, rule(evidenceRule), input, nil)
		object, ok := evidence.(map[string]any)
		switch {
		case err != nil:
			x.Unexplained = err.Error()
		case ok:
			x.Findings[0] = object
		case defined:
			x.Unexplained = fmt.Sprintf("%s is %s, not an object", rule(evidenceRule), kindOf(evidence))
		}
	}
	for _, name := range p.deciding() {
		bodies, err := e.attempts(ctx, rule(name), input)
		if err != nil {
			return err
		}
		x.Bodies = append(x.Bodies, bodies...)
	}
	return nil
}

// findings takes the verdict apart as the signatures' Match does.
func (x *Explanation) findings(p *regoPackage, verdict any) error {
	bad := func(value any, want string) error {
		return fmt.Errorf("data.%s.%s is %s, not %s", p.path, p.verdict(), kindOf(value), want)
	}
	switch v := verdict.(type) {
	case bool:
		if p.verdict() == findingsRule {
			return bad(v, "a set of objects")
		}
		if v {
			x.Findings = append(x.Findings, map[string]any{})
		}
	case map[string]any:
		if p.verdict() != traceeMatch {
			return bad(v, "true or false")
		}
		x.Findings = append(x.Findings, v)
	case []any:
		if p.verdict() == stepsRule {
			for _, step := range v {
				x.Steps = append(x.Steps, fmt.Sprint(step))
			}
			if len(v) > 0 {
				x.Findings = append(x.Findings, map[string]any{})
			}
			return nil
		}
		if p.verdict() != findingsRule {
			return bad(v, "true or false")
		}
		var err error
		for _, element := range v {
			if evidence, ok := element.(map[string]any); ok {
				x.Findings = append(x.Findings, evidence)
			} else {
				err = fmt.Errorf("data.%s.%s has %s, not only objects", p.path, p.verdict(), kindOf(element))
			}
		}
		switch {
		case err != nil && len(x.Findings) == 0:
			return err
		case err != nil:
			x.Unexplained = err.Error()
		}
	default:
		return bad(v, "a verdict")
	}
	return nil
}

// list joins names for a sentence.
func list(names []string) string {
	if len(names) == 0 {
		return "events that ipcwarden does not see"
	}
	return strings.Join(names, ", ")
}

// ErrNoEvent is the answer to a line on which there is no event.
var ErrNoEvent = errors.New("no event")

// Choose picks the event that is on a line of its file; with line 0, the only one.
func Choose(events []Recorded, line int) (*Recorded, error) {
	if line == 0 && len(events) == 1 {
		return &events[0], nil
	}
	if line == 0 {
		return nil, fmt.Errorf("%d events: say which one, by its line", len(events))
	}
	for i := range events {
		if events[i].Line == line {
			return &events[i], nil
		}
	}
	return nil, fmt.Errorf("%w starts on line %d", ErrNoEvent, line)
}
