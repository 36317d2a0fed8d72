package regosig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/open-policy-agent/opa/v1/ast"
	opaloader "github.com/open-policy-agent/opa/v1/loader"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestScaffold writes a signature for every event, and ids that are no names in
// Rego: all load together, and pass.
func TestScaffold(t *testing.T) {
	dir := t.TempDir()
	ids := []string{"SITE-001", "2.if", "default", "import", "A_b.C", "tracee", "7", "true", "null", "1e5", "2026-11-28", "yes"}
	for _, id := range append(ids, event.All.Names()...) {
		name := "semop"
		if event.ByName(id) != nil {
			name = id
		}
		files, err := Scaffold(id, name, dir)
		if err != nil || len(files) != 2 {
			t.Fatalf("%s: %q, error %v", id, files, err)
		}
	}
	set, err := Load(Builtin(), Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	want := len(ids) + len(event.All.Names())
	if got := len(set.Signatures()) - len(builtin.Signatures()); got != want || len(set.Warnings()) > 0 {
		t.Errorf("%d signatures, want %d; warnings %q", got, want, set.Warnings())
	}
	r, err := RunTests(t.Context(), TestOptions{Paths: []string{dir}, Coverage: true})
	if err != nil || r.Failed > 0 || r.Passed != 4*want || r.TotalCoverage() != 100 {
		t.Errorf("%d passed, %d failed, %v%% covered, error %v", r.Passed, r.Failed, r.TotalCoverage(), err)
	}
}

func TestScaffoldRefuses(t *testing.T) {
	dir := t.TempDir()
	for id, want := range map[string]string{"": "an id begins with", "a b": "an id begins with", "../x": "an id begins with", "-a": "an id begins with"} {
		if _, err := Scaffold(id, "msgsnd", dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", id, err)
		}
	}
	if _, err := Scaffold("A", "msgsn", dir); err == nil || err.Error() != `there is no event "msgsn"; the nearest is msgsnd` {
		t.Errorf("error %v", err)
	}
	// A test that is there already is not replaced, and the signature not left alone.
	if err := os.MkdirAll(filepath.Join(dir, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	test := filepath.Join(dir, "a", "a_test.rego")
	if err := os.WriteFile(test, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Scaffold("A", "msgsnd", dir); err == nil || err.Error() != test+" is there already: nothing was written" {
		t.Errorf("error %v", err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "a"))
	if text, _ := os.ReadFile(test); err != nil || len(left) != 1 || string(text) != "mine" {
		t.Errorf("left %v, %q, error %v", left, text, err)
	}
}

// FuzzPackageName makes a package of every id that metadata allows.
func FuzzPackageName(f *testing.F) {
	for _, id := range []string{"SITE-001", "0", "if", "a.b_c-d", "package", "in"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if !idPattern.MatchString(id) {
			return
		}
		ps := &problems{}
		m := parse(file{name: "x.rego", text: "package signatures." + packageName(id) + "\nx := 1"}, capabilities(), ps)
		if m == nil || strings.ContainsAny(slugOf(id), "/\\.") {
			t.Errorf("id %q: package %s, slug %s, %v", id, packageName(id), slugOf(id), ps.err())
		}
	})
}

// checkWithOPA does what opa check --schema --capabilities does with what was
// written: it accepts the signature, and no misspelt field, nor the network.
func checkWithOPA(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, ".ipcwarden", "capabilities.json"))
	if err != nil {
		t.Fatal(err)
	}
	caps, err := ast.LoadCapabilitiesJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := opaloader.Schemas(filepath.Join(dir, ".ipcwarden", "schemas", "event.json"))
	if err != nil {
		t.Fatal(err)
	}
	for change, want := range map[string]string{
		"": "", "input.error": "", "input.errror": "undefined ref: input.errror", "http.send({})": "undefined function http.send",
	} {
		all, err := opaloader.NewFileLoader().WithProcessAnnotation(true).Filtered([]string{dir}, func(string, os.FileInfo, int) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		modules := map[string]*ast.Module{}
		for name, m := range all.ParsedModules() {
			modules[name] = m
		}
		if change != "" {
			modules["more.rego"] = ast.MustParseModule("package more\nx := " + change)
		}
		compiler := ast.NewCompiler().WithCapabilities(caps).WithSchemas(schemas)
		compiler.Compile(modules)
		if want == "" && compiler.Failed() || want != "" && !strings.Contains(compiler.Errors.Error(), want) {
			t.Errorf("%q: %v", change, compiler.Errors)
		}
	}
}

func TestEditorFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Scaffold("A", "msgsnd", dir); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over its own files
		files, err := WriteEditorFiles(dir)
		if err != nil || len(files) < 7 {
			t.Fatalf("%q, error %v", files, err)
		}
	}
	checkWithOPA(t, dir)
	// They are no signatures, and nothing that is loaded.
	set, err := Load(Path(dir))
	if err != nil || len(set.Signatures()) != 1 {
		t.Errorf("error %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, ".regal", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Capabilities struct {
			Minus struct{ Builtins []struct{ Name string } }
		}
		Ignore struct{ Files []string }
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	refusedNames := map[string]bool{}
	for _, b := range config.Capabilities.Minus.Builtins {
		refusedNames[b.Name] = true
	}
	for _, name := range []string{"http.send", "opa.runtime", "net.lookup_ip_addr", "json.verify_schema"} {
		if !refusedNames[name] {
			t.Errorf("%s is not refused", name)
		}
	}
	if len(config.Ignore.Files) != 1 || config.Ignore.Files[0] != ".ipcwarden/**" {
		t.Errorf("ignores %q", config.Ignore.Files)
	}

	config2 := filepath.Join(dir, ".regal", "config.yaml")
	if err := os.WriteFile(config2, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteEditorFiles(dir); err == nil || !strings.HasPrefix(err.Error(), config2+" is there already and differs") {
		t.Errorf("error %v", err)
	}
	if text, _ := os.ReadFile(config2); string(text) != "mine" {
		t.Errorf("it became %q", text)
	}
}
