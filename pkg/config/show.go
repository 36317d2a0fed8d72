package config

import (
	"encoding"
	"fmt"
	"reflect"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// Setting is one value that is in effect. Of a secret it has where it lies.
type Setting struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin Origin `json:"origin"` // empty for the default
}

// Settings lists every value, in the order in which they are declared; what the
// operator has named, by name.
func (l *Loaded) Settings() []Setting {
	var list []Setting
	l.each(reflect.ValueOf(l.Config).Elem(), "", func(key string, value any) {
		d := decoder{origins: l.Origins}
		list = append(list, Setting{key, value, d.originOf(key)})
	})
	return list
}

func (l *Loaded) each(v reflect.Value, key string, visit func(key string, value any)) {
	switch shape := shapeOf(v.Type()); {
	case shape == group:
		for _, f := range fieldsOf(v.Type()) {
			l.each(v.FieldByIndex(f.index), setting.Join(key, f.name), visit)
		}
	case shape == mapping && v.Len() > 0:
		for _, name := range namesIn(v) {
			l.each(v.MapIndex(name), setting.Join(key, name.String()), visit)
		}
	case shape == list && v.Len() > 0 && shapeOf(v.Type().Elem()) != scalar:
		for i := range v.Len() {
			l.each(v.Index(i), setting.Join(key, setting.Index(i)), visit)
		}
	default:
		visit(key, plain(v))
	}
}

// plain is a value as JSON and YAML have it.
func plain(v reflect.Value) any {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			return fmt.Sprint(err)
		}
		return string(text)
	}
	switch {
	case v.Kind() == reflect.Map && v.Len() == 0:
		return map[string]any{}
	case v.Kind() == reflect.Slice && v.Len() == 0:
		return []any{}
	}
	return v.Interface()
}

// Changes compares a configuration with that which replaces it: keys whose change
// takes effect at once, and keys whose change needs a restart.
func (l *Loaded) Changes(next *Loaded) (live, restart []string) {
	before, after := reflect.ValueOf(l.Config).Elem(), reflect.ValueOf(next.Config).Elem()
	for _, k := range keys() {
		switch {
		case reflect.DeepEqual(before.FieldByIndex(k.index).Interface(), after.FieldByIndex(k.index).Interface()):
		case k.live:
			live = append(live, k.path)
		default:
			restart = append(restart, k.path)
		}
	}
	return live, restart
}
