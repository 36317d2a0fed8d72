package main

import (
	"io"

	"github.com/spf13/cobra"
)

// The groups of the help.
const (
	groupWatch     = "watch"
	groupReference = "reference"
)

const rootLong = `ipcwarden watches System V IPC (message queues, semaphores and shared memory)
with eBPF, through every entry point that Linux has, the 32-bit multiplexer
ipc(2) included. Signatures written in Rego decide what is suspicious.`

const rootExample = `  # Can this host be watched, and how?
  sudo ipcwarden doctor

  # Print alerts, one JSON object a line
  sudo ipcwarden run

  # Look at the calls themselves
  sudo ipcwarden trace --events msgsnd,msgrcv

  # What is known of one system call
  ipcwarden events msgrcv`

// newRootCommand makes the command line, which writes to stdout and stderr.
func newRootCommand(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "ipcwarden",
		Short:         "Watch System V IPC and raise alerts",
		Long:          rootLong,
		Example:       rootExample,
		Version:       thisBuild().Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	// Before InitDefaultCompletionCmd, which keeps the writer of this moment.
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetVersionTemplate("ipcwarden {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(
		&cobra.Group{ID: groupWatch, Title: "Watch:"},
		&cobra.Group{ID: groupReference, Title: "Look up:"},
	)
	root.SetHelpCommand(newHelpCommand())
	root.SetCompletionCommandGroupID(groupReference)
	root.AddCommand(
		newRunCommand(),
		newTraceCommand(),
		newRecordCommand(),
		newReplayCommand(),
		newStatusCommand(),
		newAlertsCommand(),
		newSimulateCommand(),
		newActCommand(),
		newDoctorCommand(),
		newEventsCommand(),
		newSignaturesCommand(),
		newConfigCommand(),
		newVersionCommand(),
		newManCommand(),
	)
	root.InitDefaultCompletionCmd()
	suggestCommands(root)
	return root
}
