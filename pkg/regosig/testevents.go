package regosig

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// eventsRoot is where tests find the recorded events that lie beside them.
var eventsRoot = ast.MustParseRef("data.events")

// eventsOf loads the recorded events that a test names, and reports references
// to what is nowhere.
func (r *testRun) eventsOf(m *module, compiler *ast.Compiler) map[string]any {
	events := map[string]any{}
	ast.WalkTerms(compiler.Modules[m.name], func(t *ast.Term) bool {
		ref, ok := t.Value.(ast.Ref)
		switch {
		case !ok || !ref.HasPrefix(ast.DefaultRootRef) || t.Location == nil:
		case ref.HasPrefix(eventsRoot):
			r.addEvents(events, m, ref, t.Location)
		case !m.isTracee():
			checkReference(compiler, t.Location, ref, &r.loader.problems)
		}
		return false
	})
	return events
}

// addEvents adds the events that a reference names; all, if a variable does.
func (r *testRun) addEvents(events map[string]any, m *module, ref ast.Ref, loc *ast.Location) {
	tree := r.trees[m.name]
	dir := path.Dir(tree.below(m.name))
	available := eventFiles(tree.FS, dir)
	wanted := slices.Sorted(maps.Keys(available))
	if len(ref) > len(eventsRoot) {
		if name, ok := ref[len(eventsRoot)].Value.(ast.String); ok {
			if len(available[string(name)]) == 0 {
				hint := ""
				if near := nearest.Name(string(name), wanted); near != "" {
					hint = "; the nearest is " + near
				}
				r.loader.at(loc, "%s: neither %s.json nor %s.jsonl nor %s%s lies beside this file%s",
					ref[:len(eventsRoot)+1], string(name), string(name), string(name), recordingSuffix, hint)
				return
			}
			wanted = []string{string(name)}
		}
	}
	for _, name := range wanted {
		if _, loaded := events[name]; loaded {
			continue
		}
		files := available[name]
		if len(files) > 1 {
			r.loader.at(loc, "data.events.%s: both %s and %s lie beside this file", name, files[0], files[1])
			continue
		}
		events[name] = r.loadEvents(tree, path.Join(dir, files[0]))
	}
}

// below is the path below the tree of a file that is called name.
func (s Source) below(name string) string {
	if s.Name == "." {
		return name
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, s.Name), "/")
}

// eventFiles lists the files of a directory that can hold events, by the name
// that tests call them.
func eventFiles(tree fs.FS, dir string) map[string][]string {
	files := map[string][]string{}
	entries, _ := fs.ReadDir(tree, dir)
	for _, entry := range entries {
		for _, suffix := range []string{".json", ".jsonl", recordingSuffix} {
			if name, ok := strings.CutSuffix(entry.Name(), suffix); ok && name != "" && !strings.HasPrefix(name, ".") {
				files[name] = append(files[name], entry.Name())
			}
		}
	}
	return files
}

// recordingSuffix is that of a file that ipcwarden record made.
const recordingSuffix = ".ipcwcap"

// loadEvents reads a file of events: an object, or an array of them unless it is .json.
func (r *testRun) loadEvents(tree Source, name string) any {
	read := tree.readOne(nil, name, &r.loader.problems)
	if len(read) == 0 {
		return nil
	}
	if len(read[0].text) > maxRecordedBytes {
		r.loader.add(read[0].name, 0, 0, "more than %d MiB of events", maxRecordedBytes>>20)
		return nil
	}
	documents, warned := readRecorded(read[0].name, []byte(read[0].text), &r.loader.problems)
	r.report.Warnings = append(r.report.Warnings, lines(warned)...)
	if strings.HasSuffix(name, ".json") {
		switch len(documents) {
		case 0:
			return nil
		case 1:
			return documents[0].value
		}
		r.loader.add(read[0].name, documents[1].Line, 1, "a second event: several go to a file %s.jsonl", strings.TrimSuffix(path.Base(name), ".json"))
		return nil
	}
	values := make([]any, len(documents))
	for i := range documents {
		values[i] = documents[i].value
	}
	return values
}
