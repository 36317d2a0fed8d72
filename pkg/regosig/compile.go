package regosig

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/nearest"
	"github.com/ipcwarden/ipcwarden/rego"
)

// compile compiles modules together. With a schema, every field of input that a
// module names must exist.
//
// OPA stops at the first stage that finds errors. To report those of the later
// stages as well, the files with errors are taken out and the others compiled
// again; then, what a file misses may have been in one that was taken out, and
// is not reported. complete tells that no file was missing from the start. The
// compiler has the files that are left; it is nil if OPA cannot say which file
// is to blame.
func compile(modules []*module, schema *ast.SchemaSet, caps *ast.Capabilities, complete bool, ps *problems) *ast.Compiler {
	rest := make(map[string]*ast.Module, len(modules))
	for _, m := range modules {
		rest[m.name] = m.Module
	}
	for {
		compiler, errs := compileOnce(rest, schema, caps)
		if len(errs) == 0 {
			return compiler
		}
		before := len(rest)
		for _, e := range errs {
			if !missesOther(e) {
				ps.addError("", e)
			} else if complete {
				e.Message += nearestFunction(compiler.RuleTree, e)
				ps.addError("", e)
			}
			if e.Location != nil {
				delete(rest, e.Location.File)
			}
		}
		if complete = false; len(rest) == before {
			return nil
		}
	}
}

// compileOnce turns a panic of the compiler into an error, as parseAs does.
func compileOnce(modules map[string]*ast.Module, schema *ast.SchemaSet, caps *ast.Capabilities) (c *ast.Compiler, errs ast.Errors) {
	defer func() {
		if r := recover(); r != nil {
			c, errs = nil, ast.Errors{{Message: fmt.Sprintf("the Rego compiler failed: %v", r)}}
		}
	}()
	c = ast.NewCompiler().WithCapabilities(caps).WithSchemas(schema).SetErrorLimit(0)
	c.Compile(maps.Clone(modules))
	return c, c.Errors
}

// missesOther tells whether the error is that something of another file is not
// there.
func missesOther(e *ast.Error) bool {
	return strings.HasPrefix(e.Message, undefinedFunction+ast.DefaultRootDocument.String()+".")
}

// inputSchema is the schema of the document for the type checker. It allows the fields
// also, which are paths, to be of any type.
func inputSchema(also ...string) (*ast.SchemaSet, error) {
	var schema map[string]any
	if err := json.Unmarshal(rego.Schema, &schema); err != nil {
		return nil, fmt.Errorf("rego/schemas/event.json: %w", err)
	}
	for _, field := range also {
		members := schema["properties"].(map[string]any)
		path := strings.Split(field, ".")
		for _, name := range path[:len(path)-1] {
			members = members[name].(map[string]any)["properties"].(map[string]any)
		}
		members[path[len(path)-1]] = map[string]any{}
	}
	set := ast.NewSchemaSet()
	set.Put(ast.SchemaRootRef, schema)
	set.Put(schemaRef, schema)
	return set, nil
}

// checkReferences reports references to data that no file defines. To OPA they
// could be loaded at run time, and are merely undefined; here there is no other
// data, so that a misspelt name would be a signature that never fires.
func checkReferences(compiler *ast.Compiler, modules []*module, ps *problems) {
	for _, m := range modules {
		ast.WalkTerms(compiler.Modules[m.name], func(t *ast.Term) bool {
			ref, ok := t.Value.(ast.Ref)
			if ok && ref.HasPrefix(ast.DefaultRootRef) && t.Location != nil {
				checkReference(compiler, t.Location, ref, ps)
			}
			return false
		})
	}
}

func checkReference(compiler *ast.Compiler, at *ast.Location, ref ast.Ref, ps *problems) {
	if near, ok := defined(compiler.RuleTree, ref); !ok {
		ps.at(at, "%s is not defined in any file%s", ref, near)
	}
}

// defined tells whether ref leads to a package, or to or into a rule; if not, near is a
// hint at what was meant.
func defined(node *ast.TreeNode, ref ast.Ref) (near string, ok bool) {
	for i, term := range ref {
		name, fixed := term.Value.(ast.String)
		if i > 0 && !fixed {
			return "", true
		}
		child := node.Child(term.Value)
		if child == nil {
			return nearestOf(string(name), node), false
		}
		if node = child; len(node.Values) > 0 {
			return "", true
		}
	}
	return "", true
}

// nearestOf is a hint at a package or rule in the node.
func nearestOf(misspelt string, node *ast.TreeNode) string {
	var names []string
	for key := range node.Children {
		if name, ok := key.(ast.String); ok {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	if near := nearest.Guess(misspelt, names); near != "" {
		return "; the nearest to " + misspelt + " is " + near
	}
	return ""
}

// nearestFunction is a hint at the function that a call was meant for.
func nearestFunction(tree *ast.TreeNode, e *ast.Error) string {
	ref, err := ast.ParseRef(strings.TrimPrefix(e.Message, undefinedFunction))
	if err != nil || tree == nil {
		return ""
	}
	near, _ := defined(tree, ref)
	return near
}
