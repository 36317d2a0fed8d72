package alert

import (
	"encoding/json"
	"fmt"
)

// ownStrings copies a list; it is never nil, so that JSON has [] and not null.
func ownStrings(list []string) []string {
	return append([]string{}, list...)
}

// ownMap copies m with everything in it; nil stays nil.
func ownMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	own := make(map[string]any, len(m))
	for key, value := range m {
		own[key] = ownValue(value)
	}
	return own
}

// ownValue copies what a signature gave as evidence. The value can be written as
// JSON afterwards, whatever it was: an alert must not get lost because a Go
// signature put a channel or a NaN into it.
func ownValue(value any) any {
	switch v := value.(type) {
	case nil, bool, string, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return v
	case map[string]any:
		return ownMap(v)
	case []any:
		own := make([]any, len(v))
		for i := range v {
			own[i] = ownValue(v[i])
		}
		return own
	case []string:
		return ownStrings(v)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%+v", value)
	}
	return json.RawMessage(encoded)
}
