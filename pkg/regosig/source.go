package regosig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// Source is a tree of Rego files.
type Source struct {
	// Name is what problems call the tree: the path of a directory or a bundle.
	Name string
	FS   fs.FS

	only    string // the one file of FS that counts; "" for all
	flat    bool   // directories below do not count
	builtin bool   // the files are ipcwarden's own

	bundle bool       // the tree is packed into the file Name; FS is not used
	key    *bundleKey // that the bundle is signed for; nil if nobody asks
}

// Path is the source at a path of the file system: a directory, one .rego file,
// or an OPA bundle (.tar.gz). What is wrong with the path is reported by Load.
func Path(name string) Source {
	info, err := os.Stat(name)
	switch {
	case strings.HasSuffix(name, bundleSuffix) && (err != nil || !info.IsDir()):
		return Source{Name: filepath.Clean(name), bundle: true}
	case err == nil && info.Mode().IsRegular() && isSignatureFile(name):
		dir, file := filepath.Split(filepath.Clean(name))
		dir = filepath.Clean(dir)
		return Source{Name: dir, FS: os.DirFS(dir), only: file}
	}
	return Source{Name: filepath.Clean(name), FS: os.DirFS(name)}
}

// Sources are the built-in signatures, unless noBuiltin is set, and those at paths.
func Sources(noBuiltin bool, paths []string) []Source {
	var sources []Source
	if !noBuiltin {
		sources = append(sources, Builtin())
	}
	for _, path := range paths {
		sources = append(sources, Path(path))
	}
	return sources
}

// file is one Rego file as it was read.
type file struct {
	name string // for the reader: the source's name and the path below it
	base string // last element of the path
	text string

	builtin bool
}

// isSignatureFile tells whether a file holds signatures or libraries. Tests lie
// beside what they test and are no part of a running set.
func isSignatureFile(name string) bool {
	return strings.HasSuffix(name, ".rego") && !strings.HasSuffix(name, "_test.rego")
}

// read returns the files of a source, ordered by path. Hidden files and
// directories are skipped: they are an editor's, or Kubernetes' own copies of a
// mounted ConfigMap.
func (s Source) read(ps *problems) []file {
	if s.bundle {
		return s.readBundle(ps)
	}
	if s.only != "" {
		return s.readOne(nil, s.only, ps)
	}
	files, failed := s.walk(isSignatureFile, ps)
	if len(files) == 0 && !failed {
		ps.add(s.Name, 0, 0, "no .rego file in this directory")
	}
	return files
}

// walk returns the wanted files of a source, and whether any could not be read.
func (s Source) walk(wanted func(name string) bool, ps *problems) (files []file, failed bool) {
	switch info, err := fs.Stat(s.FS, "."); {
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		ps.add(s.Name, 0, 0, "neither a directory nor a .rego file nor a bundle (.tar.gz)")
		return nil, true
	case err != nil:
		ps.add(s.Name, 0, 0, "%s", cause(err))
		return nil, true
	}
	_ = fs.WalkDir(s.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := name != "." && strings.HasPrefix(path.Base(name), ".")
		switch {
		case err != nil:
			failed = true
			ps.add(path.Join(s.Name, name), 0, 0, "%s", cause(err))
			return nil
		case (hidden || s.flat && name != ".") && entry.IsDir():
			return fs.SkipDir
		case hidden || entry.IsDir() || !wanted(name):
			return nil
		}
		before := len(files)
		files = s.readOne(files, name, ps)
		failed = failed || len(files) == before
		return nil
	})
	return files, failed
}

// readOne appends one file. Reading anything but a regular file could block.
func (s Source) readOne(files []file, name string, ps *problems) []file {
	shown := path.Join(s.Name, name)
	info, err := fs.Stat(s.FS, name)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	var text []byte
	if err == nil {
		text, err = fs.ReadFile(s.FS, name)
	}
	if err != nil {
		ps.add(shown, 0, 0, "%s", cause(err))
		return files
	}
	return append(files, file{name: shown, base: path.Base(name), text: string(text), builtin: s.builtin})
}

// cause is err without the operation and the path, which the problem has.
func cause(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return fmt.Sprint(pathError.Err)
	}
	return err.Error()
}
