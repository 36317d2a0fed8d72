package regosig

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/bundle"
)

// bundleSuffix is how the name of an OPA bundle ends.
const bundleSuffix = ".tar.gz"

// The bounds of a bundle. Signatures are text that somebody wrote: a bundle that
// exceeds them is a mistake, or made to exhaust the memory.
const (
	maxArchiveBytes = 16 << 20 // as it lies on the disk
	maxBundleBytes  = 64 << 20 // unpacked
	maxEntryBytes   = 4 << 20
	maxEntries      = 10_000
)

// entry is a regular file of a bundle.
type entry struct {
	name string // a path as io/fs has it
	data []byte
}

// entryError says which entry of a bundle is to blame.
func entryError(name, format string, args ...any) error {
	return fmt.Errorf("entry %q: %w", name, fmt.Errorf(format, args...))
}

// readBundle returns the Rego files of a bundle, ordered as they lie in it. With
// a key, everything in the bundle must be what was signed.
func (s Source) readBundle(ps *problems) (files []file) {
	defer func() {
		if r := recover(); r != nil {
			files = nil
			ps.add(s.Name, 0, 0, "reading the bundle failed: %v", r)
		}
	}()
	entries, err := openBundle(s.Name)
	if err == nil {
		err = checkEntries(entries)
	}
	if err == nil && s.key != nil {
		err = s.key.verify(entries)
	}
	if err != nil {
		ps.add(s.Name, 0, 0, "%s", cause(err))
		return nil
	}
	if s.key == nil && slices.ContainsFunc(entries, isSignature) {
		ps.warn(s.Name, 0, 0, "the bundle is signed, but nothing verifies that: "+
			"--bundle-key, or signatures.bundle_key in the configuration, names the file with the key")
	}
	for _, e := range entries {
		if isSignatureFile(e.name) && !strings.HasPrefix(e.name, ".") && !strings.Contains(e.name, "/.") {
			files = append(files, file{name: path.Join(s.Name, e.name), base: path.Base(e.name), text: string(e.data)})
		}
	}
	if len(files) == 0 {
		ps.add(s.Name, 0, 0, "no .rego file in this bundle")
	}
	return files
}

func openBundle(name string) ([]entry, error) {
	// Opening anything but a regular file could block.
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	archive, err := io.ReadAll(io.LimitReader(f, maxArchiveBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(archive) > maxArchiveBytes:
		return nil, fmt.Errorf("the bundle is larger than %d bytes", maxArchiveBytes)
	}
	return unpack(archive)
}

// unpack reads the entries of a bundle into memory.
func unpack(archive []byte) ([]entry, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("not a bundle: %w", err)
	}
	bounded := &boundedReader{unzipped, maxBundleBytes}
	reader := tar.NewReader(bounded)
	var entries []entry
	seen := map[string]bool{}
	for {
		header, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF):
			// What follows is padding; reading it checks the sum at the end.
			if _, err := io.Copy(io.Discard, bounded); err != nil {
				return nil, fmt.Errorf("after the last entry: %w", err)
			}
			return entries, nil
		case err != nil && len(entries) > 0:
			return nil, fmt.Errorf("after entry %q: %w", entries[len(entries)-1].name, err)
		case err != nil:
			return nil, fmt.Errorf("not a bundle: %w", err)
		case header.Typeflag == tar.TypeXGlobalHeader:
			continue // what git archive says of its commit
		}
		// OPA writes its names from the root on.
		name := strings.TrimPrefix(strings.TrimPrefix(header.Name, "./"), "/")
		if header.Typeflag == tar.TypeDir {
			if name = strings.TrimSuffix(name, "/"); name != "" && !fs.ValidPath(name) {
				return nil, entryError(header.Name, "the name leads out of the bundle, or has more than one form")
			}
			continue
		}
		switch {
		case header.Typeflag != tar.TypeReg:
			return nil, entryError(header.Name, "neither a regular file nor a directory")
		case name == "." || !fs.ValidPath(name):
			return nil, entryError(header.Name, "the name leads out of the bundle, or has more than one form")
		case seen[name]:
			return nil, entryError(header.Name, "the bundle has it twice")
		case header.Size > maxEntryBytes:
			return nil, entryError(header.Name, "larger than %d bytes", maxEntryBytes)
		case len(entries) == maxEntries:
			return nil, entryError(header.Name, "the bundle has more than %d files", maxEntries)
		}
		seen[name] = true
		data, err := io.ReadAll(reader)
		if err != nil {
			return nil, entryError(header.Name, "%w", err)
		}
		entries = append(entries, entry{name, data})
	}
}

// boundedReader fails where the reader that it bounds goes on.
type boundedReader struct {
	io.Reader
	left int64
}

func (r *boundedReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if r.left -= int64(n); r.left < 0 {
		return 0, fmt.Errorf("the bundle unpacks to more than %d bytes", maxBundleBytes)
	}
	return n, err
}

// checkEntries refuses what a bundle can have and signatures cannot: it would be
// missing in silence.
func checkEntries(entries []entry) error {
	for _, e := range entries {
		switch base := path.Base(e.name); {
		case e.name == "patch.json":
			return entryError(e.name, "a delta bundle changes another one, and has no signatures")
		case e.name == bundle.ManifestExt:
			var manifest bundle.Manifest
			if err := json.Unmarshal(e.data, &manifest); err != nil {
				return entryError(e.name, "not a manifest of OPA: %w", err)
			}
		case base == "data.yaml" || base == "data.yml":
			return entryError(e.name, "signatures have no data but rules")
		case base == "data.json":
			// OPA writes an empty one into every bundle.
			var data map[string]any
			if err := json.Unmarshal(e.data, &data); err != nil || len(data) > 0 {
				return entryError(e.name, "signatures have no data but rules")
			}
		}
	}
	return nil
}
