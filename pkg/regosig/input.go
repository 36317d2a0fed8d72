package regosig

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// converter makes the OPA value that the JSON of a Go value would be read as,
// without writing the JSON.
type converter func(reflect.Value) *ast.Term

// documentConverter is planned once, when the program starts: a field of a kind
// that it does not know is a mistake in package event, which every test meets.
var documentConverter = plan(reflect.TypeFor[event.Document]())

// documentValue is a document as input of a Rego signature. It shares no memory
// with the document but the bytes of its strings.
func documentValue(d *event.Document) ast.Value {
	return documentConverter(reflect.ValueOf(d).Elem()).Value
}

var argumentsType = reflect.TypeFor[event.Arguments]()

// plan decides how values of a type are converted.
func plan(t reflect.Type) converter {
	if t == argumentsType {
		return argumentsTerm
	}
	switch t.Kind() {
	case reflect.Struct:
		return planStruct(t)
	case reflect.Slice:
		return planSlice(t)
	case reflect.Pointer:
		element := plan(t.Elem())
		return func(v reflect.Value) *ast.Term {
			if v.IsNil() {
				return ast.InternedNullTerm
			}
			return element(v.Elem())
		}
	case reflect.Interface:
		return func(v reflect.Value) *ast.Term { return valueTerm(v.Interface()) }
	case reflect.Bool:
		return func(v reflect.Value) *ast.Term { return ast.InternedTerm(v.Bool()) }
	case reflect.String:
		return func(v reflect.Value) *ast.Term { return stringTerm(v.String()) }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(v reflect.Value) *ast.Term { return intTerm(v.Int()) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(v reflect.Value) *ast.Term { return uintTerm(v.Uint()) }
	default:
		panic(fmt.Sprintf("regosig: no OPA value for type %s", t))
	}
}

// field is one member of a JSON object.
type field struct {
	index     int
	key       *ast.Term
	omitEmpty bool
	convert   converter
}

func planStruct(t reflect.Type) converter {
	var fields []field
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" || (option != "" && option != "omitempty") {
			panic(fmt.Sprintf("regosig: field %s of %s has json tag %q", t.Field(i).Name, t, t.Field(i).Tag.Get("json")))
		}
		fields = append(fields, field{i, ast.StringTerm(name), option != "", plan(t.Field(i).Type)})
	}
	return func(v reflect.Value) *ast.Term {
		members := make([][2]*ast.Term, 0, len(fields))
		for i := range fields {
			f := &fields[i]
			if member := v.Field(f.index); !f.omitEmpty || !empty(member) {
				members = append(members, [2]*ast.Term{f.key, f.convert(member)})
			}
		}
		return ast.ObjectTerm(members...)
	}
}

// empty is what omitempty leaves out.
func empty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.IsZero()
}

func planSlice(t reflect.Type) converter {
	element := plan(t.Elem())
	return func(v reflect.Value) *ast.Term {
		if v.IsNil() {
			return ast.InternedNullTerm
		}
		elements := make([]*ast.Term, v.Len())
		for i := range elements {
			elements[i] = element(v.Index(i))
		}
		return ast.ArrayTerm(elements...)
	}
}

// argumentsTerm writes the arguments as an object, as their MarshalJSON does.
func argumentsTerm(v reflect.Value) *ast.Term {
	members := make([][2]*ast.Term, v.Len())
	for i := range members {
		argument := v.Index(i).Addr().Interface().(*event.Argument)
		members[i] = [2]*ast.Term{ast.InternedTerm(argument.Name), valueTerm(argument.Value)}
	}
	return ast.ObjectTerm(members...)
}

// valueTerm converts what event.Argument holds.
func valueTerm(value any) *ast.Term {
	switch v := value.(type) {
	case int64:
		return intTerm(v)
	case uint64:
		return uintTerm(v)
	case string:
		return stringTerm(v)
	default:
		return ast.InternedNullTerm
	}
}

func intTerm(v int64) *ast.Term {
	if i := int(v); int64(i) == v && ast.HasInternedIntNumberTerm(i) {
		return ast.InternedTerm(i)
	}
	return ast.NewTerm(ast.Number(strconv.FormatInt(v, 10)))
}

func uintTerm(v uint64) *ast.Term {
	if i := int(v); i >= 0 && uint64(i) == v {
		return intTerm(int64(v))
	}
	return ast.NewTerm(ast.Number(strconv.FormatUint(v, 10)))
}

// stringTerm replaces what is not UTF-8 byte by byte, as encoding/json does.
func stringTerm(s string) *ast.Term {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return ast.InternedTerm(s)
}
