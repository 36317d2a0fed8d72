package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/reference"
)

const eventsLong = `Print the reference of the events.

Without NAME, list them all: the system call number on each ABI, the number of
the call in ipc(2), and the arguments. With NAME, print everything about these
events: entry points, what the hooks attach to, how ipc(2) passes the arguments,
their C types, their flags and commands, and the memory that pointers lead to.`

const eventsExample = `  ipcwarden events
  ipcwarden events msgsnd msgrcv
  ipcwarden events --output json | jq -r '.[].name'`

func newEventsCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:               "events [NAME...]",
		Short:             "Print the reference of the events",
		Long:              eventsLong,
		Example:           eventsExample,
		GroupID:           groupReference,
		ValidArgsFunction: completeEventNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			events, err := findEvents(names)
			switch {
			case err != nil:
				return err
			case asJSON:
				return reference.JSON(cmd.OutOrStdout(), events)
			case len(names) == 0:
				return reference.List(cmd.OutOrStdout(), events)
			default:
				return reference.Text(cmd.OutOrStdout(), events)
			}
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	return cmd
}

// findEvents is the reference of the named events, of all without names.
func findEvents(names []string) ([]reference.Event, error) {
	if len(names) == 0 {
		return reference.All(), nil
	}
	events := make([]reference.Event, len(names))
	for i, name := range names {
		row := event.ByName(name)
		if row == nil {
			return nil, unknownEvent(name)
		}
		events[i] = reference.Of(row)
	}
	return events, nil
}

// completeEventNames completes the names that are not there yet.
func completeEventNames(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var left []cobra.Completion
	for _, row := range event.Rows() {
		if !slices.Contains(args, row.Name) {
			left = append(left, cobra.CompletionWithDesc(row.Name, row.Doc))
		}
	}
	return left, cobra.ShellCompDirectiveNoFileComp
}
