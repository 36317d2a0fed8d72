package regosig

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// each calls visit with the members of a mapping that are known, and reports the
// others and what is there twice.
func (b *block) each(mapping *yaml.Node, known []string, visit func(key string, value *yaml.Node)) {
	if mapping.Kind != yaml.MappingNode {
		b.problem(mapping, "METADATA: a mapping is needed here")
		return
	}
	var seen []string
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		switch {
		case slices.Contains(seen, key.Value):
			b.problem(key, "METADATA: key %q is there twice", key.Value)
		case !slices.Contains(known, key.Value):
			b.problem(key, "METADATA: unknown key %q; the nearest is %s", key.Value, nearest.Name(key.Value, known))
		default:
			visit(key.Value, mapping.Content[i+1])
		}
		seen = append(seen, key.Value)
	}
}

// text is the value of a key that must be a string with something in it.
func (b *block) text(key string, value *yaml.Node) string {
	switch {
	case value.Kind != yaml.ScalarNode || value.Tag != "!!str":
		b.problem(value, "%s must be a string; a number needs quotes", key)
		return ""
	case value.Value == "":
		b.problem(value, "%s is empty", key)
	}
	return value.Value
}

// boolean is the value of a key that must be true or false.
func (b *block) boolean(key string, value *yaml.Node) (is bool) {
	if value.Kind != yaml.ScalarNode || value.Tag != "!!bool" || value.Decode(&is) != nil {
		b.problem(value, "%s must be true or false", key)
	}
	return is
}

// list is the value of a key that must be a list of strings; it has an element
// for each node of the list.
func (b *block) list(key string, value *yaml.Node) []string {
	if value.Kind != yaml.SequenceNode {
		b.problem(value, "%s must be a list of strings", key)
		return nil
	}
	var texts []string
	for _, element := range value.Content {
		texts = append(texts, b.text(key, element))
	}
	return texts
}

// resources is the list under related_resources: addresses, or mappings with an
// address under ref. OPA has checked them when it parsed the file.
func (b *block) resources(value *yaml.Node) []string {
	var addresses []string
	for _, element := range value.Content {
		if element.Kind == yaml.ScalarNode {
			addresses = append(addresses, element.Value)
		}
		for i := 0; element.Kind == yaml.MappingNode && i+1 < len(element.Content); i += 2 {
			if element.Content[i].Value == "ref" {
				addresses = append(addresses, element.Content[i+1].Value)
			}
		}
	}
	return addresses
}
