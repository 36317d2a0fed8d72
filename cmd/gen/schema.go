package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// node is the part of JSON Schema that the documents need.
type node struct {
	Schema               string           `json:"$schema,omitempty"`
	Title                string           `json:"title,omitempty"`
	Description          string           `json:"description,omitempty"`
	Type                 any              `json:"type,omitempty"`
	Format               string           `json:"format,omitempty"`
	Properties           map[string]*node `json:"properties,omitempty"`
	Required             []string         `json:"required,omitempty"`
	AdditionalProperties *bool            `json:"additionalProperties,omitempty"`
	Items                *node            `json:"items,omitempty"`
}

// schema describes the JSON form of v, from its json tags and its doc tags.
func schema(title, description string, v any) ([]byte, error) {
	n, err := describe(reflect.TypeOf(v))
	if err != nil {
		return nil, err
	}
	n.Schema = "http://json-schema.org/draft-07/schema#"
	n.Title, n.Description = title, description
	b, err := json.MarshalIndent(n, "", "  ")
	return append(b, '\n'), err
}

var textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

func describe(t reflect.Type) (*node, error) {
	switch {
	case t == reflect.TypeFor[event.Arguments]():
		return argumentsNode(), nil
	case t == reflect.TypeFor[time.Time]():
		return &node{Type: "string", Format: "date-time"}, nil
	case t.Implements(textMarshaler):
		return &node{Type: "string"}, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return describe(t.Elem())
	case reflect.Bool:
		return &node{Type: "boolean"}, nil
	case reflect.String:
		return &node{Type: "string"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &node{Type: "integer"}, nil
	case reflect.Interface:
		return &node{}, nil
	case reflect.Map:
		return &node{Type: "object"}, nil
	case reflect.Slice:
		items, err := describe(t.Elem())
		return &node{Type: "array", Items: items}, err
	case reflect.Struct:
		return structNode(t)
	default:
		return nil, fmt.Errorf("type %s has no JSON Schema here", t)
	}
}

func structNode(t reflect.Type) (*node, error) {
	n := &node{Type: "object", Properties: map[string]*node{}, AdditionalProperties: new(bool)}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			return nil, fmt.Errorf("%s.%s has no JSON name", t, field.Name)
		}
		property, err := describe(field.Type)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, field.Name, err)
		}
		if property.Description = field.Tag.Get("doc"); property.Description == "" {
			return nil, fmt.Errorf("%s.%s has no doc tag", t, field.Name)
		}
		n.Properties[name] = property
		if !strings.Contains(options, "omitempty") {
			n.Required = append(n.Required, name)
		}
	}
	return n, nil
}

// argumentsNode has every argument of every event: which of them are there
// depends on the event.
func argumentsNode() *node {
	n := &node{Type: "object", Properties: map[string]*node{}, AdditionalProperties: new(bool)}
	for _, row := range event.Rows() {
		for _, arg := range row.Args {
			property := n.Properties[arg.Name]
			if property == nil {
				property = &node{Type: "integer", Description: arg.CType}
				n.Properties[arg.Name] = property
			}
			if arg.Type == event.Pointer {
				property.Type = "string"
			}
			property.Description += " of " + row.Name
			if arg.CType != "" && !strings.HasPrefix(property.Description, arg.CType) {
				property.Description += " (" + arg.CType + ")"
			}
		}
	}
	return n
}
