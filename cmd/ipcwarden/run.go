package main

import (
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ipcwarden/ipcwarden/pkg/app"
)

// webhookVariable keeps an address with a secret in it out of the process list.
const webhookVariable = "IPCWARDEN_WEBHOOK"

func newRunCommand() *cobra.Command {
	var (
		opts             app.RunOptions
		output, logLevel string
	)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Watch the host and print alerts",
		Long: `Watch every System V IPC call of the host, decide with Rego signatures whether it
is suspicious, and print an alert for each that is. Runs until SIGINT or SIGTERM,
then delivers what was captured and exits with 0.

The signatures of --signatures are loaded again when their files change, and at
SIGHUP; an error in them is logged, and leaves those from before in use.

What no signature can match is not even sent by the kernel, as far as it can tell;
it is counted as unmatched when ipcwarden ends. signatures show says what is derived.

Alerts go to stdout, everything else to stderr. Where calls were lost, the alerts
have an entry of type gap that says when, how many and why.`,
		Example: `  ipcwarden run
  ipcwarden run --output table
  ipcwarden run --signatures ./signatures --no-builtin
  IPCWARDEN_WEBHOOK=https://alerts.example/hook/secret ipcwarden run`,
		Args:    cobra.NoArgs,
		GroupID: groupWatch,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Hangup = hangups() // first, because it would end the process
			var err error
			if opts.JSON, err = parseOutput(output); err != nil {
				return err
			}
			if opts.Webhook == "" {
				opts.Webhook = os.Getenv(webhookVariable)
			}
			opts.Version = thisBuild().Version
			opts.Color = term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == ""
			log, err := newLogger(logLevel)
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return app.Run(ctx, opts, os.Stdout, log)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&opts.Signatures, "signatures", "s", nil, "add the signatures below `DIR`, or in an OPA bundle DIR.tar.gz (repeatable)")
	flagBundleKey(cmd, &opts.BundleKey)
	flags.BoolVar(&opts.NoBuiltin, "no-builtin", false, "leave out the built-in signatures")
	flags.StringVarP(&output, "output", "o", "json", "`format` of alerts on stdout: json or table")
	flags.StringVar(&opts.Webhook, "webhook", "", "also post each alert as JSON to `URL` (or set "+webhookVariable+")")
	flags.BoolVar(&opts.NoPushdown, "no-pushdown", false, "have the kernel send also the calls that no signature can match")
	addCaptureFlags(cmd, &opts.Probe, &logLevel)
	completeOutput(cmd)
	return cmd
}
