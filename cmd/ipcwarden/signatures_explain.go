package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

const explainLong = `Evaluate one signature for one recorded event, a document as trace --output json
prints it, and say why it matches or why it does not: for each body of the
verdict the first expression that nothing satisfies, with the values of what it
refers to, and the same of the rules that this expression calls. Of a signature in
Go there is no more to say than that it matches, with its evidence, or not.

The exit code is 0 if the signature matches, 1 if it does not, and 2 if that
cannot be told.`

const explainExample = `  ipcwarden trace --events msgrcv --output json > calls.jsonl
  ipcwarden signatures explain IPCW-001 --event calls.jsonl --line 12
  tail -1 calls.jsonl | ipcwarden signatures explain SITE-001 -s ./signatures --event -`

func newSignaturesExplainCommand() *cobra.Command {
	var (
		selected          selection
		eventFile, output string
		line              int
	)
	cmd := &cobra.Command{
		Use:               "explain ID --event FILE",
		Short:             "Say why a signature matches an event, or why not",
		Long:              explainLong,
		Example:           explainExample,
		Args:              oneID,
		ValidArgsFunction: selected.completeID,
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			if eventFile == "" {
				return errors.New("--event is needed: a file with an event, or - for stdin")
			}
			w, err := selected.open(cmd)
			if err != nil {
				return err
			}
			recorded, err := readEvent(cmd, eventFile, line)
			if err != nil {
				return err
			}
			x, err := selected.explain(cmd.Context(), w, args[0], recorded)
			if err != nil {
				return selected.unknown(cmd, err)
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), x)
			} else {
				err = printExplanation(cmd.OutOrStdout(), x)
			}
			if err == nil && !x.Matches {
				err = &negative{}
			}
			return err
		},
	}
	answers(cmd)
	selected.addFlags(cmd)
	cmd.Flags().StringVarP(&eventFile, "event", "e", "", "the event, in `FILE`; - is stdin")
	cmd.Flags().IntVarP(&line, "line", "l", 0, "the event that starts on line `N`, if there are several")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	if err := cmd.MarkFlagFilename("event", "json", "jsonl"); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
	return cmd
}

// oneID demands the id of a signature.
func oneID(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one ID of a signature is needed, not %d; see %s --help", len(args), cmd.CommandPath())
	}
	return nil
}

// readEvent reads the one event that a file and a line name. What does not look
// like an event is warned of.
func readEvent(cmd *cobra.Command, name string, line int) (*regosig.Recorded, error) {
	if line < 0 {
		return nil, fmt.Errorf("--line: %d is no line", line)
	}
	events, warnings, err := readRecorded(cmd, "--event", name)
	if err != nil {
		return nil, err
	}
	recorded, err := regosig.Choose(events, line)
	if err != nil && line == 0 {
		return nil, fmt.Errorf("--event: %w, with --line", err)
	}
	if err != nil {
		return nil, fmt.Errorf("--line: %w of %s", err, escaped(events[0].File))
	}
	warn(cmd, warnings)
	return recorded, nil
}

func printExplanation(out io.Writer, x *regosig.Explanation) error {
	p := newPage(out)
	answer := p.paint(red, "does not match")
	if x.Matches {
		answer = p.paint(green, "matches")
	}
	p.line("%s %s %s %s", escaped(x.Signature), answer, inline(x.Event), p.paint(faint, fmt.Sprintf("(%s:%d)", escaped(x.File), x.Line)))
	if x.NotSelected != "" {
		p.line("  it is not evaluated: %s", x.NotSelected)
	}
	if len(x.Steps) > 0 {
		p.line("  it is the step %s of the correlation", inline(strings.Join(x.Steps, ", ")))
	}
	for i, finding := range x.Findings {
		title := "evidence"
		if len(x.Findings) > 1 {
			title = fmt.Sprintf("evidence of finding %d", i+1)
		}
		if len(finding) == 0 {
			p.line("  no %s", title)
			continue
		}
		p.line("  %s:", title)
		for _, key := range sortedKeys(finding) {
			p.line("    %s = %s", inline(key), shortValue(finding[key]))
		}
	}
	if x.Unexplained != "" {
		p.line("  %s: %s", p.paint(red, "error"), inline(x.Unexplained))
	}
	bodies := x.Bodies
	if x.Matches {
		bodies = nil
		for _, a := range x.Bodies {
			if a.Held {
				a.Value = nil // the evidence has it
				bodies = append(bodies, a)
			}
		}
	}
	p.attempts("  ", bodies)
	return p.writeTo(out)
}
