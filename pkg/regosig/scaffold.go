package regosig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/open-policy-agent/opa/v1/ast"
	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// Scaffold writes a signature and its test below dir, <slug>/<slug>.rego and
// <slug>/<slug>_test.rego, which load and pass as they are. It replaces nothing.
func Scaffold(id, eventName, dir string) (files []string, err error) {
	if !idPattern.MatchString(id) {
		return nil, fmt.Errorf("id %q: an id begins with a letter or a digit, and has only those, dots, hyphens and underscores", id)
	}
	row := event.ByName(eventName)
	if row == nil {
		return nil, fmt.Errorf("there is no event %q; the nearest is %s", eventName, nearest.Name(eventName, event.All.Names()))
	}
	slug := slugOf(id)
	into := filepath.Join(dir, slug)
	if err := os.MkdirAll(into, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of the signature: %w", err)
	}
	quoted, err := yaml.Marshal(id) // true and 7 need quotes to be names
	if err != nil {
		return nil, fmt.Errorf("writing id %s: %w", id, err)
	}
	data := struct{ ID, Event, Package, Name string }{strings.TrimSpace(string(quoted)), row.Name, "signatures." + packageName(id), packageName(id)}
	for _, part := range []struct {
		name string
		text *template.Template
	}{{slug + ".rego", signatureTemplate}, {slug + testSuffix, testTemplate}} {
		var b strings.Builder
		if err := part.text.Execute(&b, data); err != nil {
			return nil, fmt.Errorf("writing signature %s: %w", id, err)
		}
		name := filepath.Join(into, part.name)
		if err := writeNew(name, b.String()); err != nil {
			for _, written := range files {
				err = errors.Join(err, os.Remove(written))
			}
			return nil, err
		}
		files = append(files, name)
	}
	return files, nil
}

// writeNew writes a file that must not be there yet.
func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: nothing was written", printable(name))
	}
	if err != nil {
		return fmt.Errorf("writing a new file: %w", err)
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", printable(name), err), os.Remove(name))
	}
	return nil
}

// slugOf makes a file name of an id.
func slugOf(id string) string { return strings.ReplaceAll(packageName(id), "_", "-") }

// packageName makes the last part of a package's name of an id.
func packageName(id string) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '-' {
			return '_'
		}
		return r
	}, strings.ToLower(id))
	if '0' <= name[0] && name[0] <= '9' || ast.IsKeyword(name) {
		name = "id_" + name
	}
	return name
}

var signatureTemplate = template.Must(template.New("signature").Parse(`# METADATA
# title: TODO what the signature finds, in a few words
# description: |
#   TODO what happens, and why it matters to whoever reads the alert.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/sysvipc.7.html
#     description: TODO a published source for what the signature looks for
# custom:
#   id: {{.ID}}
#   severity: low
#   events: [{{.Event}}]
#   attack: [T1559]
#   false_positives:
#     - TODO benign behaviour that matches, and how to tell it apart.
package {{.Package}}

import data.ipcwarden.call

# TODO What makes the call suspicious. input is one event, as trace --output json
# prints it; "ipcwarden signatures schema" writes down all of its fields.
match if {
	call.succeeded
	input.object.creatorUid != input.effectiveUserId
}

# What the reader of the alert needs to see.
evidence["creator"] := input.object.creatorUid

evidence["caller"] := input.effectiveUserId
`))

var testTemplate = template.Must(template.New("test").Parse(`package {{.Package}}_test

import data.{{.Package}} as signature

# A recorded event serves as well: save a line of trace --output json beside this
# file, as seen.json say, and test with input as data.events.seen.
foreign := {
	"eventName": "{{.Event}}",
	"effectiveUserId": 1000,
	"object": {"creatorUid": 1001},
}

test_foreign_object if {
	signature.match with input as foreign
	signature.evidence == {"creator": 1001, "caller": 1000} with input as foreign
}

test_own_object if {
	not signature.match with input as object.union(foreign, {"object": {"creatorUid": 1000}})
}

test_failed_call if {
	not signature.match with input as object.union(foreign, {"error": "EACCES"})
}

test_without_object if {
	not signature.match with input as object.remove(foreign, ["object"])
}
`))
