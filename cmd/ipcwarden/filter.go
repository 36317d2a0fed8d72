package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// filter is which events trace and record are asked for.
type filter struct {
	events, comms []string
	pids, uids    []uint
	count         uint64
	timeout       time.Duration
}

func (f *filter) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&f.events, "events", "e", nil, "only these `names` (see: ipcwarden events)")
	flags.UintSliceVarP(&f.pids, "pid", "p", nil, "only these process or thread `ids` of the host")
	flags.UintSliceVarP(&f.uids, "uid", "u", nil, "only these real user `ids`")
	flags.StringSliceVarP(&f.comms, "comm", "c", nil, "only threads with these `names` (at most 15 bytes each)")
	flags.Uint64Var(&f.count, "count", 0, "stop after `N` events")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop after this `duration`, such as 10s")
	completeEvents(cmd)
}

// parse is the filter as the probe has it.
func (f *filter) parse() (parsed probe.Filter, err error) {
	parsed.Comms = f.comms
	if parsed.Events, err = parseEvents(f.events); err != nil {
		return parsed, err
	}
	if parsed.PIDs, err = narrow("--pid", f.pids); err != nil {
		return parsed, err
	}
	parsed.UIDs, err = narrow("--uid", f.uids)
	return parsed, err
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
