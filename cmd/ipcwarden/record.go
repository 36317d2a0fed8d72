package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ipcwarden/ipcwarden/pkg/app"
)

func newRecordCommand() *cobra.Command {
	var (
		selected filter
		opts     app.RecordOptions
		logLevel string
	)
	cmd := &cobra.Command{
		Use:   "record -o FILE",
		Short: "Record System V IPC calls to a file",
		Long: `Record every System V IPC call of the host to a file, complete with what it takes
to judge it: memory, object, process, executable and container; and where calls
were lost, that. replay turns the file into alerts, trace --from prints it, and the
signatures commands take it where they want recorded events.

The file is compressed, must not exist before, and can be read by its owner only:
there are messages in it. It is written at least once a second, and what is written
can be read even if ipcwarden or the machine ends in the middle.

run --record FILE records what run judges, which is less: the kernel leaves out
what no signature can match.`,
		Example: `  ipcwarden record -o calls.ipcwcap
  ipcwarden record -o calls.ipcwcap --comm postgres --timeout 10m
  ssh host ipcwarden record -o - | ipcwarden replay -`,
		Args:    cobra.NoArgs,
		GroupID: groupWatch,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case opts.File == "":
				return errors.New("--output is needed: the file to write, or - for stdout")
			case opts.File == "-" && term.IsTerminal(int(os.Stdout.Fd())):
				return errors.New("--output: a recording is nothing for a terminal; pipe it, or name a file")
			}
			var err error
			if opts.Probe.Filter, err = selected.parse(); err != nil {
				return err
			}
			opts.Count, opts.Timeout, opts.Version = selected.count, selected.timeout, thisBuild().Version
			log, _, err := newLogger(logLevel)
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return app.Record(ctx, opts, os.Stdout, log)
		},
	}
	selected.addFlags(cmd)
	cmd.Flags().StringVarP(&opts.File, "output", "o", "", "the `FILE` to write; - is stdout")
	completeRecording(cmd, "output")
	addCaptureFlags(cmd, &opts.Probe, &logLevel)
	return cmd
}
