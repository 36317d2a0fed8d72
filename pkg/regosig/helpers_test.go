package regosig

import (
	"bytes"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestHelpersMarkdown wants docs/helpers.md to be what make generate writes.
func TestHelpersMarkdown(t *testing.T) {
	want, err := HelpersMarkdown()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/helpers.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/helpers.md is out of date: make generate\nwant\n%s", want)
	}
}

// TestHelpers runs the tests of the libraries, and refuses a helper that no test
// calls, or that says nothing of itself.
func TestHelpers(t *testing.T) {
	report, err := RunTests(t.Context(), TestOptions{Paths: []string{"../../rego/lib/ipcwarden"}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Failed+report.Skipped+len(report.Warnings) > 0 || report.Passed == 0 {
		t.Errorf("failed or skipped: %+v", report)
	}
	libraries, err := helperLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range libraries {
		test, err := os.ReadFile(path.Join("../../rego/lib/ipcwarden", strings.TrimSuffix(m.base, ".rego")+testSuffix))
		if err != nil {
			t.Error(err)
		}
		if a := packageAnnotation(m); a == nil || a.Description == "" {
			t.Errorf("%s has no description", m.name)
		}
		helpers := documented(m)
		if len(helpers) == 0 {
			t.Errorf("%s documents no helper", m.name)
		}
		for _, r := range helpers {
			name := strings.TrimSuffix(m.base, ".rego") + "." + r.Head.Ref().String()
			if r.Annotations[0].Description == "" {
				t.Errorf("%s has no description", name)
			}
			if !regexp.MustCompile(regexp.QuoteMeta(name) + `\b`).Match(test) {
				t.Errorf("no test calls %s", name)
			}
		}
	}
}

// TestHelpersAreFast wants signatures that use helpers to be planned, and to have
// filters that see through them.
func TestHelpersAreFast(t *testing.T) {
	for rule, want := range map[string]string{
		"import data.ipcwarden.mode\nmatch if mode.world_writable(input.object.mode)":         "mode",
		"import data.ipcwarden.flags\nmatch if flags.has_any({\"MSG_COPY\", \"IPC_NOWAIT\"})": "MSG_COPY",
		"import data.ipcwarden.call\nmatch if { input.arg.msgsz == 7; call.succeeded }":       "msgsz",
	} {
		set, err := Load(tree("a.rego", header("A")+"package a\n"+rule))
		if err != nil {
			t.Fatal(err)
		}
		if slow := set.Interpreted(); len(slow) > 0 {
			t.Errorf("%q", slow)
		}
		_, filter := filterAndVerdict(set.Signatures()[0])
		if words := strings.Join(filter.Words(), "\n"); !strings.Contains(words, want) {
			t.Errorf("%s\nfilter: %s", rule, words)
		}
	}
}
