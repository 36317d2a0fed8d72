package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/correlate"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/enrich"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/signatures"
)

// drainTime bounds how long Run waits at its end for alerts to be delivered.
const drainTime = 5 * time.Second

// RunOptions are the settings of Run.
type RunOptions struct {
	Signatures []string // directories, files or bundles, beside the built-in ones
	BundleKey  string   // file with the key that bundles are signed for, if not empty
	NoBuiltin  bool
	Probe      probe.Options // of which Run sets Filter and Log
	JSON       bool          // one alert a line as JSON, else readable
	Color      bool          // colour readable alerts
	NoPushdown bool          // capture also what no signature can match
	Webhook    string        // where to post each alert too, if not empty
	Version    string        // of ipcwarden, for the webhook's receiver

	// Hangup asks for the signatures to be reloaded each time that it yields.
	Hangup <-chan os.Signal
}

// Run watches the host and delivers alerts until ctx ends. Then it delivers what
// was captured before.
func Run(ctx context.Context, opts RunOptions, out io.Writer, log *zap.Logger) (err error) {
	reloads := newReloader(opts, log)
	first, err := reloads.load()
	if err != nil {
		return err
	}
	set := first.engine
	rules := engine.New(set, log)
	defer rules.Close()
	opts.Probe.Filter = probe.Filter{Events: set.Events()}
	w := &warden{engine: rules, reloads: reloads, log: log, sinks: []alertSink{stdout(opts, out)}, pushdown: !opts.NoPushdown}
	if w.pushdown {
		opts.Probe.Wanted = new(set.Wanted())
		w.wanted = *opts.Probe.Wanted
	}
	if reloads.possible() {
		opts.Probe.MayWant = event.All
	}
	p, err := open(opts.Probe, log)
	if err != nil {
		return err
	}
	defer p.Close()
	w.capture = p
	rules.Suspended = w.suspended
	w.correlator = correlate.New(w.correlated, correlate.DefaultLimits)
	if err := w.correlator.Use(first.metadata); err != nil {
		return err
	}
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
	logAttachment(log, p, zap.Int("signatures", set.Len()))
	go reloads.run(ctx)
	// The stage knows which events are wanted at the moment.
	err = pipeline.Run(ctx, p, event.All, w)
	w.correlator.Flush()
	logCorrelations(log, w.correlator)
	logCounts(log, p, zap.Uint64("alerts", w.delivered), zap.Uint64("undelivered", w.undelivered))
	return err
}

func (opts *RunOptions) sources() ([]regosig.Source, error) {
	return regosig.WithBundleKey(regosig.Sources(opts.NoBuiltin, opts.Signatures), opts.BundleKey)
}

// loaded is signatures that are ready for use.
type loaded struct {
	engine   *engine.Set
	metadata []*detect.Metadata
}

func loadSignatures(opts RunOptions, log *zap.Logger) (*loaded, error) {
	sources, err := opts.sources()
	if err != nil {
		return nil, err
	}
	set, err := regosig.Load(sources...)
	if err != nil {
		return nil, err
	}
	for _, warning := range set.Warnings() {
		log.Warn("signature", zap.String("warning", warning))
	}
	all := set.Signatures()
	if !opts.NoBuiltin {
		if all, err = signatures.AddTo(all); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no signature to watch with: leave out --no-builtin, or add some with --signatures DIR")
	}
	l := &loaded{}
	for _, s := range all {
		l.metadata = append(l.metadata, s.Metadata())
	}
	l.engine, err = engine.NewSet(all)
	return l, err
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

// capture is what a change of signatures needs of the probe.
type capture interface {
	SetEvents(event.Set) error
	SetWanted(pushdown.Set) error
}

// warden is the stage that turns events into alerts.
type warden struct {
	enrich *enrich.Enricher
	engine *engine.Engine

	correlator *correlate.Correlator

	alerts *alert.Factory
	sinks  []alertSink
	log    *zap.Logger

	reloads *reloader
	capture capture

	pushdown bool         // the capture leaves out what no signature can match
	wanted   pushdown.Set // what it is told that signatures can match

	failing                bool // the last delivery failed
	delivered, undelivered uint64
}

func (w *warden) Event(ctx context.Context, e *event.Event) error {
	w.reload()
	if !w.engine.Events().Has(e.ID) {
		return nil
	}
	w.enrich.Enrich(e)
	w.correlator.Advance(e)
	w.engine.Evaluate(ctx, e, w.found)
	return nil
}

func (w *warden) found(meta *detect.Metadata, finding detect.Finding, in *detect.Input) {
	if meta.Correlation != nil {
		w.correlator.Observe(meta, finding, in)
		return
	}
	w.deliver(w.alerts.FromFinding(meta, finding, in.Document()))
}

// correlated takes what a correlation made of many findings.
func (w *warden) correlated(meta *detect.Metadata, finding detect.Finding, doc *event.Document) {
	w.deliver(w.alerts.FromFinding(meta, finding, doc))
}

func (w *warden) Idle() error {
	w.reload()
	return nil
}

// reload takes new signatures, if there are any, between two events: each is
// judged by the old ones or by the new ones.
func (w *warden) reload() {
	next := w.reloads.take()
	if next == nil {
		return
	}
	set := next.engine
	// While both are captured no event that either wants can be missing.
	wanted := set.Wanted()
	if err := w.want(w.engine.Events()|set.Events(), w.wanted.Or(wanted)); err != nil {
		w.log.Error("signatures not reloaded, those from before stay in use", zap.Strings("problems", []string{err.Error()}))
		return
	}
	if err := w.correlator.Use(next.metadata); err != nil {
		w.log.Error("signatures not reloaded, those from before stay in use", zap.Strings("problems", []string{err.Error()}))
		return
	}
	added, removed := w.engine.Use(set)
	if err := w.want(set.Events(), wanted); err != nil {
		w.log.Warn("events that no signature selects are captured all the same", zap.Error(err))
	}
	w.log.Info("signatures reloaded", zap.Int("signatures", set.Len()), zap.Strings("added", added), zap.Strings("removed", removed))
}

// want says what to capture. The old and the new have to have in common what must not
// be missed meanwhile.
func (w *warden) want(events event.Set, wanted pushdown.Set) error {
	if err := w.capture.SetEvents(events); err != nil || !w.pushdown {
		return err
	}
	if err := w.capture.SetWanted(wanted); err != nil {
		return err
	}
	w.wanted = wanted
	return nil
}

// suspended tells of a signature that was too slow.
func (w *warden) suspended(s engine.Suspension) {
	w.deliver(w.alerts.FromSuspension(s.Metadata, alert.Suspension{
		From: s.From, To: s.To, Overruns: s.Overruns, BudgetNS: s.Budget.Nanoseconds(),
	}, s.Input.Document()))
}

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
