package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/simulate"
)

// actCommand is the name of the command that simulate runs for each scenario.
const actCommand = "simulated"

func newActCommand() *cobra.Command {
	return &cobra.Command{
		Use:    actCommand + " ID WAY [PART]",
		Short:  "Play a scenario in this process, for simulate",
		Hidden: true,
		Args:   cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			part := simulate.Part(strings.Join(args[2:], ""))
			return simulate.Act(args[0], simulate.Way(args[1]), part, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
