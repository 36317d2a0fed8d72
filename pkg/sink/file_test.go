package sink

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "alerts.json")
	f := newSink(t, settings(KindFile, func(s *Settings) { s.File.Path, s.File.MaxBytes, s.File.Keep = path, mebibyte, 2 }), nil)
	e := entry(t, finding())
	for range 4 * mebibyte / len(e.JSON) {
		if err := f.Deliver(context.Background(), []*Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	files := func() []string {
		list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for range 100 { // old ones are removed beside
		if len(files()) == 3 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(files()) != 3 {
		t.Errorf("files: %v", files())
	}
	for _, name := range files() {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			if !bytes.Equal(bytes.TrimSuffix(line, []byte("\n")), e.JSON) {
				t.Fatalf("%s has the line %s", name, line)
			}
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 || info.Size() > mebibyte {
			t.Errorf("%s: %v, mode %v, %d bytes", name, err, info.Mode(), info.Size())
		}
	}
}

// TestTornLines writes part of a line: the whole line, which comes next, is one.
func TestTornLines(t *testing.T) {
	w := &short{room: 100}
	s := newSink(t, settings(KindStdout, nil), w)
	e := entry(t, finding())
	if err := s.Deliver(context.Background(), []*Entry{e}); err == nil {
		t.Error("no error")
	}
	w.room = 1 << 20
	if err := s.Deliver(context.Background(), []*Entry{e}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(w.String(), "\n")
	if len(lines) != 3 || lines[1] != string(e.JSON) {
		t.Errorf("lines %q", lines)
	}
}

// short takes so many bytes and no more.
type short struct {
	strings.Builder
	room int
}

func (s *short) Write(b []byte) (int, error) {
	n := min(len(b), s.room)
	s.room -= n
	s.Builder.Write(b[:n])
	if n < len(b) {
		return n, errors.New("full")
	}
	return n, nil
}
