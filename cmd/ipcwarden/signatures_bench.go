package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/measure"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

const benchLong = `Evaluate signatures on recorded events, over and over, and say what each of them
costs, the one that costs an event most first.

Each signature is measured by itself. NS/EVENT is what it costs an event of a kind
that it selects: its filter, which rejects most, and the evaluation of those that
the filter lets through. NS/EVALUATION, ALLOCATIONS and BYTES are what one
evaluation costs. The last line is what an event costs with all signatures
together, as the daemon evaluates them: they share what they ask of an event.

Nanoseconds are processor time, that of the garbage collector included, so that
other work on the machine does not count. The recording is what trace prints with
--output json; what it has in plenty and in which order decides the averages, so
that it had better be of the host that the signatures are for.

The exit code is 0 unless something could not be measured: a signature that fails
on events is reported, and is no error of this command.`

const benchExample = `  ipcwarden trace --output json > calls.jsonl
  ipcwarden signatures bench --events calls.jsonl
  ipcwarden signatures bench ./signatures --no-builtin --events calls.jsonl --time 5s`

// needRecording is the answer to a bench of nothing.
const needRecording = "--events is needed: a file with recorded events, or - for stdin; ipcwarden trace --output json > FILE makes one"

func newSignaturesBenchCommand() *cobra.Command {
	var (
		noBuiltin      bool
		events, output string
		options        measure.Options
	)
	cmd := &cobra.Command{
		Use:               "bench [DIR...] --events FILE",
		Short:             "Say what signatures cost on recorded events",
		Long:              benchLong,
		Example:           benchExample,
		ValidArgsFunction: completeRego,
		RunE: func(cmd *cobra.Command, dirs []string) error {
			asJSON, err := parseOutput(output)
			switch {
			case err != nil:
				return err
			case events == "":
				return errors.New(needRecording)
			case options.Time <= 0:
				return fmt.Errorf("--time: %s is no time to measure in", options.Time)
			}
			_, all, err := loadSources(cmd, dirs, noBuiltin)
			if err != nil {
				return err
			}
			recording, err := readEvents(cmd, "--events", events)
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context())
			defer stop()
			progress := newProgress(cmd.ErrOrStderr())
			options.Progress = func(number, total int, id string) {
				if id == "" {
					id = "all together"
				}
				progress.show("measuring %d of %d: %s", number, total, escaped(id))
			}
			report, err := measure.Run(ctx, all, recording, options)
			progress.clear()
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), report)
			}
			return printCosts(cmd.OutOrStdout(), report)
		},
	}
	cmd.Flags().StringVarP(&events, "events", "e", "", "the recorded events, in `FILE`; - is stdin")
	cmd.Flags().DurationVarP(&options.Time, "time", "t", time.Second, "how much processor `time` to spend on each signature")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	flagNoBuiltin(cmd, &noBuiltin)
	if err := cmd.MarkFlagFilename("events", "json", "jsonl", recordingSuffix); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
	return cmd
}

// readEvents reads events that can be evaluated.
func readEvents(cmd *cobra.Command, flag, name string) ([]*event.Event, error) {
	recorded, warnings, err := readRecorded(cmd, flag, name)
	if err != nil {
		return nil, err
	}
	warn(cmd, warnings)
	events, err := regosig.Events(recorded)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return events, nil
}

func printCosts(out io.Writer, report *measure.Report) error {
	p := newPage(out)
	w := tabwriter.NewWriter(p, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "NS/EVENT\tNS/EVALUATION\tALLOCATIONS\tBYTES\tEVENTS\tEVALUATED\tMATCHES\tERRORS\t  ID")
	for i := range report.Signatures {
		s := &report.Signatures[i]
		event, evaluation := "-", "-\t-\t-"
		if s.Event != nil {
			event = figure(s.Event.Nanoseconds)
		}
		if c := s.Evaluation; c != nil {
			evaluation = figure(c.Nanoseconds) + "\t" + figure(c.Allocations) + "\t" + figure(c.Bytes)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t  %s\n", event, evaluation, s.Selected, s.Evaluated, s.Matches, s.Errors, escaped(s.ID))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i := range report.Signatures {
		if s := &report.Signatures[i]; s.Errors > 0 {
			p.line("%s fails on %s: %s", escaped(s.ID), counted(s.Errors, "event", "events"), inline(s.Error))
		}
	}
	c := &report.Together
	p.line("together, %s: %s ns, %s allocations and %s bytes for each of %s; %.0f events per second of processor time",
		counted(len(report.Signatures), "signature", "signatures"), figure(c.Nanoseconds), figure(c.Allocations), figure(c.Bytes), counted(report.Events, "event", "events"), c.EventsPerSecond)
	if len(c.Suspended) > 0 {
		p.line("suspended meanwhile, for being too slow: %s", escaped(strings.Join(c.Suspended, ", ")))
	}
	return p.writeTo(out)
}

// figure has three digits that count, as far as hundredths, or all before the point.
func figure(x float64) string {
	switch {
	case x < 0.005:
		return "0"
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.2f", x)
	}
}
