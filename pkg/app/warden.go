package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/correlate"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
	"github.com/ipcwarden/ipcwarden/pkg/suppress"
	"github.com/ipcwarden/ipcwarden/pkg/throttle"
)

// parts is what a warden is made of.
type parts struct {
	host       string // where the events are from
	signatures *loaded
	delivery   *delivery
	log        *zap.Logger

	reloads *reloader // nil: the signatures stay as they are
	demand  demand

	monitor *monitor         // nil: nobody looks
	config  *config.Config   // for what is bounded
	now     func() time.Time // the clock of events that happen now; nil for those of a recording
}

// warden is the stage that turns events into alerts, wherever the events come from:
// what it does follows from them and the signatures alone.
type warden struct {
	parts
	engine     *engine.Engine
	correlator *correlate.Correlator
	suppress   *suppress.List
	throttle   *throttle.Throttle
	alerts     alert.Factory
}

// newWarden makes a warden, which close ends.
func newWarden(p parts) (*warden, error) {
	w := &warden{parts: p, engine: engine.New(p.signatures.engine, p.log), alerts: alert.Factory{Host: p.host}}
	w.engine.Suspended = w.suspended
	w.correlator = correlate.New(w.correlated, p.config.Correlation.Limits())
	if err := w.correlator.Use(p.signatures.metadata); err != nil {
		w.close()
		return nil, err
	}
	var err error
	if w.throttle, err = throttle.New(p.config.Throttle, &w.alerts, w.delivery.deliver); err != nil {
		w.close()
		return nil, err
	}
	w.use(p.signatures)
	return w, nil
}

// use takes what is to be suppressed of the findings of l.
func (w *warden) use(l *loaded) {
	logSuppressed(w.log, w.suppress)
	l.suppress.Inherit(w.suppress)
	w.suppress = l.suppress
	logSuppressions(w.log, l.suppress, l.metadata)
}

func (w *warden) close() { w.engine.Close() }

// watch turns the events of source into alerts until it has no more, or ctx ends.
func (w *warden) watch(ctx context.Context, source pipeline.Source) error {
	// The warden knows which events are wanted at the moment.
	err := pipeline.Run(ctx, source, event.All, w)
	w.correlator.Flush()
	w.throttle.Flush()
	logSuppressed(w.log, w.suppress)
	logThrottled(w.log, w.throttle)
	logCorrelations(w.log, w.correlator)
	return err
}

// Event implements pipeline.Stage.
func (w *warden) Event(ctx context.Context, e *event.Event) error {
	w.reload()
	w.monitor.look(w)
	if !w.engine.Events().Has(e.ID) {
		return nil
	}
	w.correlator.Advance(e)
	w.throttle.Advance(time.Unix(0, e.TimeNS+int64(e.DurationNS)))
	w.engine.Evaluate(ctx, e, w.found)
	return nil
}

// Idle implements pipeline.Stage.
func (w *warden) Idle() error {
	w.reload()
	w.monitor.look(w)
	if w.now != nil {
		// Events that are not here yet ended later than that: a replay of a recording
		// comes to the same, without this.
		w.throttle.Advance(w.now().Add(-correlate.Lateness))
	}
	return nil
}

// Gap implements pipeline.Stage.
func (w *warden) Gap(_ context.Context, g pipeline.Gap) error {
	logGap(w.log, g)
	w.throttle.Advance(g.To.Add(-correlate.Lateness))
	gap := alert.Gap{From: g.From, To: g.To, Count: g.Count, Cause: g.Cause, Hook: g.Hook}
	if m := g.Muted; m.Signature != "" {
		gap.Aggregated = &alert.Aggregated{SignatureID: m.Signature, EventName: m.Event.String(), HostProcessID: m.HostPID}
	}
	w.raise(w.alerts.FromGap(gap))
	return nil
}

func (w *warden) found(meta *detect.Metadata, finding detect.Finding, in *detect.Input) {
	if meta.Correlation != nil {
		w.correlator.Observe(meta, finding, in)
		return
	}
	w.raise(w.alerts.FromFinding(meta, finding, in.Document()))
}

// correlated takes what a correlation made of many findings.
func (w *warden) correlated(meta *detect.Metadata, finding detect.Finding, doc *event.Document) {
	w.raise(w.alerts.FromFinding(meta, finding, doc))
	if err := w.demand.mute(meta, doc); err != nil {
		w.log.Warn("a flood is not counted in the kernel", zap.Error(err))
	}
}

// suspended tells of a signature that was too slow.
func (w *warden) suspended(s engine.Suspension) {
	w.raise(w.alerts.FromSuspension(s.Metadata, alert.Suspension{
		From: s.From, To: s.To, Overruns: s.Overruns, BudgetNS: s.Budget.Nanoseconds(),
	}, s.Input.Document()))
}

// raise hands an alert on, unless it is suppressed or there are too many like it.
func (w *warden) raise(a *alert.Alert) {
	if w.suppress == nil || !w.suppress.Suppresses(a) {
		w.throttle.Take(a)
	}
}

// reload takes new signatures, if there are any, between two events: each is
// judged by the old ones or by the new ones.
func (w *warden) reload() {
	if w.reloads == nil {
		return
	}
	next := w.reloads.take()
	if next == nil {
		return
	}
	set := next.engine
	// While both are captured no event that either wants can be missing.
	wanted := set.Wanted()
	if err := w.demand.set(w.engine.Events()|set.Events(), w.demand.wanted.Or(wanted)); err != nil {
		w.reloads.failed("kernel side not changed", err)
		return
	}
	if err := w.correlator.Use(next.metadata); err != nil {
		w.reloads.failed("correlations not changed", err)
		return
	}
	added, removed := w.engine.Use(set)
	w.use(next)
	if err := w.demand.set(set.Events(), wanted); err != nil {
		w.log.Warn("events that no signature selects are captured all the same", zap.Error(err))
	}
	w.reloads.taken(next, zap.Int("signatures", set.Len()), zap.Strings("added", added), zap.Strings("removed", removed))
}
