package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// field is one member of a struct in the configuration.
type field struct {
	name, doc, example string
	enum               []string
	flag               string
	live, adds         bool
	index              []int // for reflect.Value.FieldByIndex
	typ                reflect.Type
}

// fieldsOf lists the members of a struct, those of embedded structs among them. It
// panics if one lacks a key or a description: a mistake in this program, which
// every test of it finds.
func fieldsOf(t reflect.Type) []field {
	var list []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, below := range fieldsOf(f.Type) {
				below.index = append([]int{i}, below.index...)
				list = append(list, below)
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		entry := field{
			name: name, doc: f.Tag.Get("doc"), example: f.Tag.Get("example"), flag: f.Tag.Get("flag"),
			live: f.Tag.Get("live") == "yes", adds: f.Tag.Get("adds") == "yes", index: []int{i}, typ: f.Type,
		}
		if entry.name == "" || entry.doc == "" {
			panic(fmt.Sprintf("%s.%s lacks a yaml or a doc tag", t, f.Name))
		}
		if values := f.Tag.Get("enum"); values != "" {
			entry.enum = strings.Split(values, ",")
		}
		list = append(list, entry)
	}
	return list
}

func names(fields []field) []string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.name
	}
	return list
}

// shape is what kind of YAML a type is written as.
type shape int

const (
	scalar shape = iota
	text         // a scalar that an encoding.TextUnmarshaler reads
	list
	mapping
	group // a struct
	free  // anything
)

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func shapeOf(t reflect.Type) shape {
	if reflect.PointerTo(t).Implements(textUnmarshaler) {
		return text
	}
	switch t.Kind() {
	case reflect.Struct:
		return group
	case reflect.Slice:
		return list
	case reflect.Map:
		return mapping
	case reflect.Interface:
		return free
	default:
		return scalar
	}
}

// key is a setting that has its place in the configuration from the start: not
// below a name that the operator chooses, nor in a list.
type key struct {
	field
	path string
}

// keys lists all of Config, as they are declared.
func keys() []key { return keysBelow("", nil, reflect.TypeFor[Config]()) }

func keysBelow(path string, index []int, t reflect.Type) []key {
	var list []key
	for _, f := range fieldsOf(t) {
		at := setting.Join(path, f.name)
		f.index = append(slices.Clone(index), f.index...)
		if shapeOf(f.typ) == group {
			list = append(list, keysBelow(at, f.index, f.typ)...)
			continue
		}
		list = append(list, key{f, at})
	}
	return list
}

// Variable is the environment variable that sets a key.
func Variable(path string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

const variablePrefix = "IPCWARDEN_"
