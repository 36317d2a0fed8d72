package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// open opens a spool that fails the test if it reports anything but what reported takes.
func open(t *testing.T, dir string, size setting.Bytes, reported *[]string) *Spool {
	t.Helper()
	s, err := Open(Settings{Path: dir, MaxBytes: size}, func(err error) {
		if reported == nil {
			t.Errorf("reported: %v", err)
			return
		}
		*reported = append(*reported, err.Error())
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func data(seq uint64, size int) []byte {
	return append(fmt.Appendf(nil, "%d:", seq), bytes.Repeat([]byte{byte(seq)}, size)...)
}

func appendTo(t *testing.T, s *Spool, from, to uint64, size int) {
	t.Helper()
	var records []Record
	for seq := from; seq <= to; seq++ {
		records = append(records, Record{seq, data(seq, size)})
		if len(records) == 16 || seq == to {
			if err := s.Append(records); err != nil {
				t.Fatal(err)
			}
			records = nil
		}
	}
}

// read returns the numbers of what is after one, and compares the content.
func read(t *testing.T, s *Spool, after uint64, size int) (got []uint64) {
	t.Helper()
	r := s.NewReader()
	defer r.Close()
	for {
		record, err := r.Next(after)
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(record.Data, data(record.Seq, size)) {
			t.Fatalf("record %d is %.20q", record.Seq, record.Data)
		}
		got = append(got, record.Seq)
		after = record.Seq
	}
}

func numbers(from, to uint64) (list []uint64) {
	for seq := from; seq <= to; seq++ {
		list = append(list, seq)
	}
	return list
}

func TestReadsWhatWasAppended(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir, 8<<20, nil)
	if got := read(t, s, 0, 0); got != nil || s.Last() != 0 {
		t.Errorf("an empty spool has %d", got)
	}
	appendTo(t, s, 1, 100, 2000)
	if got := read(t, s, 0, 2000); !slices.Equal(got, numbers(1, 100)) {
		t.Errorf("read %d", got)
	}
	appendTo(t, s, 101, 120, 2000)
	if got := read(t, s, 90, 2000); !slices.Equal(got, numbers(91, 120)) {
		t.Errorf("read %d", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, 8<<20, nil)
	if s.Last() != 120 {
		t.Errorf("the last is %d", s.Last())
	}
	appendTo(t, s, 121, 130, 2000)
	if got := read(t, s, 100, 2000); !slices.Equal(got, numbers(101, 130)) {
		t.Errorf("read %d", got)
	}
	for _, path := range []string{dir, filepath.Join(dir, "00000000")} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, mode %v", path, err, info.Mode())
		}
	}
}

// TestReadsOn keeps a reader while more is appended.
func TestReadsOn(t *testing.T) {
	s := open(t, t.TempDir(), 8<<20, nil)
	r := s.NewReader()
	defer r.Close()
	for seq := uint64(1); seq < 50; seq++ {
		appendTo(t, s, seq, seq, 10)
		record, err := r.Next(seq - 1)
		if err != nil || record.Seq != seq {
			t.Fatalf("record %d: %d, %v", seq, record.Seq, err)
		}
	}
	if _, err := r.Next(49); !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
}

func TestDropsTheOldest(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20, nil)
	appendTo(t, s, 1, 1000, 4000)
	got := read(t, s, 0, 4000)
	c := s.Counters()
	if len(got) < 100 || got[len(got)-1] != 1000 || !slices.Equal(got, numbers(got[0], 1000)) || c.Dropped != got[0]-1 {
		t.Errorf("left are %d from %d; %+v", len(got), got[0], c)
	}
	var size int64
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	if size > 1<<20+64<<10 {
		t.Errorf("%d bytes on disk, of 1 MiB allowed", size)
	}
}

func TestForget(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20, nil)
	appendTo(t, s, 1, 150, 4000)
	before := s.Counters().Bytes
	s.Forget(100)
	if got := read(t, s, 100, 4000); !slices.Equal(got, numbers(101, 150)) {
		t.Errorf("left are %d", got)
	}
	if after := s.Counters(); after.Bytes >= before || after.Dropped != 0 {
		t.Errorf("%+v, %d bytes before", after, before)
	}
}

// TestCorruption damages files in several ways: what is before is delivered, what is in
// other files too, and what is lost is reported.
func TestCorruption(t *testing.T) {
	damage := map[string]func(path string, size int64) error{
		"cut":     func(path string, size int64) error { return os.Truncate(path, size/2+100) },
		"garbage": func(path string, size int64) error { return overwrite(path, size/2, bytes.Repeat([]byte{0xa5}, 5000)) },
		"bit":     func(path string, size int64) error { return overwrite(path, size/2, []byte{0x5a}) },
		"appended": func(path string, size int64) error {
			return overwrite(path, size, []byte("not a page"))
		},
	}
	for name, damage := range damage {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, 8<<20, nil)
			appendTo(t, s, 1, 100, 3000)
			s.Close()
			s = open(t, dir, 8<<20, nil)
			appendTo(t, s, 101, 110, 3000)
			s.Close()
			path := filepath.Join(dir, "00000000")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(path, info.Size()); err != nil {
				t.Fatal(err)
			}
			var reported []string
			s = open(t, dir, 8<<20, &reported)
			got := read(t, s, 0, 3000)
			i := slices.Index(got, 101)
			if i < 40 || !slices.Equal(got[:i], numbers(1, uint64(i))) || !slices.Equal(got[i:], numbers(101, 110)) {
				t.Errorf("read %d", got)
			}
			if len(reported) != 1 || !strings.Contains(reported[0], path) {
				t.Errorf("reported %q", reported)
			}
			if name != "cut" && name != "appended" && s.Counters().Cut == 0 {
				t.Error("nothing counted as cut")
			}
			appendTo(t, s, 111, 120, 3000)
			if got := read(t, s, 105, 3000); !slices.Equal(got, numbers(106, 120)) {
				t.Errorf("read %d", got)
			}
		})
	}
}

func overwrite(path string, at int64, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(b, at)
	return err
}

func TestOneProcess(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, 1<<20, nil)
	if _, err := Open(Settings{Path: dir, MaxBytes: 1 << 20}, nil); err == nil || !strings.Contains(err.Error(), "another process uses it") {
		t.Errorf("error %v", err)
	}
}

func TestCursors(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20, nil)
	if c, err := s.Cursors(); c != nil || err != nil {
		t.Errorf("%v, %v", c, err)
	}
	if err := s.SaveCursors(map[string]uint64{"a": 1 << 60, "b": 0}); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Cursors(); len(c) != 2 || c["a"] != 1<<60 || err != nil {
		t.Errorf("%v, %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(dir, cursorFile), []byte(`{"a":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Cursors(); c != nil || err == nil {
		t.Errorf("%v, %v", c, err)
	}
}

// TestModes has a process that takes no permission away: nobody else can read alerts.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "above", "spool")
	s := open(t, dir, minBytes, nil)
	appendTo(t, s, 1, 200, 4000) // several segments
	if err := s.SaveCursors(map[string]uint64{"a": 1}); err != nil {
		t.Fatal(err)
	}
	segments := 0
	err := filepath.WalkDir(filepath.Dir(dir), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if want := fs.FileMode(0o600); err == nil && !entry.IsDir() && info.Mode() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if want := fs.ModeDir | 0o700; err == nil && entry.IsDir() && info.Mode() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if !entry.IsDir() {
			segments++
		}
		return err
	})
	if err != nil || segments < 4 {
		t.Errorf("%v, %d files", err, segments)
	}
}

func TestValidate(t *testing.T) {
	for _, s := range []Settings{{Path: "relative", MaxBytes: 1 << 20}, {Path: "/x", MaxBytes: 1000}} {
		if err := s.Validate(); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	if err := (&Settings{}).Validate(); err != nil {
		t.Error(err)
	}
}

// FuzzOpen opens a directory with a file of anything in it.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	s, err := Open(Settings{Path: dir, MaxBytes: 1 << 20}, func(error) {})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Append([]Record{{1, []byte("one")}, {2, bytes.Repeat([]byte("two"), 100)}}); err != nil {
		f.Fatal(err)
	}
	s.Close()
	whole, err := os.ReadFile(filepath.Join(dir, "00000000"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:300])
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "00000000"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(Settings{Path: dir, MaxBytes: 1 << 20}, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		r := s.NewReader()
		defer r.Close()
		for after, n := uint64(0), 0; n < 10000; n++ {
			record, err := r.Next(after)
			if err != nil {
				return
			}
			if record.Seq <= after {
				t.Fatalf("record %d after %d", record.Seq, after)
			}
			after = record.Seq
		}
	})
}

// BenchmarkAppend is what docs/delivery.md has a table of.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, err := Open(Settings{Path: b.TempDir(), MaxBytes: 1 << 30}, func(err error) { b.Error(err) })
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			records := make([]Record, n)
			var seq uint64
			for b.Loop() {
				for i := range records {
					seq++
					records[i] = Record{seq, data(1, 3000)}
				}
				if err := s.Append(records); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/alert")
		})
	}
}
