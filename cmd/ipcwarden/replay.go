package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/app"
)

func newReplayCommand() *cobra.Command {
	var (
		opts                    app.ReplayOptions
		speed, output, logLevel string
	)
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Turn a recording into alerts",
		Long: `Judge the calls of a recording as run judges those that happen, with the same
signatures, correlations and outputs. FILE is what record or run --record wrote, or
what trace --output json printed; - is stdin. No privilege is needed.

Times are those of the recording, so that the alerts of each replay are the same,
byte for byte, and the same that run printed when it recorded; but where run
reloaded signatures, or suspended one for being slow, the replay does not.

At the end the log says how many events and alerts there were. The exit code is 0
unless the recording could not be read to its end.`,
		Example: `  ipcwarden replay calls.ipcwcap
  ipcwarden replay calls.ipcwcap --output table --signatures ./signatures --no-builtin
  ipcwarden replay calls.ipcwcap --speed 1x
  ipcwarden trace --output json | ipcwarden replay -`,
		Args:    cobra.ExactArgs(1),
		GroupID: groupWatch,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch speed {
			case "max":
			case "1x":
				opts.RealTime = true
			default:
				return fmt.Errorf("--speed: %q is neither max nor 1x", speed)
			}
			var err error
			if opts.JSON, err = parseOutput(output); err != nil {
				return err
			}
			opts.Color = colored()
			log, _, err := newLogger(logLevel)
			if err != nil {
				return err
			}
			in, err := openRecording(cmd, args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			progress := newProgress(cmd.ErrOrStderr())
			return app.Replay(ctx, opts, progress.reading(in), progress.below(cmd.OutOrStdout()), log)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{recordingSuffix, "json", "jsonl"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	flags := cmd.Flags()
	addSignatureFlags(flags, &opts.SignatureOptions)
	flagBundleKey(cmd, &opts.BundleKey)
	addLogFlag(cmd, &logLevel)
	flags.StringVarP(&output, "output", "o", "json", outputUsage)
	completeOutput(cmd)
	flags.StringVar(&speed, "speed", "max", "how fast: max, or 1x for the `speed` at which it was recorded")
	speeds := cobra.FixedCompletions([]string{"max", "1x"}, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("speed", speeds); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
	return cmd
}

// reading shows how much of a recording was read.
func (p *progress) reading(in io.Reader) io.Reader {
	r := &progressReader{Reader: in, progress: p}
	if f, ok := in.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			r.size = info.Size()
		}
	}
	return r
}
