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
	"github.com/ipcwarden/ipcwarden/signatures"
)

func newSignaturesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signatures",
		Short: "List, write, check, test, explain and measure signatures",
		Long: `List the signatures that ipcwarden has, and write, check, test, explain and measure
those of your own. Nothing of this needs privileges, or touches the kernel.

A signature's life: new writes it, check says what is wrong with it, test runs
its tests, explain tells why it matches a recorded event, or why not, and bench
what it costs.`,
		GroupID: groupReference,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newSignaturesListCommand(),
		newSignaturesShowCommand(),
		newSignaturesNewCommand(),
		newSignaturesCheckCommand(),
		newSignaturesTestCommand(),
		newSignaturesExplainCommand(),
		newSignaturesBenchCommand(),
		newSignaturesSchemaCommand(),
	)
	return cmd
}

func newSignaturesListCommand() *cobra.Command {
	var output string
	var noBuiltin bool
	cmd := &cobra.Command{
		Use:               "list [DIR...]",
		ValidArgsFunction: completeRego,
		Short:             "List the built-in signatures and those in directories",
		Example: `  ipcwarden signatures list
  ipcwarden signatures list --no-builtin /etc/ipcwarden/signatures --output json`,
		RunE: func(cmd *cobra.Command, dirs []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			_, all, err := loadSources(cmd, dirs, noBuiltin)
			if err != nil {
				return err
			}
			if asJSON {
				return writeSignatures(cmd.OutOrStdout(), all)
			}
			return printSignatures(cmd.OutOrStdout(), all)
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
		Use:               "check [DIR...]",
		ValidArgsFunction: completeRego,
		Short:             "Load signatures as run would, and report everything that is wrong",
		Long: `Load the built-in signatures and those in the directories, or in OPA bundles
(FILE.tar.gz), together, as run does: parse them, check their metadata, and
type-check them against the schema of the event. Every problem is one line,
file:line:col: reason. The exit code is 1 if there is any. What is allowed, and
perhaps not meant, is a warning on stderr. A rule that cannot be compiled to run
fast is named as slow, with the reason; it works all the same.`,
		Example: "  ipcwarden signatures check /etc/ipcwarden/signatures",
		RunE: func(cmd *cobra.Command, dirs []string) error {
			set, all, err := loadSources(cmd, dirs, noBuiltin)
			if err != nil {
				return err
			}
			for _, warning := range set.Warnings() {
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", warning)
			}
			out := cmd.OutOrStdout()
			for _, line := range set.Interpreted() {
				if _, err := fmt.Fprintf(out, "slow: %s\n", line); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(out, "%s, %s: ok\n",
				counted(len(all), "signature", "signatures"), counted(set.Libraries(), "library", "libraries"))
			return err
		},
	}
	flagNoBuiltin(cmd, &noBuiltin)
	return cmd
}

func flagNoBuiltin(cmd *cobra.Command, noBuiltin *bool) {
	cmd.Flags().BoolVar(noBuiltin, "no-builtin", false, "leave out the built-in signatures")
	flagBundleKey(cmd, new(string))
}

// loadSources loads what the arguments name; all are those signatures and, unless
// noBuiltin is set, the ones in Go. Problems go to stderr, one line each, and the
// error is how many there were.
func loadSources(cmd *cobra.Command, dirs []string, noBuiltin bool) (set *regosig.Set, all []detect.Signature, err error) {
	sources, err := withBundleKey(cmd, regosig.Sources(noBuiltin, dirs))
	if err != nil {
		return nil, nil, err
	}
	if len(sources) == 0 {
		return nil, nil, errors.New("--no-builtin needs at least one directory with signatures")
	}
	if set, err = regosig.Load(sources...); err != nil {
		return nil, nil, listProblems(cmd, err, "no signature was loaded")
	}
	if all = set.Signatures(); !noBuiltin {
		all, err = signatures.AddTo(all)
	}
	return set, all, err
}

// listProblems writes the problems of a *LoadError to stderr, one line each, and
// returns how many there were and what came of it; other errors as they are.
func listProblems(cmd *cobra.Command, err error, outcome string) error {
	var problems *regosig.LoadError
	if !errors.As(err, &problems) {
		return err
	}
	for _, problem := range problems.Problems {
		fmt.Fprintln(cmd.ErrOrStderr(), problem)
	}
	return fmt.Errorf("%s: %s", counted(len(problems.Problems), "problem", "problems"), outcome)
}

func printSignatures(out io.Writer, all []detect.Signature) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSEVERITY\tDEFAULT\tEVENTS\tATT&CK\tTITLE\tSOURCE")
	for _, s := range all {
		md := s.Metadata()
		events := strings.Join(md.Events.Names(), ",")
		if md.Events == 0 {
			events = "none that ipcwarden sees"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", escaped(md.ID), md.Severity, onOff(!md.Off), events,
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
	Enabled        bool            `json:"enabled"`
	Events         []string        `json:"events"`
	Attack         []string        `json:"attack,omitempty"`
	References     []string        `json:"references,omitempty"`
	FalsePositives []string        `json:"falsePositives,omitempty"`
	Tags           []string        `json:"tags,omitempty"`
	Properties     map[string]any  `json:"properties,omitempty"`
	Source         string          `json:"source"`

	Correlation *listedCorrelation `json:"correlation,omitempty"`
}

// listedCorrelation is a correlation as its METADATA declares it.
type listedCorrelation struct {
	Type      detect.CorrelationType     `json:"type"`
	GroupBy   []string                   `json:"groupBy,omitempty"`
	Timespan  string                     `json:"timespan"`
	Condition map[detect.Operator]uint64 `json:"condition,omitempty"`
	Field     string                     `json:"field,omitempty"`
	Steps     []string                   `json:"steps,omitempty"`
	Until     string                     `json:"until,omitempty"`
}

func writeSignatures(out io.Writer, all []detect.Signature) error {
	list := make([]listedSignature, len(all))
	for i, s := range all {
		list[i] = listed(s.Metadata())
	}
	return writeJSON(out, list)
}

func listed(md *detect.Metadata) listedSignature {
	s := listedSignature{
		ID: md.ID, Title: md.Title, Description: md.Description, Version: md.Version, Severity: md.Severity, Enabled: !md.Off,
		Events: md.Events.Names(), Attack: md.Attack, References: md.References,
		FalsePositives: md.FalsePositives, Tags: md.Tags, Properties: md.Properties, Source: md.Source,
	}
	if c := md.Correlation; c != nil {
		s.Correlation = &listedCorrelation{
			Type: c.Type, GroupBy: c.GroupBy, Timespan: c.Timespan.String(), Field: c.Field, Steps: c.Steps, Until: c.Until,
		}
		if c.Operator != "" {
			s.Correlation.Condition = map[detect.Operator]uint64{c.Operator: c.Threshold}
		}
	}
	return s
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// escaped keeps what a signature says of itself from steering the terminal, or
// from breaking the table.
func escaped(s string) string { return string(format.AppendEscaped(nil, s)) }
