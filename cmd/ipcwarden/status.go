package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/api"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// shownAlerts is how many alerts the status shows.
const shownAlerts = 5

func newStatusCommand() *cobra.Command {
	var socket, output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how the running ipcwarden is",
		Long: `Say how the running ipcwarden is: how it captures and for how long, how many calls it
sees and loses, what became of its alerts, whether all is well, and the last alerts.

The exit code is 1 if it is not ready, as it loses sight of something, and 2 if none
answers.`,
		GroupID: groupWatch,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			client := newAPIClient(socket)
			defer client.Close()
			s, err := client.Status(cmd.Context())
			if err != nil {
				return err
			}
			alerts, err := lastAlerts(cmd.Context(), client, shownAlerts)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), withAlerts(s, alerts))
			} else {
				p := newPage(cmd.OutOrStdout())
				if err = p.status(s, alerts); err == nil {
					err = p.writeTo(cmd.OutOrStdout())
				}
			}
			if err == nil && !s.Ready {
				return &negative{}
			}
			return err
		},
	}
	answers(cmd)
	flagAPI(cmd, &socket)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	return cmd
}

// fullStatus is the status as JSON.
type fullStatus struct {
	*status.Status
	LastAlerts []json.RawMessage `json:"lastAlerts"` // the oldest first
}

func withAlerts(s *status.Status, alerts []api.Entry) fullStatus {
	full := fullStatus{s, []json.RawMessage{}}
	for _, e := range alerts {
		full.LastAlerts = append(full.LastAlerts, e.Raw)
	}
	return full
}

func (p *page) status(s *status.Status, alerts []api.Entry) error {
	ready := p.paint(green, "ready")
	if !s.Ready {
		ready = p.paint(red, "not ready")
	}
	p.line("ipcwarden %s on %s is %s (process %d, up %s)", escaped(s.Version), escaped(s.Host), ready, s.PID, time.Since(s.Started).Round(time.Second))
	for _, check := range s.Checks {
		mark := p.paint(green, "ok  ")
		if !check.OK {
			mark = p.paint(red, "fail")
		}
		p.line("  %s %s: %s", mark, check.Name, escaped(check.Detail))
	}
	c := s.Capture
	p.line("\ncapture by %s: %s", escaped(c.Hook), escaped(c.Why))
	p.line("  calls  %d entered, %d emitted, %d unmatched, %d aggregated, %d filtered, %d in flight, %d lost%s",
		c.Entered, c.Emitted, c.Unmatched, c.Aggregated, c.Filtered, c.InFlight, c.LostCalls(), causes(c.Lost))
	p.line("  rates  %.1f calls/s, %.1f events/s, %.1f lost/s, %.2f alerts/s", s.Rates.Calls, s.Rates.Events, s.Rates.Lost, s.Rates.Alerts)
	p.line("  ring   %d of %s used", c.RingUsed, counted(c.RingBytes, "byte", "bytes"))
	p.line("\nsignatures: %d, loaded %s; reloads: %d good, %d failed", len(s.Signatures), ago(s.Reload.Loaded), s.Reload.Successes, s.Reload.Failures)
	if err := p.suppressions(s.Suppressions); err != nil {
		return err
	}
	if t := s.Throttled; t != (status.Throttled{}) {
		p.line("\nthrottled: %s that others stand for, %d over the limit of their signature, %s ended early",
			counted(t.Repeated, "finding", "findings"), t.OverLimit, counted(t.Evicted, "window", "windows"))
	}
	w := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nSINK\tSENT\tBELOW\tFAILED\tDROPPED\tRETRIES\tQUEUE\n")
	for _, sink := range s.Sinks {
		queue := fmt.Sprint(sink.Queue)
		if sink.Capacity > 0 {
			queue += fmt.Sprintf(" of %d", sink.Capacity)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%s\n", escaped(sink.Name), sink.Sent, sink.Below, sink.Failed, sink.Dropped, sink.Retries, queue)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if d := s.Spool; d != nil {
		p.line("\nspool: %.1f of %.1f MiB; %s taken, %d delivered, %d dropped, %d unstored, %s%s",
			mebibytes(d.Bytes), mebibytes(d.MaxBytes), counted(d.Taken, "alert", "alerts"), d.Delivered, d.Dropped, d.Unstored, counted(d.Errors, "error", "errors"), p.problem(d.Failing))
	}
	if len(alerts) > 0 {
		p.line("\nlast alerts:")
	}
	table := sink.NewTable(p, p.color)
	for _, e := range alerts {
		if err := table.Deliver(e.Alert); err != nil {
			return err
		}
	}
	return nil
}

// problem is what is wrong, if anything is.
func (p *page) problem(text string) string {
	if text == "" {
		return ""
	}
	return "; " + p.paint(red, "fails: ") + escaped(text)
}

// suppressions says what findings gave no alert, and why.
func (p *page) suppressions(list []status.Suppression) error {
	if len(list) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nSUPPRESSED\tLAST\tENTRY\tREASON\n")
	for i := range list {
		s := &list[i]
		last, reason := "-", escaped(s.Reason)
		if !s.Last.IsZero() {
			last = ago(s.Last)
		}
		if s.Expired {
			reason += " (expired)"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", s.Count, last, escaped(s.Entry), reason)
	}
	return w.Flush()
}

// causes lists what was lost by cause, if anything was.
func causes(lost map[string]uint64) string {
	var list []string
	for _, cause := range slices.Sorted(maps.Keys(lost)) {
		if lost[cause] > 0 {
			list = append(list, fmt.Sprintf("%s %d", escaped(cause), lost[cause]))
		}
	}
	if list == nil {
		return ""
	}
	return " (" + strings.Join(list, ", ") + ")"
}

func ago(t time.Time) string {
	return time.Since(t).Round(time.Second).String() + " ago"
}
