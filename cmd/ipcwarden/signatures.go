package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

func newSignaturesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signatures",
		Short: "List and check Rego signatures",
		Long: `List the Rego signatures that ipcwarden has, or check those that somebody wrote.
Neither needs privileges, nor touches the kernel.`,
		GroupID: groupReference,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSignaturesListCommand(), newSignaturesCheckCommand())
	return cmd
}

func newSignaturesListCommand() *cobra.Command {
	var output string
	var noBuiltin bool
	cmd := &cobra.Command{
		Use:   "list [DIR...]",
		Short: "List the built-in signatures and those in directories",
		Example: `  ipcwarden signatures list
  ipcwarden signatures list --no-builtin /etc/ipcwarden/signatures --output json`,
		RunE: func(cmd *cobra.Command, dirs []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			set, err := loadSources(cmd, dirs, noBuiltin)
			if err != nil {
				return err
			}
			if asJSON {
				return writeSignatures(cmd.OutOrStdout(), set.Signatures())
			}
			return printSignatures(cmd.OutOrStdout(), set.Signatures())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	flagNoBuiltin(cmd, &noBuiltin)
	return cmd
}

func newSignaturesCheckCommand() *cobra.Command {
	var noBuiltin bool
	cmd := &cobra.Command{
		Use:   "check [DIR...]",
		Short: "Load signatures as run would, and report everything that is wrong",
		Long: `Load the built-in signatures and those in the directories together, as run does:
parse them, check their metadata, and type-check them against the schema of the
event. Every problem is one line, file:line:col: reason. The exit code is 1 if
there is any.`,
		Example: "  ipcwarden signatures check /etc/ipcwarden/signatures",
		RunE: func(cmd *cobra.Command, dirs []string) error {
			set, err := loadSources(cmd, dirs, noBuiltin)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, warning := range set.Warnings() {
				if _, err := fmt.Fprintf(out, "warning: %s\n", warning); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(out, "%d signatures, %d libraries: ok\n", len(set.Signatures()), set.Libraries())
			return err
		},
	}
	flagNoBuiltin(cmd, &noBuiltin)
	return cmd
}

func flagNoBuiltin(cmd *cobra.Command, noBuiltin *bool) {
	cmd.Flags().BoolVar(noBuiltin, "no-builtin", false, "leave out the built-in signatures")
}

// loadSources loads what the arguments name. Problems go to stderr, one line
// each, and the error is how many there were.
func loadSources(cmd *cobra.Command, dirs []string, noBuiltin bool) (*regosig.Set, error) {
	sources := regosig.Sources(noBuiltin, dirs)
	if len(sources) == 0 {
		return nil, errors.New("--no-builtin needs at least one directory with signatures")
	}
	set, err := regosig.Load(sources...)
	var problems *regosig.LoadError
	if !errors.As(err, &problems) {
		return set, err
	}
	for _, problem := range problems.Problems {
		fmt.Fprintln(cmd.ErrOrStderr(), problem)
	}
	if n := len(problems.Problems); n > 1 {
		return nil, fmt.Errorf("%d problems: no signature was loaded", n)
	}
	return nil, errors.New("1 problem: no signature was loaded")
}

func printSignatures(out io.Writer, signatures []detect.Signature) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSEVERITY\tEVENTS\tATT&CK\tTITLE\tSOURCE")
	for _, s := range signatures {
		md := s.Metadata()
		events := strings.Join(md.Events.Names(), ",")
		if md.Events == 0 {
			events = "none that ipcwarden sees"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", escaped(md.ID), md.Severity, events,
			strings.Join(md.Attack, ","), escaped(md.Title), escaped(md.Source))
	}
	return w.Flush()
}

// listedSignature is a signature as list --output json writes it.
type listedSignature struct {
	ID             string          `json:"id"`
	Title          string          `json:"title"`
	Description    string          `json:"description,omitempty"`
	Version        string          `json:"version,omitempty"`
	Severity       detect.Severity `json:"severity"`
	Events         []string        `json:"events"`
	Attack         []string        `json:"attack,omitempty"`
	References     []string        `json:"references,omitempty"`
	FalsePositives []string        `json:"falsePositives,omitempty"`
	Tags           []string        `json:"tags,omitempty"`
	Properties     map[string]any  `json:"properties,omitempty"`
	Source         string          `json:"source"`
}

func writeSignatures(out io.Writer, signatures []detect.Signature) error {
	list := make([]listedSignature, len(signatures))
	for i, s := range signatures {
		md := s.Metadata()
		list[i] = listedSignature{
			ID: md.ID, Title: md.Title, Description: md.Description, Version: md.Version, Severity: md.Severity,
			Events: md.Events.Names(), Attack: md.Attack, References: md.References,
			FalsePositives: md.FalsePositives, Tags: md.Tags, Properties: md.Properties, Source: md.Source,
		}
	}
	return writeJSON(out, list)
}

// escaped keeps what a signature says of itself from steering the terminal, or
// from breaking the table.
func escaped(s string) string { return string(format.AppendEscaped(nil, s)) }
