// Package regosig loads, checks, compiles and evaluates signatures written in
// Rego. It knows two contracts: ipcwarden's own, with a METADATA block and the
// rules match and evidence, or findings; and Tracee's, for packages below
// tracee. It and package plan, which evaluates them, are the only importers of OPA.
package regosig

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/rego"
)

// builtinName is what problems and metadata call the files of package rego.
const builtinName = "builtin"

// traceeHelpers is the file of Tracee's own library, of which ipcwarden has one
// by the same functions.
const traceeHelpers = "helpers.rego"

// Builtin is the source of the built-in signatures.
func Builtin() Source { return Source{Name: builtinName, FS: rego.FS, builtin: true} }

// Set is signatures that were loaded together. It does not change.
type Set struct {
	signatures []detect.Signature
	libraries  int
	warnings   []Problem
	interpret  []string
}

// Signatures lists the signatures in the order of their ids. They can be used
// by several goroutines at a time.
func (s *Set) Signatures() []detect.Signature { return slices.Clone(s.signatures) }

// Libraries is the number of packages that are not signatures, those that every
// set has included.
func (s *Set) Libraries() int { return s.libraries }

// Warnings lists what is allowed and perhaps not meant, one line each.
func (s *Set) Warnings() []string { return lines(s.warnings) }

// Interpreted lists the rules that cannot be planned, one line each with the
// reason: OPA's interpreter evaluates them, which takes a hundred times longer.
func (s *Set) Interpreted() []string { return slices.Clone(s.interpret) }

// Load reads every .rego file of the sources but tests and hidden files, and
// compiles them together with the libraries of package rego, so that each can
// import the others. It loads all or nothing: the error is a *LoadError with every
// problem found.
func Load(sources ...Source) (*Set, error) {
	l, err := loadAll(sources)
	if err != nil {
		return nil, err
	}
	return &l.set, nil
}

// loadAll is Load with everything that was made on the way.
func loadAll(sources []Source) (*loader, error) {
	schema, err := inputSchema()
	if err != nil {
		return nil, err
	}
	l := &loader{caps: capabilities(), schema: schema}
	l.read(append([]Source{{Name: builtinName, FS: rego.Library, builtin: true}}, sources...))
	l.build()
	if err := l.err(); err != nil {
		return nil, err
	}
	l.set.warnings = tidied(l.warned)
	slices.SortFunc(l.set.signatures, func(a, b detect.Signature) int {
		return cmp.Compare(a.Metadata().ID, b.Metadata().ID)
	})
	return l, nil
}

// loader has what the steps of Load share.
type loader struct {
	problems
	caps     *ast.Capabilities
	schema   *ast.SchemaSet
	modules  []*module
	complete bool // every file could be parsed
	packages []*regoPackage
	natives  *ast.Compiler
	tracees  *ast.Compiler
	set      Set
}

// read parses the files of all sources.
func (l *loader) read(sources []Source) {
	seen := map[string]bool{}
	l.complete = true
	for _, source := range sources {
		for _, f := range source.read(&l.problems) {
			if seen[f.name] {
				l.add(f.name, 0, 0, "the file is loaded twice")
				continue
			}
			seen[f.name] = true
			m := parse(f, l.caps, &l.problems)
			switch {
			case m == nil:
				l.complete = false
			case l.repeatsLibrary(f):
				// An author's editor has to see the libraries too: schema puts them there.
			case !m.builtin && replacesHelpers(m):
				l.warn(f.name, 0, 0, "skipped in favour of the built-in data.tracee.helpers")
			default:
				l.modules = append(l.modules, m)
			}
		}
	}
}

// repeatsLibrary tells whether a file is a copy of a built-in library.
func (l *loader) repeatsLibrary(f file) bool {
	return !f.builtin && slices.ContainsFunc(l.modules, func(m *module) bool { return m.builtin && m.text == f.text })
}

// replacesHelpers tells of Tracee's own copy of its library.
func replacesHelpers(m *module) bool {
	return m.base == traceeHelpers && m.path().String() == "tracee.helpers"
}

// build makes signatures of the packages.
func (l *loader) build() {
	packages := groupPackages(l.modules)
	metadata := make([]*detect.Metadata, len(packages))
	for i, p := range packages {
		p.addSteps(l.caps, &l.problems)
		p.checkContract(&l.problems)
		switch {
		case !p.isSignature():
			l.set.libraries++
		case !p.isTracee():
			if b := readBlock(p.home(), &l.problems); b != nil {
				metadata[i] = b.metadata(p)
				p.narrow(metadata[i].Events)
			}
		}
	}
	natives, tracees := l.compile(packages)
	l.packages, l.natives, l.tracees = packages, natives, tracees
	for i, p := range packages {
		if p.compiledBy(tracees) && p.has(traceeMatch) && p.has(traceeMetadoc) && p.has(traceeSelected) {
			metadata[i] = l.addTracee(p, tracees)
		}
	}
	l.checkTracees(packages)
	l.checkIDs(metadata)
	if len(l.list) > 0 {
		return
	}
	for i, p := range packages {
		if p.isSignature() && !p.isTracee() {
			l.addNative(p, metadata[i], natives)
		}
	}
}

// compile makes two compilers, as only ipcwarden's own signatures and the libraries are
// held to the schema before it is known which events they are about: Tracee's say so when
// they are evaluated, and may be about events that ipcwarden does not have. They can use
// the same libraries, and the others the built-in one of Tracee.
func (l *loader) compile(packages []*regoPackage) (natives, tracees *ast.Compiler) {
	var checked, unchecked []*module
	for _, p := range packages {
		for _, m := range p.modules {
			if !p.isTracee() || m.builtin {
				checked = append(checked, m)
			}
			if p.isTracee() || !p.isSignature() {
				unchecked = append(unchecked, m)
			}
		}
	}
	natives = compile(checked, l.schema, l.caps, l.complete, &l.problems)
	if len(l.list) == 0 {
		checkReferences(natives, checked, &l.problems)
		checkMeaning(natives, checked, false, &l.problems)
	}
	return natives, compile(unchecked, nil, l.caps, l.complete, &l.problems)
}

func (l *loader) addTracee(p *regoPackage, compiler *ast.Compiler) *detect.Metadata {
	s := newTracee(p, compiler, l.caps, &l.problems)
	if s == nil {
		return nil
	}
	p.narrow(s.metadata.Events)
	p.tracee = s
	l.addSignature(s, s.verdict)
	return s.metadata
}

func (l *loader) addNative(p *regoPackage, md *detect.Metadata, compiler *ast.Compiler) {
	s, err := newNative(p, md, compiler, l.caps)
	if err != nil {
		l.add(md.Source, 0, 0, "%v", err)
		return
	}
	rules := []*query{s.verdict}
	if s.evidence != nil {
		rules = append(rules, s.evidence.query)
	}
	l.addSignature(s, rules...)
}

// addSignature adds a signature to the set, with the rules that it evaluates.
func (l *loader) addSignature(s detect.Signature, rules ...*query) {
	l.set.signatures = append(l.set.signatures, s)
	for _, q := range rules {
		if q.unplanned != nil {
			l.set.interpret = append(l.set.interpret, fmt.Sprintf("%s: %s is evaluated by OPA's interpreter: %s",
				printable(s.Metadata().Source), q.rule, printable(q.unplanned.Error())))
		}
	}
}

// checkIDs reports ids that two signatures have.
func (l *loader) checkIDs(metadata []*detect.Metadata) {
	first := map[string]string{}
	for _, md := range metadata {
		if md == nil || md.ID == "" {
			continue
		}
		if other, taken := first[md.ID]; taken {
			l.add(md.Source, 0, 0, "signature id %s is taken by %s", md.ID, other)
			continue
		}
		first[md.ID] = md.Source
	}
}
