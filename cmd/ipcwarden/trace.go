package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/app"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

const defaultSnapshotBytes = 64

func newTraceCommand() *cobra.Command {
	var (
		events, comms, containers []string
		pids, uids                []uint
		output, logLevel          string
		count                     uint64
		timeout                   time.Duration
		opts                      probe.Options
	)
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Print System V IPC calls as they happen",
		Long: `Print every System V IPC call of the host as it ends, with its arguments
decoded, the memory behind its pointers and the object that it acted on.

A call through ipc(2) is printed twice: as ipc itself, and as the call that it
stands for. Filters of different kinds must all match; values of one kind are
alternatives. All but --container are applied in the kernel.

Events go to stdout, everything else to stderr. At the end the log says what
became of every call: entered = emitted + filtered + dropped + inflight.`,
		Example: `  ipcwarden trace
  ipcwarden trace --events msgsnd,msgrcv --comm postgres
  ipcwarden trace --output json --count 100 | jq .eventName`,
		Args:    cobra.NoArgs,
		GroupID: groupWatch,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Filter.Comms = comms
			var err error
			if opts.Filter.Events, err = parseEvents(events); err != nil {
				return err
			}
			if opts.Filter.PIDs, err = narrow("--pid", pids); err != nil {
				return err
			}
			if opts.Filter.UIDs, err = narrow("--uid", uids); err != nil {
				return err
			}
			json, err := parseOutput(output)
			if err != nil {
				return err
			}
			log, _, err := newLogger(logLevel)
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			return app.Trace(ctx, app.TraceOptions{
				Probe: opts, Containers: containers, JSON: json, Count: count, Timeout: timeout,
			}, os.Stdout, log)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&events, "events", "e", nil, "only these `names` (see: ipcwarden events)")
	flags.UintSliceVarP(&pids, "pid", "p", nil, "only these process or thread `ids` of the host")
	flags.UintSliceVarP(&uids, "uid", "u", nil, "only these real user `ids`")
	flags.StringSliceVarP(&comms, "comm", "c", nil, "only threads with these `names` (at most 15 bytes each)")
	flags.StringSliceVar(&containers, "container", nil, "only containers whose `id` begins so")
	flags.StringVarP(&output, "output", "o", "table", "`format`: table or json")
	flags.Uint64Var(&count, "count", 0, "stop after `N` events")
	flags.DurationVar(&timeout, "timeout", 0, "stop after this `duration`, such as 10s")
	addCaptureFlags(cmd, &opts, &logLevel)
	completeEvents(cmd)
	completeOutput(cmd)
	return cmd
}

// parseEvents makes a set of event names; none means all.
func parseEvents(names []string) (event.Set, error) {
	if len(names) == 0 {
		return event.All, nil
	}
	var set event.Set
	for _, name := range names {
		row := event.ByName(name)
		if row == nil {
			return 0, fmt.Errorf("--events: %w", unknownEvent(name))
		}
		set = set.With(row.ID)
	}
	return set, nil
}

// narrow refuses what is no 32-bit id.
func narrow(flag string, values []uint) ([]uint32, error) {
	var ids []uint32
	for _, v := range values {
		if v > math.MaxUint32 {
			return nil, fmt.Errorf("%s: %d is no id: want at most %d", flag, v, uint32(math.MaxUint32))
		}
		ids = append(ids, uint32(v))
	}
	return ids, nil
}

func completeEvents(cmd *cobra.Command) {
	err := cmd.RegisterFlagCompletionFunc("events", func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		done := typed[:strings.LastIndexByte(typed, ',')+1]
		var names []string
		for _, name := range event.All.Names() {
			names = append(names, done+name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	if err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}
