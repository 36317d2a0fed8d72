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
		file, speed string
		deliver     bool
	)
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Turn a recording into alerts",
		Long: `Judge the calls of a recording as run judges those that happen: with the signatures,
correlations, suppress and throttle of the same configuration. FILE is what record or
run --record wrote, or what trace --output json printed; - is stdin. No privilege is
needed, but to read the configuration.

Alerts go to stdout: in the form of the configuration's sinks of kind stdout, if it has
any. With --deliver they go to every sink of the configuration, and nothing is given up
until SIGINT; but not to its spool nor its dead letters, which belong to run.

Times are those of the recording, so that the alerts of each replay are the same,
byte for byte, and the same that run printed when it recorded; but where run
reloaded signatures, or suspended one for being slow, the replay does not.

At the end the log says how many events and alerts there were. The exit code is 0
unless the recording could not be read to its end, or alerts are not delivered.`,
		Example: `  ipcwarden replay calls.ipcwcap
  ipcwarden replay calls.ipcwcap --output table --signatures ./signatures --no-builtin
  ipcwarden replay calls.ipcwcap --config ./config.yaml --deliver
  ipcwarden replay calls.ipcwcap --speed 1x
  ipcwarden trace --output json | ipcwarden replay -`,
		Args:    cobra.ExactArgs(1),
		GroupID: groupWatch,
		RunE: func(cmd *cobra.Command, args []string) error {
			if speed != "max" && speed != "1x" {
				return fmt.Errorf("--speed: %q is neither max nor 1x", speed)
			}
			loaded, err := loadConfig(file, cmd)
			switch err = listMistakes(cmd, err); {
			case err != nil && file == "":
				return fmt.Errorf("%w (a replay goes by the configuration of run; --config names another, %s is none)", err, os.DevNull)
			case err != nil:
				return err
			}
			log, _, err := newLogger(loaded.Log.Level)
			if err != nil {
				return err
			}
			logWarnings(log, loaded)
			in, err := openRecording(cmd, args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			progress := newProgress(cmd.ErrOrStderr())
			opts := app.ReplayOptions{
				Config: loaded, Deliver: deliver, RealTime: speed == "1x", Color: colored(), Version: thisBuild().Version,
			}
			return app.Replay(ctx, opts, progress.reading(in), progress.below(cmd.OutOrStdout()), log)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{recordingSuffix, "json", "jsonl"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	flagConfig(cmd, &file)
	flags := cmd.Flags()
	addSignatureFlags(flags, new(app.SignatureOptions))
	flagBundleKey(cmd, new(string))
	addLogFlag(cmd, new(string))
	flags.StringP("output", "o", "json", outputUsage)
	completeOutput(cmd)
	flags.BoolVar(&deliver, "deliver", false, "deliver alerts to all sinks of the configuration, as run does")
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
