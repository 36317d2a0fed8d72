package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/ipcwarden/ipcwarden/pkg/app"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// addCaptureFlags adds what run, trace and record have in common.
func addCaptureFlags(cmd *cobra.Command, opts *probe.Options, logLevel *string) {
	flags := cmd.Flags()
	flags.IntVar(&opts.SnapshotBytes, "snapshot-bytes", defaultSnapshotBytes,
		fmt.Sprintf("how many `bytes` of a message's text to capture, 0 to %d; of what is longer there is a digest", probe.MaxSnapshotBytes))
	flags.IntVar(&opts.DigestBytes, "digest-bytes", probe.MaxDigestBytes,
		fmt.Sprintf("of how many `bytes` of a longer text to capture a digest, 0 to %d", probe.MaxDigestBytes))
	flags.TextVar(&opts.Hook, "hook", probe.Auto, "where to attach: auto, fentry, kprobe or tracepoint (see: ipcwarden doctor)")
	flags.IntVar(&opts.MaxActive, "maxactive", 0,
		fmt.Sprintf("how many `calls` at a time hook kprobe can follow at each kernel function, at most %d; 0 goes by the CPUs", probe.MaxKretprobes))
	addLogFlag(cmd, logLevel)
	hooks := cobra.FixedCompletions([]string{"auto", "fentry", "kprobe", "tracepoint"}, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("hook", hooks); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

// addSignatureFlags adds what run and replay have in common.
func addSignatureFlags(flags *pflag.FlagSet, opts *app.SignatureOptions) {
	flags.StringArrayVarP(&opts.Signatures, "signatures", "s", nil, "add the signatures below `DIR`, or in an OPA bundle DIR.tar.gz (repeatable)")
	flags.BoolVar(&opts.NoBuiltin, "no-builtin", false, "leave out the built-in signatures")
	flags.StringArrayVar(&opts.Choice.Enable, "enable", nil, "use the signature `ID`, which is off by default (repeatable)")
	flags.StringArrayVar(&opts.Choice.Disable, "disable", nil, "do without the signature `ID` (repeatable)")
}

const outputUsage = "`format` of alerts on stdout: json or table"

// colored tells whether alerts on stdout are for eyes.
func colored() bool { return term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "" }

func addLogFlag(cmd *cobra.Command, level *string) {
	cmd.Flags().StringVar(level, "log-level", "info", "least severe `level` to log: debug, info, warn or error")
}

// newLogger logs to stderr: readable on a terminal, else one JSON object a line.
// The level that is returned can be changed.
func newLogger(level string) (*zap.Logger, zap.AtomicLevel, error) {
	atLeast, err := zap.ParseAtomicLevel(level)
	if err != nil {
		return nil, atLeast, fmt.Errorf("--log-level: %w", err)
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if term.IsTerminal(int(os.Stderr.Fd())) {
		encoding.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoding.EncodeLevel = zapcore.CapitalColorLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), atLeast)), atLeast, nil
}

// untilSignal returns a context that ends at SIGINT or SIGTERM. A second signal
// ends the process at once.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// hangups keeps SIGHUP from ending the process, for good, and yields each one
// but those that come while one is waiting.
func hangups() <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals
}
