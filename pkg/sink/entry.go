package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/format"
)

// Entry is an alert on its way, with its form in JSON, which is made once for all sinks
// and is what a spool keeps. It is safe for concurrent use.
type Entry struct {
	Alert *alert.Alert
	JSON  []byte // one line, without its end

	tree func() (map[string]any, error)
}

// NewEntry makes an entry of a. The error says that a has no form in JSON, which
// package alert rules out.
func NewEntry(a *alert.Alert) (*Entry, error) {
	var b bytes.Buffer
	if err := format.NewJSONEncoder(&b).Encode(a); err != nil {
		return nil, fmt.Errorf("write alert %s as JSON: %w", a.ID, err)
	}
	return newEntry(a, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})), nil
}

// ParseEntry makes an entry of what is in the field JSON of another, which belongs to
// the entry from now on.
func ParseEntry(text []byte) (*Entry, error) {
	a := new(alert.Alert)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(a); err != nil {
		return nil, fmt.Errorf("read an alert: %w", err)
	}
	return newEntry(a, text), nil
}

func newEntry(a *alert.Alert, text []byte) *Entry {
	return &Entry{Alert: a, JSON: text, tree: sync.OnceValues(func() (tree map[string]any, err error) {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		return tree, decoder.Decode(&tree)
	})}
}
