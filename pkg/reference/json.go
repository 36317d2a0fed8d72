package reference

import (
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes the events as one indented array.
func JSON(w io.Writer, events []Event) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(events); err != nil {
		return fmt.Errorf("write events as JSON: %w", err)
	}
	return nil
}
