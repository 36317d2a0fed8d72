package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestArchive(t *testing.T) {
	var packed bytes.Buffer
	a, err := newArchive(&packed)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		a.content("/etc/a/passwd", "root"),
		a.content("etc/a/passwd", "again"),
		a.link("bin/sh", "busybox"),
		a.close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	unpacked, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	if len(content)%4 != 0 {
		t.Errorf("%d bytes", len(content))
	}
	// Every entry begins with the magic number, at a multiple of four.
	var modes []string
	for i := 0; i+6 < len(content); i += 4 {
		if string(content[i:i+6]) == "070701" {
			modes = append(modes, string(content[i+14:i+22]))
		}
	}
	if got, want := strings.Join(modes, " "), "000041ed 000041ed 000081ed 000041ed 0000a1ff 00000000"; got != want {
		t.Errorf("modes %s, want %s", got, want)
	}
	if bytes.Contains(content, []byte("again")) {
		t.Error("an entry was written twice")
	}
}
