package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// configMapData is the link in the directory of a Kubernetes ConfigMap that is
// replaced when its files change: they are links to what lies behind it
// (pkg/volume/util/atomic_writer.go of Kubernetes).
const configMapData = "..data"

// maxLinks is how many links a path can lead through, as for the kernel.
const maxLinks = 40

// sourceWatch tells of changes to the files that signatures are loaded from. It
// is made anew after each change: so it holds no watch of what was there before.
type sourceWatch struct {
	*fsnotify.Watcher
	// names has, by watched directory, the entries that matter; nil if all do.
	names map[string]map[string]bool
}

// watchSources watches directories with everything below, or files. What is not
// there is watched for from the nearest directory that is.
func watchSources(paths []string) (*sourceWatch, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch signatures for changes: %w", err)
	}
	w := &sourceWatch{Watcher: watcher, names: map[string]map[string]bool{}}
	var errs []error
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		w.wantWay(absolute, maxLinks)
		errs = append(errs, w.wantTree(absolute))
	}
	for dir := range w.names {
		if err := w.Add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("%s: %w", dir, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		_ = watcher.Close() // the error to report is the other
		return nil, fmt.Errorf("watch signatures for changes: %w", err)
	}
	return w, nil
}

// wantWay wants the entries that lead to path: its own, links on the way, and
// directories that are not there.
func (w *sourceWatch) wantWay(path string, links int) {
	for at := path; at != filepath.Dir(at); at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		link := err == nil && info.Mode()&fs.ModeSymlink != 0
		if at == path || err != nil || link {
			w.want(filepath.Dir(at), filepath.Base(at))
		}
		if target, err := os.Readlink(at); link && err == nil && links > 0 {
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(at), target)
			}
			w.wantWay(target, links-1)
		}
	}
	// A file in a ConfigMap.
	w.want(filepath.Dir(path), configMapData)
}

// want names a directory as nothing else does: the kernel tells of one directory
// under one name only.
func (w *sourceWatch) want(dir, name string) {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	names, all := w.names[dir]
	switch {
	case all && names == nil:
	case names == nil:
		w.names[dir] = map[string]bool{name: true}
	default:
		names[name] = true
	}
}

// wantTree wants every entry of path, if that is a directory, and of those below
// that signatures are read from.
func (w *sourceWatch) wantTree(path string) error {
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil //nolint:nilerr // what is not there is waited for, and whoever loads it says so
	}
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil //nolint:nilerr // as above
		case !entry.IsDir():
			return nil
		case name != root && hidden(name):
			return fs.SkipDir
		}
		w.names[name] = nil
		return nil
	})
}

// matters tells whether an event may be a change of signatures.
func (w *sourceWatch) matters(e fsnotify.Event) bool {
	dir, name := filepath.Split(e.Name)
	if names := w.names[filepath.Clean(dir)]; names != nil {
		return names[name]
	}
	return !hidden(name) || name == configMapData
}

func hidden(name string) bool { return strings.HasPrefix(filepath.Base(name), ".") }
