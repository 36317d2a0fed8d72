package regosig

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/plan"
)

// converter makes the value that the JSON of a Go value would be read as, without
// writing the JSON. It shares no memory with it but the bytes of strings.
type converter func(reflect.Value) plan.Value

// converters are made once, when the program starts: a field of a kind that they
// do not know is a mistake in package event, which every test meets.
var (
	convertDocument  = converterOf[event.Document]()
	convertContent   = converterOf[*event.Content]()
	convertMappings  = converterOf[[]event.MappingInfo]()
	convertOverlaps  = converterOf[[]event.OverlapInfo]()
	convertAncestors = converterOf[[]event.AncestorInfo]()
)

func converterOf[T any]() func(*T) plan.Value {
	convert := newConverter(reflect.TypeFor[T]())
	return func(v *T) plan.Value { return convert(reflect.ValueOf(v).Elem()) }
}

// documentValue is a document as topdown takes it.
func documentValue(d *event.Document) ast.Value { return convertDocument(d).AST() }

var argumentsType = reflect.TypeFor[event.Arguments]()

// newConverter decides how values of a type are converted.
func newConverter(t reflect.Type) converter {
	if t == argumentsType {
		return argumentsValue
	}
	switch t.Kind() {
	case reflect.Struct:
		return structConverter(t)
	case reflect.Slice:
		return sliceConverter(t)
	case reflect.Pointer:
		element := newConverter(t.Elem())
		return func(v reflect.Value) plan.Value {
			if v.IsNil() {
				return plan.Null
			}
			return element(v.Elem())
		}
	case reflect.Interface:
		return func(v reflect.Value) plan.Value { return argumentValue(v.Interface()) }
	case reflect.Bool:
		return func(v reflect.Value) plan.Value { return plan.Bool(v.Bool()) }
	case reflect.String:
		return func(v reflect.Value) plan.Value { return textValue(v.String()) }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(v reflect.Value) plan.Value { return plan.Int(v.Int()) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(v reflect.Value) plan.Value { return plan.Uint(v.Uint()) }
	default:
		panic(fmt.Sprintf("regosig: no Rego value for type %s", t))
	}
}

// field is one member of a JSON object.
type field struct {
	index     int
	key       plan.Value
	omitEmpty bool
	convert   converter
}

func structConverter(t reflect.Type) converter {
	var fields []field
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" || (option != "" && option != "omitempty") {
			panic(fmt.Sprintf("regosig: field %s of %s has json tag %q", t.Field(i).Name, t, t.Field(i).Tag.Get("json")))
		}
		fields = append(fields, field{i, plan.String(name), option != "", newConverter(t.Field(i).Type)})
	}
	// In the order that OPA has them in.
	slices.SortFunc(fields, func(a, b field) int { return plan.Compare(a.key, b.key) })
	return func(v reflect.Value) plan.Value {
		keys, vals := make([]plan.Value, 0, len(fields)), make([]plan.Value, 0, len(fields))
		for i := range fields {
			f := &fields[i]
			if member := v.Field(f.index); !f.omitEmpty || !empty(member) {
				keys, vals = append(keys, f.key), append(vals, f.convert(member))
			}
		}
		return plan.Object(keys, vals)
	}
}

// empty is what omitempty leaves out.
func empty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.IsZero()
}

func sliceConverter(t reflect.Type) converter {
	element := newConverter(t.Elem())
	return func(v reflect.Value) plan.Value {
		if v.IsNil() {
			return plan.Null
		}
		elements := make([]plan.Value, v.Len())
		for i := range elements {
			elements[i] = element(v.Index(i))
		}
		return plan.Array(elements)
	}
}

// argumentsValue makes an object of the arguments, as their MarshalJSON does.
func argumentsValue(v reflect.Value) plan.Value {
	keys, vals := make([]plan.Value, v.Len()), make([]plan.Value, v.Len())
	for i := range keys {
		argument := v.Index(i).Addr().Interface().(*event.Argument)
		keys[i], vals[i] = plan.String(argument.Name), argumentValue(argument.Value)
	}
	return plan.Object(keys, vals)
}

// argumentValue converts what event.Argument holds.
func argumentValue(value any) plan.Value {
	switch v := value.(type) {
	case int64:
		return plan.Int(v)
	case uint64:
		return plan.Uint(v)
	case string:
		return textValue(v)
	default:
		return plan.Null
	}
}

// textValue replaces what is not UTF-8 byte by byte, as encoding/json does.
func textValue(s string) plan.Value {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return plan.String(s)
}
