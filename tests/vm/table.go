package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is what the run came to.
type table struct {
	Green    bool       `json:"green"`
	Kernels  []*result  `json:"kernels"`
	Streams  comparison `json:"streams"`
	Verifier []string   `json:"verifierChanges"`
}

func newTable(results []*result, changes []string) table {
	t := table{Green: len(results) > 0, Kernels: results, Streams: compareStreams(results), Verifier: changes}
	for _, r := range results {
		t.Green = t.Green && r.ok()
	}
	t.Green = t.Green && len(t.Streams.Differences) == 0
	return t
}

func (t table) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(t)
}

// write prints what matters most last, as that is what remains of a long log.
func (t table) write(w io.Writer) error {
	for _, change := range t.Verifier {
		fmt.Fprintf(w, "verifier: %s\n", change)
	}
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(rows, "\nkernel\trelease")
	for _, hook := range allHooks {
		fmt.Fprintf(rows, "\t%s", hook)
	}
	fmt.Fprintln(rows, "\ttime")
	for _, r := range t.Kernels {
		fmt.Fprintf(rows, "%s\t%s", r.Kernel, first(r.Release, "?"))
		for _, hook := range allHooks {
			cell := "-"
			if h := r.hook(hook); h != nil {
				cell = h.cell()
			}
			fmt.Fprintf(rows, "\t%s", cell)
		}
		fmt.Fprintf(rows, "\t%.0f s\n", r.Seconds)
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	t.writeRemarks(w)
	t.writeStreams(w)
	t.writeFailures(w)
	return nil
}

// writeRemarks prints what is no failure.
func (t table) writeRemarks(w io.Writer) {
	for _, r := range t.Kernels {
		for _, h := range r.Hooks {
			for _, name := range h.Flaky {
				fmt.Fprintf(w, "flaky %s %s: %s passed when it was run again\n%s", r.Kernel, h.Hook, name, h.ending(name))
			}
		}
		for _, text := range r.Notes {
			fmt.Fprintf(w, "note %s: %s\n", r.Kernel, text)
		}
	}
}

func (t table) writeFailures(w io.Writer) {
	for _, r := range t.Kernels {
		for _, text := range r.Problems { // the rest was printed when it came
			text, _, _ = strings.Cut(text, "\n")
			fmt.Fprintf(w, "FAIL %s: %s\n", r.Kernel, text)
		}
		for _, h := range r.Hooks {
			for _, name := range h.Failed {
				fmt.Fprintf(w, "FAIL %s %s: %s\n%s", r.Kernel, h.Hook, name, h.ending(name))
			}
		}
	}
}

// ending returns the end of what a test printed when it failed, as the whole of it may
// be far above the table.
func (h hookResult) ending(test string) string {
	const lines = 12
	text := strings.TrimRight(h.said[test], "\n")
	if text == "" {
		return ""
	}
	all := strings.Split(text, "\n")
	return indent(strings.Join(all[max(0, len(all)-lines):], "\n")) + "\n"
}

func (t table) writeStreams(w io.Writer) {
	switch {
	case t.Streams.Streams == 0:
		fmt.Fprintln(w, "streams: none")
	case len(t.Streams.Differences) > 0:
		fmt.Fprintf(w, "streams: FAIL, %d streams of %d variants are not all the same\n", t.Streams.Streams, len(t.Streams.Variants))
		for _, d := range t.Streams.Differences {
			fmt.Fprintf(w, "    %s\n", d)
		}
	default:
		fmt.Fprintf(w, "streams: %d of %d variants are the same, %d events compared\n",
			t.Streams.Streams, len(t.Streams.Variants), t.Streams.Events)
	}
}
