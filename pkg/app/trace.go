// Package app wires the parts into what the commands do. It is the root of the
// import graph.
package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/capture"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// TraceOptions are the settings of Trace.
type TraceOptions struct {
	Probe      probe.Options // of which Trace sets Log
	From       io.Reader     // a recording to print instead, by the filter of Probe, if not nil
	Containers []string      // id, or the beginning of one
	JSON       bool          // one document a line, else one readable line
	Count      uint64        // stop after so many events; 0 for no limit
	Timeout    time.Duration // stop after so long; 0 for no limit
}

// Trace prints the events that the filter lets through until ctx ends.
func Trace(ctx context.Context, opts TraceOptions, out io.Writer, log *zap.Logger) error {
	ctx, stop := limited(ctx, opts.Timeout)
	defer stop()
	if opts.From != nil {
		return traceRecording(ctx, opts, out, log)
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
	settle(log, p)
	printed, err := printAll(ctx, opts, source, out, log)
	logCounts(log, p, zap.Uint64("events", printed))
	return err
}

func traceRecording(ctx context.Context, opts TraceOptions, out io.Writer, log *zap.Logger) error {
	recording, err := capture.Open(opts.From)
	if err != nil {
		return err
	}
	_, err = printAll(ctx, opts, recording, out, log)
	logCut(log, recording)
	return err
}

// printAll prints what source yields, and says how many events that was.
func printAll(ctx context.Context, opts TraceOptions, source pipeline.Source, out io.Writer, log *zap.Logger) (uint64, error) {
	printer := &tracer{opts: opts, out: bufio.NewWriterSize(out, 64<<10), log: log}
	printer.json = capture.NewLineEncoder(format.NewJSONEncoder(printer.out))
	err := pipeline.Run(ctx, source, opts.Probe.Filter.Events, printer)
	if flushed := printer.out.Flush(); err == nil {
		err = flushed
	}
	return printer.count, err
}

// tracer is the stage that prints.
type tracer struct {
	opts  TraceOptions
	out   *bufio.Writer
	json  *capture.LineEncoder
	log   *zap.Logger
	line  []byte
	count uint64
}

func (t *tracer) Event(_ context.Context, e *event.Event) error {
	if !inContainer(e.Process.ContainerID, t.opts.Containers) || t.opts.From != nil && !passes(e, &t.opts.Probe.Filter) {
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
		return t.json.Encode(e)
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

// passes is what the kernel does for a live capture: it tells whether the process of e
// is one that the filter lets through.
func passes(e *event.Event, f *probe.Filter) bool {
	p := &e.Process
	return (len(f.PIDs) == 0 || slices.Contains(f.PIDs, p.HostPID) || slices.Contains(f.PIDs, p.HostTID)) &&
		(len(f.UIDs) == 0 || slices.Contains(f.UIDs, p.UID)) && (len(f.Comms) == 0 || slices.Contains(f.Comms, p.Comm))
}
