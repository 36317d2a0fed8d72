package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// archive writes an initramfs: a cpio archive in the format newc, compressed. The
// kernel describes it in Documentation/driver-api/early-userspace/buffer-format.rst.
type archive struct {
	w      *gzip.Writer
	inode  int
	exists map[string]bool
}

const (
	directoryMode = 0o040755
	programMode   = 0o100755
	linkMode      = 0o120777
)

func newArchive(w io.Writer) (*archive, error) {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	return &archive{w: compressed, exists: map[string]bool{".": true, "/": true}}, nil
}

// file adds a file of this machine under the given path.
func (a *archive) file(name, source string) error {
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	return a.add(name, programMode, content)
}

func (a *archive) content(name, content string) error {
	return a.add(name, programMode, []byte(content))
}
func (a *archive) link(name, target string) error { return a.add(name, linkMode, []byte(target)) }
func (a *archive) directory(name string) error    { return a.add(name, directoryMode, nil) }

// add writes one entry, and before it the directories above. What is there
// already is left as it is: programs share libraries.
func (a *archive) add(name string, mode int, content []byte) error {
	name = strings.TrimPrefix(path.Clean(name), "/")
	if a.exists[name] {
		return nil
	}
	a.exists[name] = true
	if parent := path.Dir(name); !a.exists[parent] {
		if err := a.directory(parent); err != nil {
			return err
		}
	}
	return a.write(name, mode, content)
}

func (a *archive) write(name string, mode int, content []byte) error {
	a.inode++
	header := "070701"
	for _, field := range []int{
		a.inode, mode, 0, 0, 1, 0, len(content), // owner, group, links, time
		0, 0, 0, 0, len(name) + 1, 0, // devices; the sum is for another format
	} {
		header += fmt.Sprintf("%08x", field)
	}
	head := header + name + "\x00"
	if _, err := io.WriteString(a.w, head+padding(len(head))); err != nil {
		return err
	}
	if _, err := a.w.Write(content); err != nil {
		return err
	}
	_, err := io.WriteString(a.w, padding(len(content)))
	return err
}

func (a *archive) close() error {
	if err := a.write("TRAILER!!!", 0, nil); err != nil {
		return err
	}
	return a.w.Close()
}

// padding fills up to a multiple of four bytes.
func padding(size int) string { return "\x00\x00\x00"[:(4-size%4)%4] }
