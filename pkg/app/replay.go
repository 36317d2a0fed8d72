package app

import (
	"context"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/capture"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// ReplayOptions are the settings of Replay.
type ReplayOptions struct {
	SignatureOptions
	DeliveryOptions
	RealTime bool // with the time between the events, else as fast as can be
}

// Replay turns a recording into alerts, as Run does with what happens. It ends with
// the recording, or ctx.
func Replay(ctx context.Context, opts ReplayOptions, in io.Reader, out io.Writer, log *zap.Logger) error {
	signatures, err := loadSignatures(opts.SignatureOptions, log)
	if err != nil {
		return err
	}
	recording, err := capture.Open(in)
	if err != nil {
		return err
	}
	host := recording.Header().Host
	opts.Patient = true // nothing that happens waits for a recording
	delivery, err := newDelivery(opts.DeliveryOptions, host, out, log)
	if err != nil {
		return err
	}
	defer delivery.close()
	w, err := newWarden(parts{host: host, signatures: signatures, delivery: delivery, log: log})
	if err != nil {
		return err
	}
	defer w.close()
	counted := &countedSource{Source: recording}
	var source pipeline.Source = counted
	if opts.RealTime {
		source = capture.InRealTime(counted)
	}
	start := time.Now()
	err = w.watch(ctx, source)
	logCut(log, recording)
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
