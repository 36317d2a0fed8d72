package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
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
}

// alertSink is where alerts go. Deliver must not wait for a network.
type alertSink interface {
	Deliver(*alert.Alert) error
}

// delivery hands alerts to the sinks.
type delivery struct {
	sinks   []alertSink
	webhook *sink.Webhook // one of the sinks, if not nil
	log     *zap.Logger

	failing                bool // the last delivery failed
	delivered, undelivered uint64
}

// newDelivery makes a delivery to out and what opts has beside it. close ends it.
func newDelivery(opts DeliveryOptions, out io.Writer, log *zap.Logger) (*delivery, error) {
	d := &delivery{log: log}
	if opts.JSON {
		d.sinks = append(d.sinks, sink.NewJSON(out))
	} else {
		d.sinks = append(d.sinks, sink.NewTable(out, opts.Color))
	}
	if opts.Webhook == "" {
		return d, nil
	}
	var err error
	if d.webhook, err = sink.NewWebhook(opts.Webhook, sink.WebhookOptions{Version: opts.Version}, log); err != nil {
		return nil, err
	}
	d.sinks = append(d.sinks, d.webhook)
	return d, nil
}

// deliver hands an alert to every sink. One that cannot take it, a full disk
// say, costs neither the others nor the capture anything.
func (d *delivery) deliver(a *alert.Alert) {
	var errs []error
	for _, s := range d.sinks {
		if err := s.Deliver(a); err != nil {
			errs = append(errs, err)
		}
	}
	err := errors.Join(errs...)
	switch {
	case err == nil:
		d.delivered++
		if d.failing {
			d.log.Info("alerts are delivered again", zap.Uint64("undelivered", d.undelivered))
		}
	default:
		d.undelivered++
		if !d.failing {
			d.log.Error("alert not delivered", zap.String("id", a.ID), zap.Error(fmt.Errorf("deliver: %w", err)))
		}
	}
	d.failing = err != nil
}

// close waits for alerts that are under way.
func (d *delivery) close() {
	if d.webhook == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := d.webhook.Close(ctx)
	c := d.webhook.Counters()
	d.log.Info("webhook closed", zap.Uint64("sent", c.Sent), zap.Uint64("failed", c.Failed), zap.Uint64("dropped", c.Dropped),
		zap.Uint64("retries", c.Retries), zap.Error(err))
}

// status is what became of the alerts, all in all and at each sink that can tell.
func (d *delivery) status() (status.Alerts, []status.Sink) {
	stdout := status.Sink{Name: "stdout", Sent: d.delivered, Failed: d.undelivered}
	if d.failing {
		stdout.Failing = "the last alert was not delivered"
	}
	sinks := []status.Sink{stdout}
	for _, s := range d.sinks {
		if s, ok := s.(interface{ Status() status.Sink }); ok {
			sinks = append(sinks, s.Status())
		}
	}
	return status.Alerts{Delivered: d.delivered, Undelivered: d.undelivered}, sinks
}
