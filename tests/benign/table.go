package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// loud is the severity from which on an alert on a benign workload is one too many.
const loud = detect.Medium

// verdict is the result in one word, and whether it is a good one.
func (r *result) verdict(partial bool) (word string, good bool) {
	switch {
	case r.skipped != "":
		return "MISSING", partial
	case r.err != nil:
		return "FAILED", false
	case r.calls == 0:
		return "NO CALLS", false
	case slices.ContainsFunc(r.alerts, func(a found) bool { return a.Severity >= loud }):
		return "LOUD", false
	default:
		return "quiet", true
	}
}

// print prints what became of the workloads, and tells whether all were quiet and
// nothing was lost.
func (r *report) print(out io.Writer, partial bool) (quiet bool, err error) {
	quiet = len(r.lost) == 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WORKLOAD\tRESULT\tTIME\tGOT OBJECTS\tALERTS\tWHAT")
	for _, result := range r.results {
		word, good := result.verdict(partial)
		quiet = quiet && good
		fmt.Fprintf(w, "%s\t%s\t%.1f s\t%d\t%d\t%s\n", result.workload.name, word, result.took.Seconds(), result.calls,
			len(result.alerts), cmp.Or(result.skipped, result.workload.what))
	}
	r.printAlerts(w)
	r.printSuppressed(w)
	if err := w.Flush(); err != nil {
		return false, err
	}
	for _, result := range r.results {
		if result.err != nil {
			fmt.Fprintf(out, "%s: %v\n", result.workload.name, result.err)
		}
	}
	for _, g := range r.lost {
		fmt.Fprintf(out, "%d calls were lost, for which nothing is said: %s\n", g.Count, g.Cause)
	}
	return quiet, nil
}

// printAlerts prints the alerts, those that are alike in one line.
func (r *report) printAlerts(w io.Writer) {
	fmt.Fprintln(w, "\nWORKLOAD\tSEVERITY\tSIGNATURE\tALERTS\tBY\tTITLE")
	for _, result := range r.results {
		counts := map[kind]int{}
		var kinds []kind
		for i := range result.alerts {
			k := result.alerts[i].kind()
			if counts[k]++; counts[k] == 1 {
				kinds = append(kinds, k)
			}
		}
		slices.SortStableFunc(kinds, func(a, b kind) int { return -cmp.Compare(a.severity, b.severity) })
		for _, k := range kinds {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", result.workload.name, k.severity, k.id, counts[k], k.by, k.title)
		}
	}
}

// printSuppressed prints what the profiles have left out.
func (r *report) printSuppressed(w io.Writer) {
	if len(r.suppressed) == 0 {
		return
	}
	fmt.Fprintln(w, "\nSUPPRESSED\tENTRY\t\t\t\tREASON")
	for i := range r.suppressed {
		s := &r.suppressed[i]
		fmt.Fprintf(w, "%d\t%s\t\t\t\t%s\n", s.Count, s.Entry, s.Reason)
	}
}

// kind is what alerts have in common of which one is enough to see.
type kind struct {
	severity      detect.Severity
	id, title, by string
}

func (a *found) kind() kind {
	return kind{a.Severity, a.Signature.ID, a.Signature.Title, a.Event.ProcessName + ": " + a.Event.EventName}
}
