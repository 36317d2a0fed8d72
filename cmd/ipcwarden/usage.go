package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
)

// suggestCommands makes every command that has subcommands answer an unknown one
// with the name that was probably meant, in one line.
func suggestCommands(cmd *cobra.Command) {
	if !cmd.HasSubCommands() {
		return
	}
	cmd.Args = refuseUnknownCommand
	if !cmd.Runnable() {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range cmd.Commands() {
		suggestCommands(sub)
	}
}

func refuseUnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fmt.Errorf("unknown command %q%s; see %s --help", args[0], didYouMean(args[0], "", names), cmd.CommandPath())
}

// flagError explains a flag that cannot be parsed.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	}
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("unknown flag -%s; see %s --help", name, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return fmt.Errorf("unknown flag --%s%s; see %s --help", name, didYouMean(name, "--", names), cmd.CommandPath())
}

// unknownEvent is the error for a name that no event has.
func unknownEvent(name string) error {
	return fmt.Errorf("unknown event %q%s; ipcwarden events lists all", name, didYouMean(name, "", event.All.Names()))
}

// didYouMean asks for the nearest of names, if any is near; prefix is what the
// user would write before it.
func didYouMean(misspelt, prefix string, names []string) string {
	best := nearest.Guess(misspelt, names)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s%s?)", prefix, best)
}
