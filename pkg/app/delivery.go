package app

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/deliver"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// drainTime bounds how long the end waits for alerts to be delivered.
const drainTime = 5 * time.Second

// DeliveryOptions say where alerts go.
type DeliveryOptions struct {
	JSON    bool   // one alert a line as JSON, else readable
	Color   bool   // colour readable alerts
	Webhook string // where to post each alert too, if not empty
	Version string // of ipcwarden, for the webhook's receiver

	// Settings are those of the configuration. Without a sink in them alerts go to
	// stdout.
	Settings deliver.Settings
	// Patient has whoever finds alerts wait for the sinks, so that none is lost: for a
	// recording, which can wait.
	Patient bool
}

// The names of the sinks that options make.
const (
	stdoutName  = "stdout"
	webhookName = "webhook"
)

// settings are those of Settings with the sinks of the options.
func (opts *DeliveryOptions) settings() deliver.Settings {
	s := opts.Settings
	if s.Retry == (deliver.Retry{}) {
		s.Retry = deliver.DefaultRetry()
	}
	s.Patient = opts.Patient
	s.Sinks = maps.Clone(s.Sinks)
	if s.Sinks == nil {
		s.Sinks = map[string]sink.Settings{}
	}
	if len(s.Sinks) == 0 {
		s.Sinks[stdoutName] = newSink(sink.KindStdout)
		if out := s.Sinks[stdoutName]; !opts.JSON {
			out.Format = sink.FormatTable
			s.Sinks[stdoutName] = out
		}
	}
	if opts.Webhook != "" {
		hook := newSink(sink.KindWebhook)
		hook.Webhook.URL = setting.NewSecret(opts.Webhook)
		s.Sinks[webhookName] = hook
	}
	return s
}

func newSink(kind string) (s sink.Settings) {
	s.SetDefaults()
	s.Kind = kind
	return s
}

// alertSink is where alerts go at once: Deliver must not wait.
type alertSink interface {
	Deliver(*alert.Alert) error
}

// delivery hands alerts to the sinks.
type delivery struct {
	*deliver.Delivery
	sinks    []alertSink // within this process, beside the others
	capacity int         // alerts that can wait for a sink; 0 with a spool, which goes by bytes
	maxBytes int64       // of the spool
	log      *zap.Logger
}

// newDelivery makes a delivery to what opts has, of which stdout is out, and to sinks
// within this process. host is where the events are from; close ends it.
func newDelivery(opts DeliveryOptions, host string, out io.Writer, log *zap.Logger, sinks ...alertSink) (*delivery, error) {
	env := sink.Environment{Stdout: out, Color: opts.Color, Version: opts.Version, Host: host}
	settings := opts.settings()
	made := &delivery{sinks: sinks, capacity: settings.Retry.Queue, maxBytes: int64(settings.Spool.MaxBytes), log: log}
	if settings.Spool.Path != "" {
		made.capacity = 0
	}
	settings.News = made.tell
	var err error
	if made.Delivery, err = deliver.New(settings, env, &alert.Factory{Host: host}, log); err != nil {
		return nil, err
	}
	return made, nil
}

// deliver hands an alert to every sink.
func (d *delivery) deliver(a *alert.Alert) {
	d.tell(a)
	d.Deliver(a)
}

// tell hands an alert to the sinks within this process.
func (d *delivery) tell(a *alert.Alert) {
	for _, s := range d.sinks {
		_ = s.Deliver(a) // counts what it cannot take
	}
}

// close waits for alerts that are under way, at most for drainTime, and says what became
// of all.
func (d *delivery) close() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := d.finish(ctx); err != nil {
		d.log.Error("delivery ended", zap.Error(err))
	}
}

// outlasting is ctx that goes on for some time after its end.
func outlasting(ctx context.Context, more time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(more, func() { cancel(context.Cause(ctx)) })
	})
	return longer, func() { stop(); cancel(nil) }
}

// finish waits for alerts that are under way until ctx ends, and says what became of all.
// The error tells of those that are not delivered.
func (d *delivery) finish(ctx context.Context) error {
	err := d.Close(ctx)
	c := d.Counters()
	for _, name := range slices.Sorted(maps.Keys(c.Sinks)) {
		s := c.Sinks[name]
		d.log.Info("sink closed", zap.String("sink", name), zap.Uint64("sent", s.Sent), zap.Uint64("below", s.Below),
			zap.Uint64("rejected", s.Rejected), zap.Uint64("lost", s.Lost), zap.Uint64("waiting", s.Waiting), zap.Uint64("retries", s.Retries))
	}
	d.log.Info("delivered", zap.Uint64("alerts", c.Taken), zap.Uint64("unstored", c.Unstored), zap.Uint64("dropped", c.Dropped))
	return err
}

// read adds to s what became of the alerts, all in all, at each sink and on disk.
func (d *delivery) read(s *status.Status) {
	c := d.Counters()
	for _, name := range slices.Sorted(maps.Keys(c.Sinks)) {
		of := c.Sinks[name]
		s.Sinks = append(s.Sinks, status.Sink{
			Name: name, Queue: int(of.Waiting), Capacity: d.capacity, Sent: of.Sent, Below: of.Below, Failed: of.Rejected,
			Dropped: of.Lost, Retries: of.Retries, Failing: of.Problem, Since: of.Since,
		})
	}
	s.Alerts = status.Alerts{Delivered: c.Taken, Undelivered: c.Dropped}
	if of := c.Spool; of != nil {
		s.Spool = &status.Spool{
			Bytes: of.Bytes, MaxBytes: d.maxBytes, Taken: c.Taken - c.Unstored, Delivered: c.Delivered, Dropped: of.Dropped,
			Unstored: c.Unstored, Errors: of.Errors, CutBytes: of.Cut, Failing: of.Problem,
		}
	}
}
