package regosig

import (
	"fmt"
	"regexp"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// module is a parsed file.
type module struct {
	file
	*ast.Module
	selects event.Set // what the signature is about that the module is part of; all for others
}

// traceeRoot is the package below which Tracee's contract holds.
const traceeRoot = ast.String("tracee")

// path is the package's name without the leading data.
func (m *module) path() ast.Ref { return m.Package.Path[1:] }

// isTracee tells whether the module lies in package tracee or below.
func (m *module) isTracee() bool { return isTracee(m.Module) }

func isTracee(m *ast.Module) bool {
	path := m.Package.Path
	return len(path) > 1 && path[1].Value.Compare(traceeRoot) == 0
}

// parse reads a file as Rego v1, and one in package tracee that is not v1 as
// Rego v0, which is what Tracee's users wrote. OPA remembers each module's
// version and compiles both together.
func parse(f file, caps *ast.Capabilities, ps *problems) *module {
	v1, v1Err := parseAs(f, ast.RegoV1, caps)
	if v1Err == nil {
		return &module{file: f, Module: v1, selects: event.All}
	}
	v0, v0Err := parseAs(f, ast.RegoV0, caps)
	switch {
	case v0Err == nil && isTracee(v0):
		return &module{file: f, Module: v0, selects: event.All}
	case v0Err == nil:
		ps.addError(f.name, v1Err)
		ps.add(f.name, 0, 0, "this is Rego v0, which is only read in package tracee.*")
	case traceeClause.MatchString(f.text) && progress(v0Err) > progress(v1Err):
		// The version whose parser came further is the one the author wrote.
		ps.addError(f.name, v0Err)
	default:
		ps.addError(f.name, v1Err)
	}
	return nil
}

// parseAs turns a panic of the parser into an error: a file must never take the
// daemon down.
func parseAs(f file, version ast.RegoVersion, caps *ast.Capabilities) (m *ast.Module, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("the Rego parser failed: %v", r)
		}
	}()
	return ast.ParseModuleWithOpts(f.name, f.text, ast.ParserOptions{
		Capabilities:      caps,
		RegoVersion:       version,
		ProcessAnnotation: version == ast.RegoV1,
	})
}

// traceeClause finds the package clause in a file that does not parse.
var traceeClause = regexp.MustCompile(`(?m)^\s*package\s+tracee\b`)

// progress is the line of the first error.
func progress(err error) int {
	line := 0
	for i, e := range opaErrors(err) {
		if e.Location != nil && (i == 0 || e.Location.Row < line) {
			line = e.Location.Row
		}
	}
	return line
}
