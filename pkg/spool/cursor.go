package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// cursorFile has, for each sink, the number of the last record that it has. It is
// written now and then: after a crash some records are delivered again.
const cursorFile = "cursors.json"

// Cursors are what SaveCursors has saved; nil if it never has, or if that cannot be read
// any more.
func (s *Spool) Cursors() (map[string]uint64, error) {
	path := filepath.Join(s.settings.Path, cursorFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var cursors map[string]uint64
	if err := json.Unmarshal(text, &cursors); err != nil {
		return nil, fmt.Errorf("read %s, without which all that is there is delivered again: %w", path, err)
	}
	return cursors, nil
}

// SaveCursors keeps, for each sink, the number of the last record that it has.
func (s *Spool) SaveCursors(cursors map[string]uint64) error {
	text, err := json.Marshal(cursors)
	if err != nil {
		return err
	}
	path := filepath.Join(s.settings.Path, cursorFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
