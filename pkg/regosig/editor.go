package regosig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/rego"
)

// editorDir has what editors and OPA need to see. It is hidden, so that no load
// takes it for signatures.
const editorDir = ".ipcwarden"

// schemaRef is what a METADATA block calls the schema of events, if it has
// schemas, and what OPA calls it that finds it as schemas/event.json.
var schemaRef = ast.MustParseRef("schema.event")

// EditorFiles are the files, by path, with which OPA and Regal check signatures
// as Load does: the schema of events, the built-ins that are allowed, the
// libraries, and Regal's configuration.
func EditorFiles() (map[string][]byte, error) {
	caps, err := json.MarshalIndent(capabilities(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("capabilities: %w", err)
	}
	files := map[string][]byte{
		editorDir + "/schemas/event.json": rego.Schema,
		editorDir + "/capabilities.json":  append(caps, '\n'),
		".regal/config.yaml":              regalConfig(),
	}
	err = fs.WalkDir(rego.Library, "lib", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isSignatureFile(name) {
			return err
		}
		files[editorDir+"/"+name], err = fs.ReadFile(rego.Library, name)
		return err
	})
	return files, err
}

// regalConfig tells Regal of the refused built-ins. It has to name them one by
// one: Regal looks for a file of capabilities in the directory that it was
// started in.
func regalConfig() []byte {
	var b bytes.Buffer
	b.WriteString("# Regal's configuration for ipcwarden's signatures, by ipcwarden signatures schema.\n" +
		"capabilities:\n  minus:\n    builtins:\n")
	for _, builtin := range ast.CapabilitiesForThisVersion().Builtins {
		if why := refusal(builtin.Name); why != "" {
			fmt.Fprintf(&b, "      - name: %s # %s\n", builtin.Name, why)
		}
	}
	b.WriteString(`rules:
  idiomatic:
    # Signatures lie in <slug>/<slug>.rego, whatever their package is.
    directory-package-mismatch:
      level: ignore
ignore:
  files:
    - ` + editorDir + `/**
`)
	return b.Bytes()
}

// WriteEditorFiles writes EditorFiles below dir. A file of the user's, which is
// there and differs, is left alone and reported by the error; files of an older
// ipcwarden are replaced.
func WriteEditorFiles(dir string) (written []string, err error) {
	files, err := EditorFiles()
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(dir, filepath.FromSlash(name))
		have, err := os.ReadFile(at)
		switch {
		case err == nil && bytes.Equal(have, files[name]):
			written = append(written, at)
			continue
		case err == nil && !strings.HasPrefix(name, editorDir+"/"):
			return written, fmt.Errorf("%s is there already and differs: move it away, or add to it by hand what --output json prints", printable(at))
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return written, fmt.Errorf("reading what is there: %w", err)
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return written, fmt.Errorf("writing the schema: %w", err)
		}
		if err := os.WriteFile(at, files[name], 0o644); err != nil {
			return written, fmt.Errorf("writing the schema: %w", err)
		}
		written = append(written, at)
	}
	return written, nil
}
