package app

import (
	"context"
	"io"
	"os"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// RunOptions are the settings of Run.
type RunOptions struct {
	SignatureOptions
	DeliveryOptions
	Probe      probe.Options // of which Run sets Filter and Log
	NoPushdown bool          // capture also what no signature can match

	// Hangup asks for the signatures to be reloaded each time that it yields.
	Hangup <-chan os.Signal
}

// Run watches the host and delivers alerts until ctx ends. Then it delivers what
// was captured before.
func Run(ctx context.Context, opts RunOptions, out io.Writer, log *zap.Logger) error {
	reloads := newReloader(opts.SignatureOptions, opts.Hangup, log)
	first, err := reloads.load()
	if err != nil {
		return err
	}
	p, demand, err := openFor(first, opts, log)
	if err != nil {
		return err
	}
	defer p.Close()
	host, source, err := liveSource(p)
	if err != nil {
		return err
	}
	delivery, err := newDelivery(opts.DeliveryOptions, out, log)
	if err != nil {
		return err
	}
	defer delivery.close()
	w, err := newWarden(parts{
		host: host, signatures: first, delivery: delivery, log: log, reloads: reloads, demand: demand,
	})
	if err != nil {
		return err
	}
	defer w.close()
	logAttachment(log, p, zap.Int("signatures", first.engine.Len()))
	go reloads.run(ctx)
	err = w.watch(ctx, source)
	logCounts(log, p, zap.Uint64("alerts", delivery.delivered), zap.Uint64("undelivered", delivery.undelivered))
	return err
}

// openFor opens a probe that captures what the signatures need.
func openFor(first *loaded, opts RunOptions, log *zap.Logger) (*probe.Probe, demand, error) {
	d := demand{pushdown: !opts.NoPushdown}
	opts.Probe.Filter = probe.Filter{Events: first.engine.Events()}
	if d.pushdown {
		d.wanted = first.engine.Wanted()
		opts.Probe.Wanted = &d.wanted
	}
	if opts.reloadable() {
		opts.Probe.MayWant = event.All
	}
	p, err := open(opts.Probe, log)
	d.capture = p
	return p, d, err
}
