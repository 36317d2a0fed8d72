package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

// readRecorded reads the events in a file, or on stdin if it is called -. flag is
// the one that names it. Warnings tell of what does not look like an event.
func readRecorded(cmd *cobra.Command, flag, name string) (events []regosig.Recorded, warnings []string, err error) {
	if name == "-" {
		events, warnings, err = regosig.ReadRecorded("stdin", cmd.InOrStdin())
	} else if events, warnings, err = regosig.ReadRecordedFile(name); errors.As(err, new(*fs.PathError)) {
		return nil, nil, fmt.Errorf("%s: %w", flag, err)
	}
	return events, warnings, listProblems(cmd, err, flag+" could not be read")
}

func warn(cmd *cobra.Command, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", w)
	}
}

// recordingSuffix is what the help calls recordings.
const recordingSuffix = "ipcwcap"

// openRecording opens a file, or stdin if it is called -.
func openRecording(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	return os.Open(name)
}

func completeRecording(cmd *cobra.Command, flag string) {
	if err := cmd.MarkFlagFilename(flag, recordingSuffix, "json", "jsonl"); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}
