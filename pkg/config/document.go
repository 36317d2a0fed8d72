package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

const documentTitle = `# The configuration of ipcwarden run, with every default. Remove the # before a key
# to change it. Files conf.d/*.yaml beside this one are read after it, by their
# names; then the environment, for capture.hook say IPCWARDEN_CAPTURE_HOOK; then
# flags. Mappings are merged, lists replaced; only suppress adds up over the files.
#
#   ipcwarden config check    says what is wrong, with file, line and key
#   ipcwarden config show     says what is in effect, and where it comes from
#
# A secret is file:PATH or env:NAME. A change takes effect at SIGHUP where it says
# (live), and else at the next start. Written by: ipcwarden config default
`

// WriteDefault writes the default file: every key with its description and its
// default, which are comments.
func WriteDefault(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(documentTitle)
	if err := document(&b, "", reflect.ValueOf(Default()).Elem()); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// lineWidth is where comments are broken.
const lineWidth = 100

// document writes the members of a struct. Their lines begin with indent, in
// which there is a # below a name that the operator has to choose.
func document(b *bytes.Buffer, indent string, v reflect.Value) error {
	hidden := "#"
	if strings.Contains(indent, "#") {
		hidden = ""
	}
	for _, f := range fieldsOf(v.Type()) {
		value := v.FieldByIndex(f.index)
		if indent == "" {
			b.WriteString("\n")
		}
		comment(b, indent, f)
		shape := shapeOf(f.typ)
		switch {
		case shape == group:
			fmt.Fprintf(b, "%s%s:\n", indent, f.name)
			if err := document(b, indent+"  ", value); err != nil {
				return err
			}
			continue
		case f.example == "" && shape == mapping && shapeOf(f.typ.Elem()) == group:
			fmt.Fprintf(b, "%s%s:\n%s  %sNAME:\n", indent, f.name, indent, hidden)
			if err := document(b, indent+"  "+hidden+"  ", newValue(f.typ.Elem())); err != nil {
				return err
			}
			continue
		}
		text := f.example
		if !value.IsZero() || text == "" {
			encoded, err := flow(plain(value))
			if err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			text = encoded
		}
		fmt.Fprintf(b, "%s%s%s: %s\n", indent, hidden, f.name, text)
	}
	return nil
}

// comment describes a setting, in lines of a bearable width.
func comment(b *bytes.Buffer, indent string, f field) {
	text := strings.ToUpper(f.doc[:1]) + f.doc[1:]
	if f.enum != nil {
		text += ": " + strings.Join(f.enum, ", ")
	}
	if f.live {
		text += " (live)"
	}
	line := indent + "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > lineWidth {
			b.WriteString(line + "\n")
			line = indent + "#"
		}
		line += " " + word
	}
	b.WriteString(line + ".\n")
}

// flow is a value in one line of YAML.
func flow(value any) (string, error) {
	var n yaml.Node
	if err := n.Encode(value); err != nil {
		return "", err
	}
	n.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&n)
	return strings.TrimSpace(string(text)), err
}

// node is the part of JSON Schema that the configuration needs.
type node struct {
	Schema      string           `json:"$schema,omitempty"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	Type        []string         `json:"type,omitempty"`
	Enum        []string         `json:"enum,omitempty"`
	Default     any              `json:"default,omitempty"`
	Examples    []string         `json:"examples,omitempty"`
	Properties  map[string]*node `json:"properties,omitempty"`
	Additional  any              `json:"additionalProperties,omitempty"`
	Items       *node            `json:"items,omitempty"`
}

// WriteSchema writes the JSON Schema of a file, for editors and other checks.
func WriteSchema(w io.Writer) error {
	n := describe(reflect.TypeFor[Config](), reflect.ValueOf(Default()).Elem())
	n.Schema = "http://json-schema.org/draft-07/schema#"
	n.Title, n.Description = "Configuration", "A configuration file of ipcwarden run."
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(n)
}

// describe describes a type; v is its default, if that is known.
func describe(t reflect.Type, v reflect.Value) *node {
	n := &node{}
	switch shape := shapeOf(t); shape {
	case group:
		n.Type = []string{"object", "null"}
		n.Properties, n.Additional = map[string]*node{}, false
		for _, f := range fieldsOf(t) {
			var value reflect.Value
			if v.IsValid() {
				value = v.FieldByIndex(f.index)
			}
			member := describe(f.typ, value)
			member.Description, member.Enum = f.doc, f.enum
			if f.example != "" && member.Items == nil {
				member.Examples = []string{f.example}
			}
			n.Properties[f.name] = member
		}
		return n
	case mapping:
		n.Type = []string{"object", "null"}
		n.Additional = describe(t.Elem(), newDefaults(t.Elem()))
		return n
	case list:
		n.Type = []string{"array"}
		n.Items = describe(t.Elem(), newDefaults(t.Elem()))
	case text:
		n.Type = []string{"string"}
		if t == reflect.TypeFor[setting.Bytes]() {
			n.Type = []string{"string", "integer"}
		}
	case scalar:
		n.Type = []string{scalarType(t)}
	}
	if v.IsValid() && n.Items == nil && !(v.IsZero() && n.Type[0] == "string") {
		n.Default = plain(v)
	}
	return n
}

// newDefaults is the defaults of what is in a list or under a name of the
// operator; nothing for what is no struct.
func newDefaults(t reflect.Type) reflect.Value {
	if shapeOf(t) != group {
		return reflect.Value{}
	}
	return newValue(t)
}

func scalarType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Float32, reflect.Float64:
		return "number"
	default:
		return "integer"
	}
}
