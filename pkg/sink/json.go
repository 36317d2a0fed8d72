// Package sink delivers alerts. Its types have one method in common, Deliver,
// for which the consumer declares the interface that it needs.
package sink

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
)

// JSON writes each alert as one line of JSON. It is for one goroutine.
type JSON struct {
	enc *json.Encoder
}

// NewJSON makes a sink that writes to w, once for each alert.
func NewJSON(w io.Writer) *JSON {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &JSON{enc: enc}
}

// Deliver writes a. The error is w's, or says that a cannot be written as JSON.
func (s *JSON) Deliver(a *alert.Alert) error {
	if err := s.enc.Encode(a); err != nil {
		return fmt.Errorf("write alert %s as JSON: %w", a.ID, err)
	}
	return nil
}
