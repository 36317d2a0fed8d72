package main

import (
	"os"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/app"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

func newRunCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Watch the host and print alerts",
		Long: `Watch every System V IPC call of the host, decide with Rego signatures whether it
is suspicious, and print an alert for each that is. Runs until SIGINT or SIGTERM,
then delivers what was captured and exits with 0.

Signatures that are off by default, which signatures list shows, are used with
--enable; --disable leaves out others.

Every flag is a key of the configuration as well; see: ipcwarden config --help.
SIGHUP reloads configuration and signatures; the log says what of it needs a restart.
Signatures are also loaded again when their files change. If anything is wrong that
is logged, and all stays as it was.

What no signature can match is not even sent by the kernel, as far as it can tell;
it is counted as unmatched when ipcwarden ends. signatures show says what is derived.

Alerts go to stdout, everything else to stderr. Where calls were lost, the alerts
have an entry of type gap that says when, how many and why.`,
		Example: `  ipcwarden run
  ipcwarden run --output table
  ipcwarden run --enable IPCW-033 --disable IPCW-014
  ipcwarden run --signatures ./signatures --no-builtin
  ipcwarden run --config ./config.yaml
  IPCWARDEN_WEBHOOK=https://alerts.example/hook/secret ipcwarden run`,
		Args:    cobra.NoArgs,
		GroupID: groupWatch,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts := app.RunOptions{
				Hangup:  hangups(), // first, because it would end the process
				Version: thisBuild().Version,
				Color:   colored(),
				Reread:  func() (*config.Loaded, error) { return loadConfig(file, cmd) },
			}
			var err error
			if opts.Config, err = opts.Reread(); err != nil {
				return listMistakes(cmd, err)
			}
			log, level, err := newLogger(opts.Config.Log.Level)
			if err != nil {
				return err
			}
			opts.LogLevel = level
			logWarnings(log, opts.Config)
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return app.Run(ctx, opts, os.Stdout, log)
		},
	}
	flagConfig(cmd, &file)
	addRunFlags(cmd)
	return cmd
}

func logWarnings(log *zap.Logger, c *config.Loaded) {
	for _, warning := range c.Warnings {
		log.Warn("configuration", zap.String("warning", warning.String()))
	}
}

// addRunFlags adds the flags that stand for keys of the configuration, which is where
// their values are read: see the tags of config.Config.
func addRunFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	addSignatureFlags(flags, new(app.SignatureOptions))
	flagBundleKey(cmd, new(string))
	flags.StringP("output", "o", "json", outputUsage)
	flags.String("webhook", "", "also post each alert as JSON to `URL`; better in $"+config.Variable("webhook")+", as it may be a secret")
	flags.String("record", "", "record the events to `FILE`, for replay (see: ipcwarden record --help)")
	completeRecording(cmd, "record")
	flags.Bool("no-pushdown", false, "have the kernel send also the calls that no signature can match")
	flags.String("metrics", "", "answer /metrics, /healthz and /readyz at `ADDRESS`: HOST:PORT or unix:PATH")
	flags.Bool("pprof", false, "also answer /debug/pprof/ there")
	flags.String("api", config.DefaultSocket, "answer ipcwarden status and ipcwarden alerts at the Unix socket `PATH`; empty for nowhere")
	addCaptureFlags(cmd, new(probe.Options), new(string))
	completeOutput(cmd)
}
