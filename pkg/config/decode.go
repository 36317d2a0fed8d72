package config

import (
	"cmp"
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/nearest"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// decoder sets the values of a configuration from one source after another, and
// notes where each came from last.
type decoder struct {
	origins  map[string]Origin // by key
	problems []Problem
	warnings []Problem

	from    Origin // the source that is being read
	exposed bool   // others can read it
}

func (d *decoder) origin(n *yaml.Node) Origin {
	at := d.from
	if at.File != "" {
		at.Line = n.Line
	}
	return at
}

func (d *decoder) problem(n *yaml.Node, key, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.origin(n), key, fmt.Sprintf(format, args...)})
}

// decode sets v, which is the value of key, from n, as the tags of its field say. Values
// that are not mentioned stay, but for those of most lists, which are replaced as a whole.
func (d *decoder) decode(n *yaml.Node, v reflect.Value, key string, f *field) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.problem(n, key, "anchors and aliases are not supported; write the value again")
		return
	}
	shape := shapeOf(v.Type())
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" && shape != free {
		if shape == group || shape == mapping {
			return // all that was below it is a comment
		}
		d.problem(n, key, "has no value; leave the key out for the default")
		return
	}
	if want := kindOf[shape]; want.kind != 0 && n.Kind != want.kind {
		d.problem(n, key, "must be %s, not %s", want.name, kindName(n))
		return
	}
	switch shape {
	case group:
		d.group(n, v, key)
	case mapping:
		d.mapping(n, v, key)
	case list:
		d.list(n, v, key, f)
	default:
		if d.single(n, v, key, shape) && d.allowed(n, v, key, f.enum) {
			d.note(n, key)
		}
	}
}

var kindOf = map[shape]struct {
	kind yaml.Kind
	name string
}{
	group: {yaml.MappingNode, "a mapping"}, mapping: {yaml.MappingNode, "a mapping"}, list: {yaml.SequenceNode, "a list"},
	scalar: {yaml.ScalarNode, "a single value"}, text: {yaml.ScalarNode, "a single value"},
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

// note remembers where key was set, and forgets what was below it.
func (d *decoder) note(n *yaml.Node, key string) {
	for known := range d.origins {
		if strings.HasPrefix(known, key+"[") {
			delete(d.origins, known)
		}
	}
	d.origins[key] = d.origin(n)
}

// members calls visit for each member of a mapping, and reports what is there
// twice.
func (d *decoder) members(n *yaml.Node, key string, visit func(name, value *yaml.Node, below string)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		below := setting.Join(key, name.Value)
		if name.Kind != yaml.ScalarNode || name.Value == "" {
			d.problem(name, key, "a key must be a word")
			continue
		}
		if line, twice := first[name.Value]; twice {
			d.problem(name, below, "is there twice, first in line %d", line)
			continue
		}
		first[name.Value] = name.Line
		visit(name, n.Content[i+1], below)
	}
}

func (d *decoder) group(n *yaml.Node, v reflect.Value, key string) {
	fields := fieldsOf(v.Type())
	d.members(n, key, func(name, value *yaml.Node, below string) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name.Value })
		if i < 0 {
			d.problem(name, below, "unknown key%s", d.meant(name.Value, key, fields))
			return
		}
		d.decode(value, v.FieldByIndex(fields[i].index), below, &fields[i])
	})
}

// meant names the key that is nearest to an unknown one: beside it, or else
// anywhere with the same last word.
func (d *decoder) meant(name, above string, fields []field) string {
	if guess := nearest.Guess(name, names(fields)); guess != "" {
		return "; the nearest is " + setting.Join(above, guess)
	}
	last := map[string]string{}
	for _, k := range keys() {
		last[k.path[strings.LastIndex(k.path, ".")+1:]] = k.path
	}
	if guess := nearest.Guess(name, slices.Sorted(maps.Keys(last))); guess != "" {
		return "; the nearest is " + last[guess]
	}
	return "; there are " + strings.Join(names(fields), ", ")
}

// mapping adds to what was there under other names, and changes what was there
// under the same.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, key string) {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	d.members(n, key, func(name, value *yaml.Node, below string) {
		at := reflect.ValueOf(name.Value).Convert(v.Type().Key())
		element := newValue(v.Type().Elem())
		if known := v.MapIndex(at); known.IsValid() {
			element.Set(known)
		}
		d.decode(value, element, below, &field{})
		d.origins[below] = d.origin(name)
		v.SetMapIndex(at, element)
	})
}

// list replaces what was there, or in a file adds to it if the field says so.
func (d *decoder) list(n *yaml.Node, v reflect.Value, key string, f *field) {
	all := reflect.MakeSlice(v.Type(), 0, len(n.Content))
	if f.adds && d.from.File != "" {
		all = reflect.AppendSlice(all, v)
		d.origins[key] = d.origin(n)
	} else {
		d.note(n, key)
	}
	for _, element := range n.Content {
		value, below := newValue(v.Type().Elem()), setting.Join(key, setting.Index(all.Len()))
		d.decode(element, value, below, &field{enum: f.enum})
		d.origins[below] = d.origin(element)
		all = reflect.Append(all, value)
	}
	v.Set(all)
}

// newValue is a value that can be set, with the defaults of its type.
func newValue(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if defaults, ok := v.Interface().(interface{ SetDefaults() }); ok {
		defaults.SetDefaults()
	}
	return v.Elem()
}

// single sets a single value, and tells whether it could.
func (d *decoder) single(n *yaml.Node, v reflect.Value, key string, shape shape) bool {
	var err error
	if shape == text {
		err = v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value))
		if secret, ok := v.Interface().(setting.Secret); ok && secret.Inline() && d.exposed {
			d.warnings = append(d.warnings, Problem{d.origin(n), key, "this may be a secret, in a file that others can read; use file:PATH or env:NAME, or chmod 0600"})
		}
		if err != nil {
			d.problem(n, key, "%v", err)
		}
		return err == nil
	}
	switch kind := v.Kind(); {
	case kind == reflect.String && n.Tag != "!!str":
		d.problem(n, key, "must be text, not %s; put it in quotes", n.Value)
		return false
	case kind == reflect.Bool && n.Tag != "!!bool":
		d.problem(n, key, "must be true or false, not %q", n.Value)
		return false
	case v.CanInt() && n.Tag != "!!int" || v.CanUint() && n.Tag != "!!int":
		d.problem(n, key, "must be a whole number, not %q", n.Value)
		return false
	case v.CanFloat() && n.Tag != "!!float" && n.Tag != "!!int":
		d.problem(n, key, "must be a number, not %q", n.Value)
		return false
	}
	if err = n.Decode(v.Addr().Interface()); err != nil {
		d.problem(n, key, "%q is out of range", n.Value)
	}
	return err == nil
}

// allowed tells whether a value is one of those of its enum.
func (d *decoder) allowed(n *yaml.Node, v reflect.Value, key string, enum []string) bool {
	value := fmt.Sprint(v.Interface())
	if enum == nil || slices.Contains(enum, value) {
		return true
	}
	d.problem(n, key, "%q is none of %s%s", value, strings.Join(enum, ", "), didYouMean(value, enum))
	return false
}

func didYouMean(value string, names []string) string {
	if guess := nearest.Guess(value, names); guess != "" {
		return fmt.Sprintf(" (did you mean %s?)", guess)
	}
	return ""
}

// validate asks every type that can say what is wrong.
func (d *decoder) validate(v reflect.Value, key string) {
	if v.CanAddr() {
		if checked, ok := v.Addr().Interface().(interface{ Validate() error }); ok {
			d.invalid(setting.Under(key, checked.Validate()), key)
		}
	}
	switch shapeOf(v.Type()) {
	case group:
		for _, f := range fieldsOf(v.Type()) {
			d.validate(v.FieldByIndex(f.index), setting.Join(key, f.name))
		}
	case list:
		for i := range v.Len() {
			d.validate(v.Index(i), setting.Join(key, setting.Index(i)))
		}
	case mapping:
		for _, name := range namesIn(v) {
			element := reflect.New(v.Type().Elem()).Elem()
			element.Set(v.MapIndex(name))
			d.validate(element, setting.Join(key, name.String()))
		}
	}
}

// namesIn is the names in a map, sorted.
func namesIn(v reflect.Value) []reflect.Value {
	return slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
}

func (d *decoder) invalid(err error, key string) {
	for _, err := range setting.Split(err) {
		at := key
		if known, ok := err.(*setting.Error); ok { //nolint:errorlint // Under returns it unwrapped
			at, err = known.Key, known.Err
		}
		d.problems = append(d.problems, Problem{d.originOf(at), at, err.Error()})
	}
}

// originOf is where key was set, or the nearest that is around it.
func (d *decoder) originOf(key string) Origin {
	for key != "" {
		if at, ok := d.origins[key]; ok {
			return at
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return Origin{}
}
