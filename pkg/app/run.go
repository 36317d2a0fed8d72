package app

import (
	"context"
	"io"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/api"
	"github.com/ipcwarden/ipcwarden/pkg/capture"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/deliver"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

// RunOptions are the settings of Run.
type RunOptions struct {
	Config   *config.Loaded
	LogLevel zap.AtomicLevel // that Run's log has
	Color    bool            // colour readable alerts
	Version  string          // of ipcwarden, for receivers of alerts

	// Hangup asks for configuration and signatures to be reloaded each time that it
	// yields.
	Hangup <-chan os.Signal
	// Reread reads the configuration again, for a reload. Nil: it stays as it is.
	Reread func() (*config.Loaded, error)
}

// signatureOptions is what c says about signatures.
func signatureOptions(c *config.Loaded) SignatureOptions {
	s := c.Signatures
	return SignatureOptions{
		Signatures: s.Paths, BundleKey: s.BundleKey, NoBuiltin: !s.Builtin,
		Choice: regosig.Choice{Enable: s.Enable, Disable: s.Disable},
	}
}

func (opts *RunOptions) deliveryOptions() DeliveryOptions {
	c := opts.Config
	return DeliveryOptions{
		JSON: c.Output == "json", Color: opts.Color, Webhook: c.Webhook.Reveal(), Version: opts.Version,
		Settings: deliver.Settings{Sinks: c.Sinks, Spool: c.Spool, Retry: c.Retry, DeadLetters: c.DeadLetters},
	}
}

func (opts *RunOptions) probeOptions() probe.Options {
	c := opts.Config.Capture
	return probe.Options{SnapshotBytes: c.SnapshotBytes, DigestBytes: c.DigestBytes, Hook: probe.Hook(c.Hook), MaxActive: c.MaxActive}
}

// Run watches the host and delivers alerts until ctx ends. Then it delivers what
// was captured before.
func Run(ctx context.Context, opts RunOptions, out io.Writer, log *zap.Logger) error {
	reloads := newReloader(opts, log)
	first, err := reloads.load(opts.Config)
	if err != nil {
		return err
	}
	listeners, err := listen(opts.Config, log)
	if err != nil {
		return err
	}
	defer listeners.close()
	p, demand, err := openFor(first, opts, log)
	if err != nil {
		return err
	}
	defer p.Close()
	host, source, err := liveSource(p)
	if err != nil {
		return err
	}
	if opts.Config.Record != "" {
		r, err := newRecorder(opts.Config.Record, nil, capture.Header{Host: host, Hook: p.Hook(), Program: opts.Version}, log)
		if err != nil {
			return err
		}
		defer func() { _ = r.close() }() // which logs it: the alerts are what counts
		source = r.tee(source)
	}
	alerts := api.NewAlerts(opts.Config.API.Alerts)
	delivery, err := newDelivery(opts.deliveryOptions(), host, out, log, alerts)
	if err != nil {
		return err
	}
	defer delivery.close()
	monitor := newMonitor(&opts, p, host, reloads, alerts, log)
	w, err := newWarden(parts{
		host: host, signatures: first, delivery: delivery, log: log, reloads: reloads, demand: demand, monitor: monitor,
		config: opts.Config.Config, now: time.Now,
	})
	if err != nil {
		return err
	}
	defer w.close()
	monitor.read(w)
	listeners.serve(monitor, opts.Config, log)
	settle(log, p, zap.Int("signatures", first.engine.Len()))
	lasting, end := context.WithCancel(context.WithoutCancel(ctx)) // until what was captured is delivered
	defer end()
	go monitor.run(lasting)
	go reloads.run(ctx)
	go reloads.systemd.watchdog(lasting, monitor)
	reloads.systemd.ready()
	context.AfterFunc(ctx, reloads.systemd.stopping)
	err = w.watch(ctx, source)
	counts := delivery.Counters()
	logCounts(log, p, zap.Uint64("alerts", counts.Taken), zap.Uint64("undelivered", counts.Dropped))
	return err
}

// openFor opens a probe that captures what the signatures need, and can capture
// whatever those of a reload do.
func openFor(first *loaded, opts RunOptions, log *zap.Logger) (*probe.Probe, demand, error) {
	d := demand{pushdown: opts.Config.Capture.Pushdown}
	probeOptions := opts.probeOptions()
	probeOptions.Filter = probe.Filter{Events: first.engine.Events()}
	if d.pushdown {
		d.wanted = first.engine.Wanted()
		probeOptions.Wanted = &d.wanted
	}
	if opts.Reread != nil || len(opts.Config.Signatures.Paths) > 0 {
		probeOptions.MayWant = event.All
	}
	p, err := open(probeOptions, log)
	d.probe = p
	return p, d, err
}
