package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/config"
)

const configLong = `A configuration is put together from, the later overriding the earlier: defaults;
the file of --config, or of $` + config.FileVariable + `, or ` + config.DefaultFile + ` if
there is one; the files conf.d/*.yaml beside it, by their names; the environment,
where capture.hook is $IPCWARDEN_CAPTURE_HOOK; and flags of ipcwarden run.`

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check, show and describe the configuration of run",
		Long:    "Check, show and describe the configuration of ipcwarden run.\n\n" + configLong,
		GroupID: groupReference,
	}
	cmd.AddCommand(newConfigCheckCommand(), newConfigShowCommand(), newConfigDefaultCommand(), newConfigSchemaCommand())
	return cmd
}

// flagConfig adds the flag for the configuration's file.
func flagConfig(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "read the configuration in `FILE`, and conf.d/*.yaml beside it (default "+config.DefaultFile+" if there is one)")
	if err := cmd.MarkFlagFilename("config", "yaml"); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

// loadConfig reads the configuration with the flags of cmd that were given.
func loadConfig(file string, cmd *cobra.Command) (*config.Loaded, error) {
	sources := config.Sources{File: file, Env: os.Environ()}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		sources.Flags = append(sources.Flags, config.Flag{Name: f.Name, Values: values})
	})
	return config.Load(sources)
}

// listMistakes says what is wrong with a configuration on stderr, one line each, if
// it is several things.
func listMistakes(cmd *cobra.Command, err error) error {
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		return err
	}
	lines := wrong.Lines()
	if len(lines) == 1 {
		return errors.New(escaped(lines[0]))
	}
	for _, line := range lines {
		fmt.Fprintln(cmd.ErrOrStderr(), escaped(line))
	}
	return fmt.Errorf("the configuration has %s", counted(len(lines), "problem", "problems"))
}

func newConfigCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say what is wrong with the configuration",
		Long: `Read the configuration as ipcwarden run would, and say what is wrong, one line each:
file, line, key, reason. What is not wrong, but not well either, is a warning. The exit
code is 1 if anything is wrong. Signatures are for ipcwarden signatures check.`,
		Example: `  ipcwarden config check
  ipcwarden config check ./config.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := ""
			if len(args) > 0 {
				file = args[0]
			}
			loaded, err := loadConfig(file, cmd)
			if err != nil {
				return listMistakes(cmd, err)
			}
			for _, warning := range loaded.Warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", escaped(warning.String()))
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the configuration is good; files read: %d, warnings: %d\n",
				len(loaded.Files), len(loaded.Warnings))
			return err
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return []cobra.Completion{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	return cmd
}

func newConfigShowCommand() *cobra.Command {
	var file, output string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the configuration in effect, and where each value comes from",
		Long: `Print every key with its value and where that comes from. Of a secret it prints where
it lies. The flags of a running ipcwarden are not known here.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			loaded, err := loadConfig(file, &cobra.Command{})
			if err != nil {
				return listMistakes(cmd, err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), shown{loaded.Files, loaded.Settings()})
			}
			return printSettings(cmd.OutOrStdout(), loaded.Settings())
		},
	}
	flagConfig(cmd, &file)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	return cmd
}

// shown is config show as JSON.
type shown struct {
	Files    []string         `json:"files"` // that were read, in order
	Settings []config.Setting `json:"settings"`
}

func printSettings(out io.Writer, settings []config.Setting) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range settings {
		n := yaml.Node{}
		if err := n.Encode(s.Value); err != nil {
			return fmt.Errorf("%s: %w", s.Key, err)
		}
		n.Style = yaml.FlowStyle
		value, err := yaml.Marshal(&n)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Key, err)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", escaped(s.Key), inline(string(value)), escaped(s.Origin.String()))
	}
	return w.Flush()
}

func newConfigDefaultCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "default",
		Short: "Print a file with every key, its description and its default",
		Long: `Print a configuration file that changes nothing: every key is there with its
description and its default, as a comment.`,
		Example: "  ipcwarden config default > " + config.DefaultFile,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return config.WriteDefault(cmd.OutOrStdout()) },
	}
}

func newConfigSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a configuration file",
		Long:  "Print the JSON Schema of a configuration file, for editors and other checks.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return config.WriteSchema(cmd.OutOrStdout()) },
	}
}
