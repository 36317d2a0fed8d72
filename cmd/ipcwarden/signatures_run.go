package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

const testLong = `Run the tests of signatures with OPA's own test runner: the rules test_… in the
files *_test.rego beside them. A path is a directory, with those below, or a
file. Without one, the built-in signatures are tested. The libraries that every
signature can import are there.

A test can use recorded events: data.events.NAME is the document in NAME.json
beside the test, or the list of those in NAME.jsonl, where each line is one that
trace --output json printed.

Of a test that fails, the first expression that nothing satisfies is shown, and
what it refers to. The exit code is 1 if a test fails or there is none, and 2 if
files are broken.`

const testExample = `  ipcwarden signatures test
  ipcwarden signatures test ./signatures --run 'large_.*_through_ipc' -v
  ipcwarden signatures test ./signatures --coverage --output json | jq .coverage`

func newSignaturesTestCommand() *cobra.Command {
	var (
		run, output string
		verbose     bool
		options     regosig.TestOptions
	)
	cmd := &cobra.Command{
		Use:               "test [DIR|FILE...]",
		Short:             "Run the tests beside signatures",
		Long:              testLong,
		Example:           testExample,
		ValidArgsFunction: completeRego,
		RunE: func(cmd *cobra.Command, paths []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			options.Paths = paths
			if cmd.Flags().Changed("run") {
				if options.Run, err = regexp.Compile(run); err != nil {
					return fmt.Errorf("--run: %w", err)
				}
			}
			report, err := regosig.RunTests(cmd.Context(), options)
			if err != nil {
				return listProblems(cmd, err, "no test was run")
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), report)
			} else {
				err = printTests(cmd.OutOrStdout(), report, verbose)
			}
			if err != nil {
				return err
			}
			return verdict(report, &options)
		},
	}
	answers(cmd)
	cmd.Flags().StringVarP(&run, "run", "r", "", "only tests whose package and name match `REGEX`")
	cmd.Flags().BoolVar(&options.Coverage, "coverage", false, "say how much of each file the tests evaluate")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "name the tests that pass, too")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	return cmd
}

// verdict is what the exit code is made of.
func verdict(report *regosig.TestReport, o *regosig.TestOptions) error {
	switch {
	case report.Failed > 0:
		return &negative{counted(report.Failed, "test", "tests") + " failed"}
	case len(report.Tests) > 0:
		return nil
	case o.Run != nil:
		return &negative{fmt.Sprintf("no test matches --run %q", o.Run)}
	default:
		return &negative{"there is no test: a test is a rule test_… in a file …_test.rego"}
	}
}

func printTests(out io.Writer, report *regosig.TestReport, verbose bool) error {
	p := newPage(out)
	for _, w := range report.Warnings {
		p.line("warning: %s", w)
	}
	var total time.Duration
	for i := range report.Tests {
		t := &report.Tests[i]
		total += t.DurationNS
		color := red
		switch t.Outcome {
		case regosig.Passed:
			color = green
		case regosig.Skipped:
			color = faint
		}
		if t.Outcome == regosig.Passed && !verbose {
			continue
		}
		place := fmt.Sprintf("(%s, %s)", t.Place, t.DurationNS.Round(10*time.Microsecond))
		p.line("%s %s %s", p.paint(color, strings.ToUpper(t.Outcome)), inline(t.Name), p.paint(faint, place))
		if t.Error != "" {
			p.line("  %s", t.Error)
		}
		for _, c := range t.Cases {
			p.line("  case %s fails", inline(c))
		}
		for _, a := range t.Bodies {
			switch {
			case a.Failed != nil:
				p.failure("  ", a.Failed)
			case a.Value != nil:
				p.line("  the test is %s, not true", shortValue(*a.Value))
			}
		}
		for line := range strings.Lines(t.Output) {
			p.line("  | %s", format.AppendPrintable(nil, strings.TrimRight(line, "\n")))
		}
	}
	if len(report.Coverage) > 0 {
		if err := p.coverage(report); err != nil {
			return err
		}
	}
	if len(report.Tests) > 0 {
		skipped := ""
		if report.Skipped > 0 {
			skipped = fmt.Sprintf(", %d skipped", report.Skipped)
		}
		p.line("%d passed, %d failed%s in %s", report.Passed, report.Failed, skipped, total.Round(time.Millisecond))
	}
	return p.writeTo(out)
}

// coverage adds a table of the files and the lines that no test evaluates.
func (p *page) coverage(report *regosig.TestReport) error {
	w := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "COVERAGE\tFILE\tUNCOVERED LINES")
	for _, f := range report.Coverage {
		var ranges []string
		for _, r := range f.Uncovered {
			text := strconv.Itoa(r.Start)
			if r.End > r.Start {
				text += "-" + strconv.Itoa(r.End)
			}
			ranges = append(ranges, text)
		}
		fmt.Fprintf(w, "%.1f%%\t%s\t%s\n", f.Percent, escaped(f.File), shorten(strings.Join(ranges, ",")))
	}
	fmt.Fprintf(w, "%.1f%%\ttotal\t\n", report.TotalCoverage())
	return w.Flush()
}
