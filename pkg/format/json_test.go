package format

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
)

// FuzzJSON wants the same value, and nothing in it that is not printable.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{"", "plain <&>", "ä€😀", "\u009b31m", "\x7f", "a\u202eb\u2028", "\U000e0041", "\xff\n\x00", "\ufeff\u00a0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var plain, escaped bytes.Buffer
		value := map[string]any{text: []any{text, 1.5}}
		if err := json.NewEncoder(&plain).Encode(value); err != nil {
			t.Fatal(err)
		}
		if err := NewJSONEncoder(&escaped).Encode(value); err != nil {
			t.Fatal(err)
		}
		for _, r := range bytes.Runes(bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))) {
			if !strconv.IsPrint(r) {
				t.Errorf("%q is written as %q", text, escaped.Bytes())
			}
		}
		var want, got any
		if err := json.Unmarshal(plain.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(escaped.Bytes(), &got); err != nil {
			t.Fatalf("%v: %s", err, escaped.Bytes())
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(got)
		if !bytes.Equal(a, b) {
			t.Errorf("%s is read as %s", a, b)
		}
	})
}

func TestJSONIsLeftAlone(t *testing.T) {
	var out bytes.Buffer
	if err := NewJSONEncoder(&out).Encode("<ä😀>"); err != nil || out.String() != "\"<ä😀>\"\n" {
		t.Errorf("%v, %q", err, out.String())
	}
	text := []byte(`{"a":"b"}`)
	if got := testing.AllocsPerRun(10, func() { escapedJSON(text) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
