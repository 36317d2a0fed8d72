package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// addCaptureFlags adds what run and trace have in common.
func addCaptureFlags(flags *pflag.FlagSet, snapshot *int, logLevel *string) {
	flags.IntVar(snapshot, "snapshot-bytes", defaultSnapshotBytes,
		fmt.Sprintf("how many `bytes` of a message's text to capture, 0 to %d", probe.MaxSnapshotBytes))
	flags.StringVar(logLevel, "log-level", "info", "least severe `level` to log: debug, info, warn or error")
}

// newLogger logs to stderr: readable on a terminal, else one JSON object a line.
func newLogger(level string) (*zap.Logger, error) {
	atLeast, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("--log-level: %w", err)
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if term.IsTerminal(int(os.Stderr.Fd())) {
		encoding.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoding.EncodeLevel = zapcore.CapitalColorLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), atLeast)), nil
}

// untilSignal returns a context that ends at SIGINT or SIGTERM. A second signal
// ends the process at once.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
