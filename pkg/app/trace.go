// Package app wires the parts into what the commands do. It is the root of the
// import graph.
package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// TraceOptions are the settings of Trace.
type TraceOptions struct {
	Probe      probe.Options // of which Trace sets Log
	Containers []string      // id, or the beginning of one
	JSON       bool          // one document a line, else one readable line
	Count      uint64        // stop after so many events; 0 for no limit
	Timeout    time.Duration // stop after so long; 0 for no limit
}

// Trace prints the events that the filter lets through until ctx ends.
func Trace(ctx context.Context, opts TraceOptions, out io.Writer, log *zap.Logger) error {
	if opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.Timeout)
		defer cancel()
	}
	p, err := open(opts.Probe, log)
	if err != nil {
		return err
	}
	defer p.Close()
	_, source, err := liveSource(p)
	if err != nil {
		return err
	}
	logAttachment(log, p)
	printer := &tracer{opts: opts, out: bufio.NewWriterSize(out, 64<<10), log: log}
	printer.json = json.NewEncoder(printer.out)
	printer.json.SetEscapeHTML(false)
	err = pipeline.Run(ctx, source, opts.Probe.Filter.Events, printer)
	if flushed := printer.out.Flush(); err == nil {
		err = flushed
	}
	logCounts(log, p, zap.Uint64("events", printer.count))
	return err
}

// tracer is the stage that prints.
type tracer struct {
	opts     TraceOptions
	out      *bufio.Writer
	json     *json.Encoder
	log      *zap.Logger
	line     []byte
	document event.Document
	count    uint64
}

func (t *tracer) Event(_ context.Context, e *event.Event) error {
	if !inContainer(e.Process.ContainerID, t.opts.Containers) {
		return nil
	}
	if err := t.print(e); err != nil {
		return fmt.Errorf("print event: %w", err)
	}
	if t.count++; t.count == t.opts.Count {
		return pipeline.ErrDone
	}
	return nil
}

func (t *tracer) print(e *event.Event) error {
	if t.opts.JSON {
		e.Document(&t.document)
		return t.json.Encode(&t.document)
	}
	t.line = append(format.Line(t.line[:0], e), '\n')
	_, err := t.out.Write(t.line)
	return err
}

func (t *tracer) Idle() error {
	if err := t.out.Flush(); err != nil {
		return fmt.Errorf("print event: %w", err)
	}
	return nil
}

func (t *tracer) Gap(_ context.Context, g pipeline.Gap) error {
	logGap(t.log, g)
	return nil
}

func inContainer(id string, wanted []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(prefix string) bool {
		return prefix != "" && strings.HasPrefix(id, prefix)
	})
}
