package sink

import (
	"strings"
	"testing"
)

func TestTemplateErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "empty",
		`{"a": "{{.x}`:                       "template",
		`{"a": {{if .x}}"{{else}}1{{end}}}`:  "one branch only",
		`{"a": "{{range .x}}"{{end}}`:        "one branch only",
		`{"a": "b}`:                          "does not end",
		`{{define "y"}}1{{end}}{}`:           "cannot define",
		`{{template "x"}}`:                   "",
		`{"a": {{break}}}`:                   "break",
		`{"a" {{.alert}}}`:                   "no JSON",
		`{"a": {{.alert.signature.id.x.y}}}`: "of an alert of type",
		`{"a": {{nope}}}`:                    "nope",
	} {
		if _, err := parseTemplate("x", text, escapeJSON, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}
