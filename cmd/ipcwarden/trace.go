package main

import (
	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/app"
)

const defaultSnapshotBytes = 64

func newTraceCommand() *cobra.Command {
	var (
		selected               filter
		opts                   app.TraceOptions
		from, output, logLevel string
	)
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Print System V IPC calls as they happen",
		Long: `Print every System V IPC call of the host as it ends, with its arguments
decoded, the memory behind its pointers and the object that it acted on.

A call through ipc(2) is printed twice: as ipc itself, and as the call that it
stands for. Filters of different kinds must all match; values of one kind are
alternatives. All but --container are applied in the kernel.

With --from the calls are those of a recording, and no privilege is needed.

Events go to stdout, everything else to stderr. At the end the log says what
became of every call: entered = emitted + filtered + dropped + inflight.`,
		Example: `  ipcwarden trace
  ipcwarden trace --events msgsnd,msgrcv --comm postgres
  ipcwarden trace --output json --count 100 | jq .eventName
  ipcwarden trace --from calls.ipcwcap --pid 4711`,
		Args:    cobra.NoArgs,
		GroupID: groupWatch,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if opts.Probe.Filter, err = selected.parse(); err != nil {
				return err
			}
			if opts.JSON, err = parseOutput(output); err != nil {
				return err
			}
			opts.Count, opts.Timeout = selected.count, selected.timeout
			log, _, err := newLogger(logLevel)
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			if cmd.Flags().Changed("from") {
				in, err := openRecording(cmd, from)
				if err != nil {
					return err
				}
				defer in.Close()
				opts.From = in
			}
			return app.Trace(ctx, opts, cmd.OutOrStdout(), log)
		},
	}
	selected.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&opts.Containers, "container", nil, "only containers whose `id` begins so")
	flags.StringVar(&from, "from", "", "print what a recording has, `FILE`, instead of what happens; - is stdin")
	flags.StringVarP(&output, "output", "o", "table", "`format`: table or json")
	addCaptureFlags(cmd, &opts.Probe, &logLevel)
	completeOutput(cmd)
	completeRecording(cmd, "from")
	return cmd
}
