package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// differenceLimit is how many differences are shown of one comparison.
const differenceLimit = 10

// stream is what ipcwarden reported of one fixed program, without what differs
// from run to run: so it must be the same under every kernel and with every hook.
type stream struct {
	kernel, hook, variant string
	text                  []byte
	events                []any
}

func newStream(kernel string, r record) (s stream, err error) {
	s = stream{kernel: kernel, hook: r.Hook, variant: r.Name}
	packed, err := base64.StdEncoding.DecodeString(r.Data)
	if err != nil {
		return s, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return s, err
	}
	if s.text, err = io.ReadAll(unpacked); err != nil {
		return s, err
	}
	s.events, err = parseEvents(s.text)
	return s, err
}

func parseEvents(text []byte) (events []any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a 64-bit argument is no float64
	if err := decoder.Decode(&events); err != nil {
		return nil, fmt.Errorf("no array of events: %w", err)
	}
	return events, nil
}

func (s stream) origin() string { return s.kernel + " " + s.hook }

// save keeps the stream for a look at it.
func (s stream) save(dir string) error {
	dir = filepath.Join(dir, s.kernel, s.hook)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, filepath.Base(s.variant)+".json"), s.text, 0o644)
}

// comparison is the table's line for streams.
type comparison struct {
	Streams     int      `json:"streams"`
	Events      int      `json:"events"`
	Variants    []string `json:"variants"`
	Differences []string `json:"differences"`
}

// compareStreams compares each stream with the first of its variant. Under
// Debian's kernels a variant must not be missing if another has it.
func compareStreams(results []*result) (c comparison) {
	reference := map[string]stream{}
	for _, r := range results {
		for _, s := range r.streams {
			c.Streams++
			c.Events += len(s.events)
			first, ok := reference[s.variant]
			if !ok {
				reference[s.variant] = s
				continue
			}
			c.Differences = append(c.Differences, compare(first, s)...)
		}
	}
	c.Variants = slices.Sorted(maps.Keys(reference))
	for _, r := range results {
		if r.every {
			c.Differences = append(c.Differences, r.missing(c.Variants)...)
		}
	}
	return c
}

func (r *result) missing(variants []string) (list []string) {
	for _, h := range r.Hooks {
		for _, v := range variants {
			if !slices.ContainsFunc(r.streams, func(s stream) bool { return s.hook == h.Hook && s.variant == v }) {
				list = append(list, fmt.Sprintf("%s %s: no stream %s", r.Kernel, h.Hook, v))
			}
		}
	}
	return list
}

// compare says where s differs from the first stream of its variant.
func compare(first, s stream) (list []string) {
	for i := range max(len(first.events), len(s.events)) {
		var differences []difference
		switch {
		case i >= len(first.events):
			differences = []difference{{"", absent, s.events[i]}}
		case i >= len(s.events):
			differences = []difference{{"", first.events[i], absent}}
		default:
			differences = differ("", first.events[i], s.events[i])
		}
		for _, d := range differences {
			if len(list) == differenceLimit {
				return append(list, fmt.Sprintf("%s: %s: and more", s.origin(), s.variant))
			}
			list = append(list, fmt.Sprintf("%s: %s[%d]%s is %s, and %s with %s",
				s.origin(), s.variant, i, d.path, show(d.b), show(d.a), first.origin()))
		}
	}
	return list
}

// difference is one value that two documents do not share.
type difference struct {
	path string
	a, b any
}

type nothing struct{}

// absent stands for a value that is not there, which null is.
var absent = nothing{}

// differ walks two JSON values side by side.
func differ(path string, a, b any) (list []difference) {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			break
		}
		keys := maps.Clone(a)
		maps.Copy(keys, b)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			list = append(list, differ(path+"."+key, field(a, key), field(b, key))...)
		}
		return list
	case []any:
		b, ok := b.([]any)
		if !ok {
			break
		}
		for i := range max(len(a), len(b)) {
			list = append(list, differ(fmt.Sprintf("%s[%d]", path, i), element(a, i), element(b, i))...)
		}
		return list
	}
	if reflect.DeepEqual(a, b) {
		return nil
	}
	return []difference{{path, a, b}}
}

func field(m map[string]any, key string) any {
	if v, ok := m[key]; ok {
		return v
	}
	return absent
}

func element(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return absent
}

// show is a value for people, shortened: an event may be long.
func show(v any) string {
	if v == absent {
		return "absent"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	const limit = 200
	if text := []rune(string(b)); len(text) > limit {
		return strings.TrimSpace(string(text[:limit])) + "…"
	}
	return string(b)
}
