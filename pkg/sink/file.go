package sink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

const mebibyte = 1 << 20

// File is the settings of a file that is replaced when it has become too large.
type File struct {
	Path     string        `yaml:"path" example:"/var/log/ipcwarden/alerts.json" doc:"path of the file, absolute"`
	MaxBytes setting.Bytes `yaml:"max_bytes" doc:"size, in whole MiB, from which on the file is renamed and a new one begun"`
	Keep     int           `yaml:"keep" doc:"number of renamed files to keep; 0 keeps all"`
	KeepDays int           `yaml:"keep_days" doc:"number of days to keep renamed files for; 0 for ever"`
	Compress bool          `yaml:"compress" doc:"compress renamed files by gzip"`
}

func (f *File) setDefaults() { f.MaxBytes, f.Keep = 100*mebibyte, 10 }

func (f *File) check() error {
	var errs []error
	if !filepath.IsAbs(f.Path) {
		errs = append(errs, setting.Under("path", fmt.Errorf("%q is no absolute path", f.Path)))
	}
	if f.MaxBytes < mebibyte || f.MaxBytes%mebibyte != 0 {
		errs = append(errs, setting.Under("max_bytes", fmt.Errorf("%s is not one or more whole MiB", f.MaxBytes)))
	}
	if f.Keep < 0 || f.KeepDays < 0 {
		errs = append(errs, setting.Under("keep", errors.New("keep and keep_days cannot be negative")))
	}
	return errors.Join(errs...)
}

// file writes each alert as a line.
type file struct {
	out    *lumberjack.Logger
	render render
	line   []byte
}

func newFile(s *Settings) (*file, error) {
	f, err := s.line(false)
	return &file{render: f, out: &lumberjack.Logger{ // gives a new file mode 0600
		Filename: s.File.Path, MaxSize: int(s.File.MaxBytes / mebibyte), MaxBackups: s.File.Keep, MaxAge: s.File.KeepDays,
		Compress: s.File.Compress,
	}}, err
}

func (f *file) Batch() int   { return 1 }
func (f *file) Close() error { return f.out.Close() }

func (f *file) Deliver(_ context.Context, entries []*Entry) error {
	for _, e := range entries {
		line, err := f.render(f.line[:0], e)
		if err != nil {
			return &Rejected{err}
		}
		line = append(line, '\n')
		f.line = line
		if n, err := f.out.Write(f.line); err != nil {
			return errors.Join(fmt.Errorf("write: %w", err), f.undo(n))
		}
	}
	return nil
}

// undo takes the part of a line away that was written before the disk was full. The
// file is opened anew by the next delivery: it may be another one by then.
func (f *file) undo(written int) error {
	if written > 0 {
		info, err := os.Stat(f.out.Filename)
		if err == nil {
			err = os.Truncate(f.out.Filename, max(0, info.Size()-int64(written)))
		}
		if err != nil {
			return fmt.Errorf("take back part of a line: %w", err)
		}
	}
	_ = f.out.Close() // it is broken anyhow
	return nil
}
