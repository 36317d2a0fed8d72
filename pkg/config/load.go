package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// DefaultFile is read if there is one, and no other is named.
const DefaultFile = "/etc/ipcwarden/config.yaml"

// FileVariable is the environment variable that names the file.
const FileVariable = variablePrefix + "CONFIG"

// maxFile bounds a file, which could be anything.
const maxFile = 1 << 20

// Flag is a flag that was given.
type Flag struct {
	Name   string
	Values []string // several only for a list
}

// Sources is where a configuration comes from; the later overrides the earlier:
// the defaults, File, the files conf.d/*.yaml beside it by their names, the
// environment, and flags. Mappings are merged, lists replaced; but those that have the
// tag adds add up over the files.
type Sources struct {
	File  string   // must exist; empty for $IPCWARDEN_CONFIG or else DefaultFile, which need not
	Env   []string // NAME=VALUE, as of os.Environ
	Flags []Flag
}

// Loaded is a configuration, and how it came about.
type Loaded struct {
	*Config
	Files    []string          // that were read, in order
	Warnings []Problem         // what is not wrong, but not well
	Origins  map[string]Origin // of every key that was set, and of none that has its default
}

// Load reads a configuration from all its sources. What is wrong with it is an
// *Error, which has everything and not only the first.
func Load(s Sources) (*Loaded, error) {
	d := &decoder{origins: map[string]Origin{}}
	l := &Loaded{Config: Default(), Origins: d.origins}
	root := reflect.ValueOf(l.Config).Elem()
	for _, name := range s.files(d) {
		if content, ok := d.open(name); ok {
			l.Files = append(l.Files, name)
			d.parse(content, root)
		}
	}
	d.environment(s.Env, root)
	for _, flag := range s.Flags {
		d.flag(flag, root)
	}
	if len(d.problems) == 0 { // else what is missing may be what is wrong
		d.from = Origin{}
		d.validate(root, "")
	}
	l.Warnings = tidy(d.warnings)
	if len(d.problems) > 0 {
		return nil, &Error{tidy(d.problems)}
	}
	return l, nil
}

// files lists what to read.
func (s *Sources) files(d *decoder) []string {
	name, required := s.File, true
	if name == "" {
		name = lookup(s.Env, FileVariable)
	}
	if name == "" {
		name, required = DefaultFile, false
	}
	list := []string{name}
	if _, err := os.Stat(name); !required && errors.Is(err, fs.ErrNotExist) {
		list = nil
	}
	dir := filepath.Join(filepath.Dir(name), "conf.d")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.problems = append(d.problems, Problem{Origin{File: dir}, "", reason(err)})
	}
	for _, entry := range entries { // by name
		path := filepath.Join(dir, entry.Name())
		switch ext := filepath.Ext(path); {
		case strings.HasPrefix(entry.Name(), "."):
		case ext == ".yaml":
			list = append(list, path)
		case ext == ".yml", ext == ".json":
			d.warnings = append(d.warnings, Problem{Origin{File: path}, "", "is not read; only *.yaml is"})
		}
	}
	return list
}

func lookup(env []string, name string) string {
	for _, pair := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// open reads a file, and begins it as a source.
func (d *decoder) open(name string) (content []byte, ok bool) {
	d.from, d.exposed = Origin{File: name}, false
	fail := func(format string, args ...any) ([]byte, bool) {
		d.problem(&yaml.Node{}, "", format, args...)
		return nil, false
	}
	file, err := os.Open(name)
	if err != nil {
		return fail("%s", reason(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fail("%s", reason(err))
	}
	content, err = io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return fail("%s", reason(err))
	}
	if len(content) > maxFile {
		return fail("is larger than %d bytes", maxFile)
	}
	if mode := info.Mode(); mode.IsRegular() {
		d.exposed = mode&0o044 != 0
		if mode&0o022 != 0 {
			d.warnings = append(d.warnings, Problem{d.from, "", fmt.Sprintf("others can write it (mode %04o), and decide what is reported; chmod go-w", mode.Perm())})
		}
	}
	return content, true
}

// reason leaves out the path, which is said beside it.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// parse reads one YAML document into root.
func (d *decoder) parse(content []byte, root reflect.Value) {
	documents := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	if err := documents.Decode(&document); err != nil {
		if !errors.Is(err, io.EOF) { // nothing but comments
			d.malformed(err)
		}
		return
	}
	if err := documents.Decode(&second); err == nil {
		d.problem(&second, "", "a second document begins here; a file has one")
		return
	} else if !errors.Is(err, io.EOF) {
		d.malformed(err)
		return
	}
	top := document.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return
	}
	d.decode(top, root, "", &field{})
}

// malformed reports an error of the parser, which says the line in its text.
func (d *decoder) malformed(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at := &yaml.Node{}
	if _, scan := fmt.Sscanf(text, "line %d:", &at.Line); scan == nil {
		_, text, _ = strings.Cut(text, ": ")
	}
	d.problem(at, "", "is not YAML: %s", text)
}

// environment reads the variables that are named like keys. A name that is nearly
// one is worth a warning, any other may be somebody else's.
func (d *decoder) environment(env []string, root reflect.Value) {
	all := keys()
	byName := map[string]key{}
	var known []string
	for _, k := range all {
		byName[Variable(k.path)] = k
		known = append(known, Variable(k.path))
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, variablePrefix) || name == FileVariable || value == "" {
			continue
		}
		k, ok := byName[name]
		d.from, d.exposed = Origin{Variable: name}, false
		if ok {
			d.set(k, []string{value}, root)
			continue
		}
		rest := strings.TrimPrefix(name, variablePrefix)
		for _, candidate := range known {
			if near := strings.TrimPrefix(candidate, variablePrefix); len(rest) > 3 && nearest.Distance(rest, near) <= 2 {
				d.warnings = append(d.warnings, Problem{d.from, "", "is not read; did you mean " + candidate + "?"})
				break
			}
		}
	}
}

// flag sets what a flag stands for.
func (d *decoder) flag(f Flag, root reflect.Value) {
	d.from, d.exposed = Origin{Flag: f.Name}, false
	for _, k := range keys() {
		switch k.flag {
		case f.Name:
			d.set(k, f.Values, root)
		case "!" + f.Name:
			opposite := map[string]string{"true": "false", "false": "true"}
			d.set(k, []string{opposite[strings.Join(f.Values, "")]}, root)
		}
	}
}

// set sets a key from text. What is not a single value is YAML, and a list may be
// its elements, or in a variable text with commas.
func (d *decoder) set(k key, values []string, root reflect.Value) {
	first := strings.Join(values[:min(1, len(values))], "")
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: first}
	switch shape := shapeOf(k.typ); {
	case shape == text, k.typ.Kind() == reflect.String:
	case shape == list && (d.from.Flag != "" || !strings.HasPrefix(first, "[")):
		if d.from.Variable != "" {
			values = strings.Split(first, ",")
		}
		n = &yaml.Node{Kind: yaml.SequenceNode}
		for _, value := range values {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value})
		}
	default:
		var document yaml.Node
		if err := yaml.Unmarshal([]byte(first), &document); err != nil || len(document.Content) == 0 {
			d.problem(n, k.path, "%q is not YAML", first)
			return
		}
		n = document.Content[0]
	}
	d.decode(n, root.FieldByIndex(k.index), k.path, &k.field)
}
