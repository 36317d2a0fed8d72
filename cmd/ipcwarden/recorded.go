package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

// readRecorded reads the events in a file, or on stdin if it is called -. flag is
// the one that names it. Warnings tell of what does not look like an event.
func readRecorded(cmd *cobra.Command, flag, name string) (events []regosig.Recorded, warnings []string, err error) {
	in, shown := cmd.InOrStdin(), "stdin"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", flag, err)
		}
		defer f.Close()
		in, shown = f, name
	}
	events, warnings, err = regosig.ReadRecorded(shown, in)
	return events, warnings, listProblems(cmd, err, flag+" could not be read")
}

func warn(cmd *cobra.Command, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", w)
	}
}
