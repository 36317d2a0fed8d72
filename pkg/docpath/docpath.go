// Package docpath finds fields of an event's document by their path, such as
// object.key: what correlations group by, and suppressions compare.
package docpath

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// Path leads to one value in a document.
type Path struct {
	text string
	kind reflect.Kind // of all values; Interface where events differ
	read func(*event.Document) (any, bool)
}

// Parse reads a path: JSON names of the document with dots between them. It is an
// error, which names the nearest path, if documents have no such field, or if the
// field is not a single value. Arguments are arg.NAME, for each argument of any event.
func Parse(text string) (Path, error) {
	if p, known := paths()[text]; known {
		return p, nil
	}
	return Path{}, fmt.Errorf("events have no single value %q; the nearest is %s", text, nearest.Name(text, slices.Sorted(maps.Keys(paths()))))
}

// String is what Parse has read.
func (p Path) String() string { return p.text }

// Kind is that of each value; Interface for arguments, whose values are of several.
func (p Path) Kind() reflect.Kind { return p.kind }

// Value is the value in d, as documents have it. It is not present if d leaves it out.
func (p Path) Value(d *event.Document) (value any, present bool) { return p.read(d) }

func argument(name string) func(*event.Document) (any, bool) {
	return func(d *event.Document) (any, bool) {
		for i := range d.Args {
			if d.Args[i].Name == name {
				return d.Args[i].Value, true
			}
		}
		return nil, false
	}
}

// stage is one step from a struct to a field of it.
type stage struct {
	index     int
	omitEmpty bool
}

// paths are all that there are.
var paths = sync.OnceValue(func() map[string]Path {
	all := map[string]Path{}
	collect(all, reflect.TypeFor[event.Document](), "", nil)
	for _, row := range event.Rows() {
		for i := range row.Args {
			text := "arg." + row.Args[i].Name
			all[text] = Path{text, reflect.Interface, argument(row.Args[i].Name)}
		}
	}
	return all
})

func collect(all map[string]Path, t reflect.Type, prefix string, way []stage) {
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		text := prefix + name
		stages := append(slices.Clip(way), stage{i, options == "omitempty"})
		inner := t.Field(i).Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch inner.Kind() {
		case reflect.Struct:
			collect(all, inner, text+".", stages)
		case reflect.Slice, reflect.Interface, reflect.Map:
		default:
			all[text] = Path{text, inner.Kind(), follow(stages)}
		}
	}
}

func follow(stages []stage) func(*event.Document) (any, bool) {
	return func(d *event.Document) (any, bool) {
		v := reflect.ValueOf(d).Elem()
		for _, s := range stages {
			if v = v.Field(s.index); s.omitEmpty && v.IsZero() {
				return nil, false
			}
			for v.Kind() == reflect.Pointer {
				if v.IsNil() {
					return nil, false
				}
				v = v.Elem()
			}
		}
		return v.Interface(), true
	}
}
