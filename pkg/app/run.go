package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/enrich"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// drainTime bounds how long Run waits at its end for alerts to be delivered.
const drainTime = 5 * time.Second

// RunOptions are the settings of Run.
type RunOptions struct {
	Signatures []string // directories or files, beside the built-in ones
	NoBuiltin  bool
	Probe      probe.Options // of which Run sets Filter and Log
	JSON       bool          // one alert a line as JSON, else readable
	Color      bool          // colour readable alerts
	Webhook    string        // where to post each alert too, if not empty
	Version    string        // of ipcwarden, for the webhook's receiver
}

// Run watches the host and delivers alerts until ctx ends. Then it delivers what
// was captured before.
func Run(ctx context.Context, opts RunOptions, out io.Writer, log *zap.Logger) (err error) {
	rules, err := loadSignatures(opts, log)
	if err != nil {
		return err
	}
	opts.Probe.Filter = probe.Filter{Events: rules.Events()}
	p, err := open(opts.Probe, log)
	if err != nil {
		return err
	}
	defer p.Close()
	w := &warden{engine: rules, log: log, sinks: []alertSink{stdout(opts, out)}}
	if w.enrich, w.alerts, err = host(); err != nil {
		return err
	}
	if opts.Webhook != "" {
		hook, err := sink.NewWebhook(opts.Webhook, sink.WebhookOptions{Version: opts.Version}, log)
		if err != nil {
			return err
		}
		w.sinks = append(w.sinks, hook)
		defer closeWebhook(hook, log)
	}
	logAttachment(log, p, zap.Int("signatures", len(rules.Counters())))
	err = pipeline.Run(ctx, p, rules.Events(), w)
	logCounts(log, p, zap.Uint64("alerts", w.delivered), zap.Uint64("undelivered", w.undelivered))
	return err
}

func loadSignatures(opts RunOptions, log *zap.Logger) (*engine.Engine, error) {
	set, err := regosig.Load(regosig.Sources(opts.NoBuiltin, opts.Signatures)...)
	if err != nil {
		return nil, err
	}
	for _, warning := range set.Warnings() {
		log.Warn("signature", zap.String("warning", warning))
	}
	if len(set.Signatures()) == 0 {
		return nil, errors.New("no signature to watch with: leave out --no-builtin, or add some with --signatures DIR")
	}
	return engine.New(set.Signatures(), log)
}

func stdout(opts RunOptions, out io.Writer) alertSink {
	if opts.JSON {
		return sink.NewJSON(out)
	}
	return sink.NewTable(out, opts.Color)
}

func closeWebhook(hook *sink.Webhook, log *zap.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := hook.Close(ctx)
	c := hook.Counters()
	log.Info("webhook closed", zap.Uint64("sent", c.Sent), zap.Uint64("failed", c.Failed), zap.Uint64("dropped", c.Dropped),
		zap.Uint64("retries", c.Retries), zap.Error(err))
}

// alertSink is where alerts go. Deliver must not wait for a network.
type alertSink interface {
	Deliver(*alert.Alert) error
}

// warden is the stage that turns events into alerts.
type warden struct {
	enrich *enrich.Enricher
	engine *engine.Engine
	alerts *alert.Factory
	sinks  []alertSink
	log    *zap.Logger

	failing                bool // the last delivery failed
	delivered, undelivered uint64
}

func (w *warden) Event(ctx context.Context, e *event.Event) error {
	w.enrich.Enrich(e)
	w.engine.Evaluate(ctx, e, w.found)
	return nil
}

func (w *warden) found(meta *detect.Metadata, finding detect.Finding, in *detect.Input) {
	w.deliver(w.alerts.FromFinding(meta, finding, in.Document()))
}

func (w *warden) Idle() error { return nil }

func (w *warden) Gap(_ context.Context, g pipeline.Gap) error {
	logGap(w.log, g)
	w.deliver(w.alerts.FromGap(alert.Gap{From: g.From, To: g.To, Count: g.Count, Cause: g.Cause, Hook: g.Hook}))
	return nil
}

// deliver hands an alert to every sink. One that cannot take it, a full disk
// say, costs neither the others nor the capture anything.
func (w *warden) deliver(a *alert.Alert) {
	var errs []error
	for _, s := range w.sinks {
		if err := s.Deliver(a); err != nil {
			errs = append(errs, err)
		}
	}
	err := errors.Join(errs...)
	switch {
	case err == nil:
		w.delivered++
		if w.failing {
			w.log.Info("alerts are delivered again", zap.Uint64("undelivered", w.undelivered))
		}
	default:
		w.undelivered++
		if !w.failing {
			w.log.Error("alert not delivered", zap.String("id", a.ID), zap.Error(fmt.Errorf("deliver: %w", err)))
		}
	}
	w.failing = err != nil
}
