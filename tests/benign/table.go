package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// loud is the severity from which on an alert on a benign workload is one too many.
const loud = detect.Medium

// verdict is the result in one word, and whether it is a good one.
func (r *result) verdict() (word string, good bool) {
	switch {
	case r.skipped != "":
		return "SKIPPED", true
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

// printTable prints what became of the workloads, and tells whether all were quiet and
// nothing was lost.
func printTable(out io.Writer, results []*result, lost []gap) (quiet bool, err error) {
	quiet = true
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WORKLOAD\tRESULT\tTIME\tGOT OBJECTS\tALERTS\tWHAT")
	for _, r := range results {
		word, good := r.verdict()
		quiet = quiet && good
		if r.skipped != "" {
			fmt.Fprintf(w, "%s\t%s\t\t\t\t%s\n", r.workload.name, word, r.skipped)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f s\t%d\t%s\t%s\n", r.workload.name, word, r.took.Seconds(), r.calls, tally(r.alerts), r.workload.what)
	}
	if err := w.Flush(); err != nil {
		return false, err
	}
	for _, r := range results {
		if r.err != nil {
			fmt.Fprintf(out, "%s: %v\n", r.workload.name, r.err)
		}
		for i, a := range r.alerts {
			isFirst := !slices.ContainsFunc(r.alerts[:i], a.isLike)
			if isFirst && a.Severity >= loud {
				fmt.Fprintf(out, "%s: %s %s, %s: %s by %s, user %d, object %s\n", r.workload.name, a.Severity, a.Signature.ID,
					a.Signature.Title, a.Event.EventName, a.Event.ProcessName, a.Event.EffectiveUserID, a.Event.Object)
			}
		}
	}
	for _, g := range lost {
		quiet = false
		fmt.Fprintf(out, "%d calls were lost, for which nothing is said: %s\n", g.Count, g.Cause)
	}
	return quiet, nil
}

// isLike tells of alerts of which one is enough to see.
func (a *found) isLike(b found) bool {
	return a.Signature.ID == b.Signature.ID && a.Event.EventName == b.Event.EventName && a.Event.ProcessName == b.Event.ProcessName
}

// tally counts alerts by signature, the most severe first.
func tally(alerts []found) string {
	type kind struct {
		severity detect.Severity
		id       string
	}
	counts := map[kind]int{}
	var kinds []kind
	for _, a := range alerts {
		k := kind{a.Severity, a.Signature.ID}
		if counts[k]++; counts[k] == 1 {
			kinds = append(kinds, k)
		}
	}
	slices.SortFunc(kinds, func(a, b kind) int {
		return cmp.Or(-cmp.Compare(a.severity, b.severity), strings.Compare(a.id, b.id))
	})
	var text []string
	for _, k := range kinds {
		text = append(text, fmt.Sprintf("%s %s ×%d", k.severity, k.id, counts[k]))
	}
	return cmp.Or(strings.Join(text, ", "), "none")
}
