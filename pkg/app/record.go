package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/capture"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// RecordOptions are the settings of Record.
type RecordOptions struct {
	Probe   probe.Options // of which Record sets Log
	File    string        // must not exist; - is stdout
	Count   uint64        // stop after so many events; 0 for no limit
	Timeout time.Duration // stop after so long; 0 for no limit
	Version string        // of ipcwarden, for the header
}

// Record writes the events that the filter lets through to a file, until ctx ends.
func Record(ctx context.Context, opts RecordOptions, stdout io.Writer, log *zap.Logger) error {
	ctx, stop := limited(ctx, opts.Timeout)
	defer stop()
	p, err := open(opts.Probe, log)
	if err != nil {
		return err
	}
	defer p.Close()
	host, source, err := liveSource(p)
	if err != nil {
		return err
	}
	r, err := newRecorder(opts.File, stdout, capture.Header{Host: host, Hook: p.Hook(), Program: opts.Version}, log)
	if err != nil {
		return err
	}
	settle(log, p)
	stage := &counter{limit: opts.Count, failure: &r.failure}
	err = pipeline.Run(ctx, r.tee(source), opts.Probe.Filter.Events, stage)
	err = errors.Join(err, r.close())
	logCounts(log, p, zap.Uint64("events", stage.count))
	return err
}

// limited is ctx that ends after a time, if that is not 0.
func limited(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout > 0 {
		return context.WithTimeout(ctx, timeout)
	}
	return ctx, func() {}
}

// recorder writes what a source yields to a file.
type recorder struct {
	name    string
	file    *os.File // nil for stdout
	writer  *capture.Writer
	log     *zap.Logger
	failure error
}

// newRecorder makes the file called name, which only its owner can read: there are
// messages in it. One that exists is left alone.
func newRecorder(name string, stdout io.Writer, h capture.Header, log *zap.Logger) (*recorder, error) {
	r := &recorder{name: name, log: log}
	out := stdout
	if name != "-" {
		var err error
		r.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("record: %s exists: remove it, or record to another file", name)
		}
		if err != nil {
			return nil, fmt.Errorf("record: %w", err)
		}
		out = r.file
	}
	h.Started = time.Now().UTC()
	var err error
	if r.writer, err = capture.NewWriter(out, h); err != nil {
		r.file.Close()
		return nil, err
	}
	return r, nil
}

// tee is source, recorded until that fails.
func (r *recorder) tee(source pipeline.Source) pipeline.Source {
	return capture.Tee(source, r.writer, func(err error) {
		r.failure = err
		r.log.Error("the recording has ended, all before can be read", zap.String("file", r.name), zap.Error(err))
	})
}

// close completes the recording, and says what is in it. Its error is that of the
// whole recording.
func (r *recorder) close() error {
	err := r.writer.Close()
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
	}
	r.log.Info("recorded", zap.String("file", r.name), zap.Uint64("events", r.writer.Events()), zap.Uint64("bytes", r.writer.Bytes()), zap.Error(err))
	return err
}

// counter is the stage of a recording, which is made before it.
type counter struct {
	limit, count uint64
	failure      *error
}

// Event implements pipeline.Stage.
func (c *counter) Event(context.Context, *event.Event) error {
	if c.count++; c.count == c.limit || *c.failure != nil {
		return pipeline.ErrDone
	}
	return nil
}

// Idle implements pipeline.Stage.
func (c *counter) Idle() error { return *c.failure }

// Gap implements pipeline.Stage: the recording has it.
func (c *counter) Gap(context.Context, pipeline.Gap) error { return nil }
