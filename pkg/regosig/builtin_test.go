package regosig

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/ipcwarden/ipcwarden/rego"
)

// TestBuiltinRego runs every test in package rego, against the schema, as the
// signatures are.
func TestBuiltinRego(t *testing.T) {
	modules := map[string]*ast.Module{}
	for _, tree := range []fs.FS{rego.FS, rego.Library} {
		err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(tree, name)
			if err != nil {
				return err
			}
			modules[name], err = ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{ProcessAnnotation: true})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	schema, err := inputSchema()
	if err != nil {
		t.Fatal(err)
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities()).WithSchemas(schema)
	runner := tester.NewRunner().SetCompiler(compiler).SetModules(modules).RaiseBuiltinErrors(true)
	results, err := runner.RunTests(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]int{}
	for result := range results {
		if !result.Pass() {
			t.Errorf("%v", result)
		}
		tested[path.Dir(result.Location.File)]++
	}
	for name := range modules {
		if isSignatureFile(name) && !strings.HasPrefix(name, "lib/") && tested[path.Dir(name)] == 0 {
			t.Errorf("%s has no tests", name)
		}
	}
	if len(tested) == 0 {
		t.Error("no tests were run")
	}
}

// TestBuiltinMetadata holds the built-in signatures to more than the contract
// does: whoever reads an alert must find out what it means.
func TestBuiltinMetadata(t *testing.T) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Signatures()) < 6 {
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
