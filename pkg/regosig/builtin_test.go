package regosig

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var cves = regexp.MustCompile(`CVE-\d+-\d+`)

// knownWeakness tells of a tag that is in a public list.
func knownWeakness(tag string) bool {
	return cves.MatchString(tag) || strings.HasPrefix(tag, "CWE-")
}

// TestBuiltinRego runs every test in package rego, as signatures test does, and
// refuses a signature without one.
func TestBuiltinRego(t *testing.T) {
	report, err := RunTests(t.Context(), TestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Failed+report.Skipped+len(report.Warnings) > 0 {
		t.Errorf("failed or skipped: %+v", report)
	}
	tested := map[string]bool{}
	for _, result := range report.Tests {
		tested[path.Dir(result.File)] = true
	}
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range set.Signatures() {
		if source := s.Metadata().Source; !tested[path.Dir(source)] {
			t.Errorf("%s has no tests", source)
		}
	}
}

// TestBuiltinMetadata holds the built-in signatures to more than the contract
// does: whoever reads an alert must find out what it means.
func TestBuiltinMetadata(t *testing.T) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Signatures()) < 48 {
		t.Errorf("%d built-in signatures", len(set.Signatures()))
	}
	if w := set.Warnings(); len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	for _, s := range set.Signatures() {
		md := s.Metadata()
		t.Run(md.ID, func(t *testing.T) {
			if len(md.Description) < 100 || len(md.References) == 0 || len(md.Attack) == 0 || len(md.FalsePositives) == 0 {
				t.Errorf("incomplete metadata: %+v", md)
			}
			if !slices.ContainsFunc(md.Tags, knownWeakness) {
				t.Errorf("tags %q have neither a CVE nor a CWE", md.Tags)
			}
			for _, cve := range cves.FindAllString(md.Description, -1) {
				if !slices.Contains(md.Tags, cve) {
					t.Errorf("the description has %s, the tags have not", cve)
				}
			}
			if !strings.Contains(strings.Join(md.FalsePositives, " "), "suppress") {
				t.Errorf("the false positives do not say how to suppress them: %q", md.FalsePositives)
			}
			for _, address := range md.References {
				if !strings.HasPrefix(address, "https://") {
					t.Errorf("reference %q", address)
				}
			}
			dir := path.Dir(md.Source)
			if want := path.Join(builtinName, path.Base(dir), path.Base(dir)+".rego"); md.Source != want {
				t.Errorf("source %s, want %s", md.Source, want)
			}
		})
	}
}
