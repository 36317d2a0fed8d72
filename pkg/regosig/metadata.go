package regosig

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// annotationKeys are the keys of a METADATA block that OPA knows.
var annotationKeys = []string{
	"scope", "title", "description", "entrypoint", "organizations",
	"related_resources", "authors", "schemas", "labels", "compile", "custom",
}

// customKeys are the keys that a signature can have under custom.
var customKeys = []string{
	"id", "severity", "events", "attack", "false_positives", "correlation", "version", "tags", "enabled",
}

// idPattern keeps ids fit for file names, metric labels and suppressions.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// techniquePattern is the id of a MITRE ATT&CK technique.
var techniquePattern = regexp.MustCompile(`\bT\d{4}(\.\d{3})?\b`)

// block is the METADATA block above a package clause. OPA has parsed it too,
// but forgets where each key was and drops the keys that it does not know.
type block struct {
	file string
	line int // of its first line of YAML
	root *yaml.Node
	ps   *problems

	correlation *yaml.Node // the value of its key, if that is there
}

// packageAnnotation is the annotation of the module's package, or nil.
func packageAnnotation(m *module) *ast.Annotations {
	for _, a := range m.Annotations {
		if a.Scope == "package" {
			return a
		}
	}
	return nil
}

// readBlock reads the block of a module; nil if it has none or a broken one.
func readBlock(m *module, ps *problems) *block {
	annotation := packageAnnotation(m)
	if annotation == nil {
		ps.at(m.Package.Location, "a signature needs a METADATA block directly above its package")
		return nil
	}
	b := &block{file: m.name, line: annotation.Location.Row + 1, ps: ps}
	var text strings.Builder
	for i, line := range strings.Split(m.text, "\n") {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		switch {
		case i+1 < b.line:
			continue
		case ok:
			text.WriteString(comment + "\n")
			continue
		}
		break
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text.String()), &document); err != nil || len(document.Content) != 1 {
		ps.at(annotation.Location, "the METADATA block is not a YAML mapping")
		return nil
	}
	b.root = document.Content[0]
	return b
}

// problem reports what is wrong at a node. The comment sign, which the YAML
// does not have, shifts columns by one.
func (b *block) problem(n *yaml.Node, format string, args ...any) {
	b.ps.add(b.file, b.line+n.Line-1, n.Column+1, format, args...)
}

// metadata reads what the native signature of a package says about itself.
func (b *block) metadata(p *regoPackage) *detect.Metadata {
	md := &detect.Metadata{Source: b.file}
	seen := map[string]bool{}
	b.each(b.root, annotationKeys, func(key string, value *yaml.Node) {
		seen[key] = true
		switch key {
		case "title":
			md.Title = b.text(key, value)
		case "description":
			md.Description = strings.TrimSpace(b.text(key, value))
		case "related_resources":
			md.References = b.resources(value)
		case "custom":
			b.each(value, customKeys, func(key string, value *yaml.Node) {
				seen["custom."+key] = true
				b.custom(md, "custom."+key, value)
			})
		}
	})
	if b.correlation != nil {
		md.Correlation = b.readCorrelation(b.correlation, p, md.Events)
	}
	for _, key := range []string{"title", "custom.id", "custom.severity", "custom.events"} {
		if !seen[key] {
			b.problem(b.root, "METADATA lacks %s", key)
		}
	}
	return md
}

func (b *block) custom(md *detect.Metadata, key string, value *yaml.Node) {
	switch key {
	case "custom.id":
		if md.ID = b.text(key, value); md.ID != "" && !idPattern.MatchString(md.ID) {
			b.problem(value, "%s %q: only letters, digits, dot, hyphen and underscore are allowed", key, md.ID)
		}
	case "custom.severity":
		name := b.text(key, value)
		severity, err := detect.ParseSeverity(name)
		if err != nil && name != "" {
			b.problem(value, "%s: %v", key, err)
		}
		md.Severity = severity
	case "custom.events":
		md.Events = b.events(key, value)
	case "custom.attack":
		md.Attack = b.list(key, value)
		for i, id := range md.Attack {
			if techniquePattern.FindString(id) != id {
				b.problem(value.Content[i], "%s: %q is not an ATT&CK technique such as T1068 or T1222.002", key, id)
			}
		}
	case "custom.false_positives":
		md.FalsePositives = b.list(key, value)
	case "custom.version":
		md.Version = b.text(key, value)
	case "custom.tags":
		md.Tags = b.list(key, value)
	case "custom.enabled":
		md.Off = !b.boolean(key, value)
	case "custom.correlation":
		b.correlation = value // which is about the events, and these may follow
	}
}

func (b *block) events(key string, value *yaml.Node) event.Set {
	var set event.Set
	names := b.list(key, value)
	if value.Kind == yaml.SequenceNode && len(value.Content) == 0 {
		b.problem(value, "%s is empty", key)
	}
	for i, name := range names {
		row := event.ByName(name)
		if row == nil {
			b.problem(value.Content[i], "%s: there is no event %q; the nearest is %s", key, name, nearest.Name(name, event.All.Names()))
			continue
		}
		set = set.With(row.ID)
	}
	return set
}
