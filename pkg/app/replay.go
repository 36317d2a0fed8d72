package app

import (
	"context"
	"errors"
	"io"
	"maps"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/capture"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
)

// ReplayOptions are the settings of Replay.
type ReplayOptions struct {
	Config   *config.Loaded
	Deliver  bool   // to all sinks of the configuration; else to those on stdout only
	RealTime bool   // with the time between the events, else as fast as can be
	Color    bool   // colour readable alerts
	Version  string // of ipcwarden, for receivers of alerts
}

// deliveryOptions are those of a run with the same configuration, without what belongs to
// a daemon that may run beside: its spool and its dead letters. Unless asked for, alerts
// go nowhere but to stdout: a recording must not call anybody out of bed.
func (opts *ReplayOptions) deliveryOptions() DeliveryOptions {
	run := RunOptions{Config: opts.Config, Color: opts.Color, Version: opts.Version}
	d := run.deliveryOptions()
	d.Patient = true // nothing that happens waits for a recording
	d.Settings.Spool, d.Settings.DeadLetters = spool.Default(), ""
	if opts.Deliver {
		return d
	}
	d.Webhook = ""
	d.Settings.Sinks = maps.Clone(d.Settings.Sinks)
	maps.DeleteFunc(d.Settings.Sinks, func(_ string, s sink.Settings) bool { return s.Kind != sink.KindStdout })
	if opts.Config.Origins["output"].Flag != "" { // which is about stdout, and somebody wants just now
		for name, s := range d.Settings.Sinks {
			s.Format, s.Template = opts.Config.Output, ""
			d.Settings.Sinks[name] = s
		}
	}
	return d
}

// Replay turns a recording into alerts, as Run does with what happens. It ends with
// the recording, when all alerts are delivered, or with ctx.
func Replay(ctx context.Context, opts ReplayOptions, in io.Reader, out io.Writer, log *zap.Logger) error {
	signatures, err := loadFor(opts.Config, log)
	if err != nil {
		return err
	}
	recording, err := capture.Open(in)
	if err != nil {
		return err
	}
	host := recording.Header().Host
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	to := opts.deliveryOptions()
	if !opts.Deliver { // whoever waits for lines on stdout wants to know that none can be written
		to.Settings.Failing = func(_ string, err error) { end(err) }
	}
	delivery, err := newDelivery(to, host, out, log)
	if err != nil {
		return err
	}
	w, err := newWarden(parts{host: host, signatures: signatures, delivery: delivery, log: log, config: opts.Config.Config})
	if err != nil {
		delivery.close()
		return err
	}
	defer w.close()
	counted := &countedSource{Source: recording}
	var source pipeline.Source = counted
	if opts.RealTime {
		source = capture.InRealTime(counted)
	}
	start := time.Now()
	defer context.AfterFunc(ctx, delivery.Hurry)()
	err = w.watch(ctx, source)
	logCut(log, recording)
	longer, stop := outlasting(ctx, drainTime)
	defer stop()
	err = errors.Join(err, delivery.finish(longer))
	log.Info("replayed", zap.Uint64("events", counted.events), zap.Uint64("gaps", counted.gaps),
		zap.Uint64("alerts", delivery.Counters().Taken), zap.Uint64("undelivered", delivery.Counters().Dropped), zap.Duration("took", time.Since(start)))
	return err
}

func logCut(log *zap.Logger, r *capture.Recording) {
	if why := r.Cut(); why != "" {
		log.Warn("the recording is not complete", zap.String("why", why))
	}
}

// countedSource counts what a source yields.
type countedSource struct {
	pipeline.Source
	events, gaps uint64
}

// Next implements pipeline.Source.
func (c *countedSource) Next(e *event.Event) (*pipeline.Gap, error) {
	gap, err := c.Source.Next(e)
	switch {
	case gap != nil:
		c.gaps++
	case err == nil:
		c.events++
	}
	return gap, err
}
