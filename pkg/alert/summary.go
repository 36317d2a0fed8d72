package alert

import (
	"fmt"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/format"
)

// Title is what happened in a few words: the signature's title, or what
// was lost. It is not escaped.
func (a *Alert) Title() string {
	switch {
	case a.Gap != nil && a.Gap.Aggregated != nil:
		return fmt.Sprintf("%d more calls counted for %s", a.Gap.Count, a.Gap.Aggregated.SignatureID)
	case a.Gap != nil:
		return fmt.Sprintf("%d calls lost", a.Gap.Count)
	case a.Suspension != nil && a.Signature != nil:
		return "signature suspended: " + a.Signature.title()
	case a.Suppressed != nil && a.Signature != nil:
		return fmt.Sprintf("%d findings suppressed: %s", a.Suppressed.Count, a.Signature.title())
	case a.Delivery != nil:
		return a.Delivery.title()
	case a.Signature == nil:
		return string(a.Type)
	default:
		return a.Signature.title()
	}
}

func (s *Signature) title() string {
	if s.Title == "" {
		return s.ID
	}
	return s.Title
}

func (d *Delivery) title() string {
	switch {
	case d.State == DeliveryRecovered && d.Lost > 0:
		return fmt.Sprintf("%s works again, without %d alerts", d.Sink, d.Lost)
	case d.State == DeliveryRecovered:
		return d.Sink + " works again"
	case d.State == DeliveryLost:
		return fmt.Sprintf("%d alerts lost to %s", d.Lost, d.Sink)
	default:
		return d.Sink + " takes no alerts"
	}
}

// Summary says in a few words how many of what there were.
func (c *Correlation) Summary() string {
	what := "events"
	switch detect.CorrelationType(c.Type) {
	case detect.ValueCount:
		what = "values"
	case detect.Temporal, detect.TemporalOrdered:
		what = "steps"
	}
	return fmt.Sprintf("%d %s in %s", c.Count, what, c.To.Sub(c.From).Round(time.Microsecond))
}

// Summary is the alert in one line for people, escaped as package format does.
func (a *Alert) Summary() string {
	b := format.AppendEscaped(nil, a.Title())
	switch {
	case a.Gap != nil:
		b = append(b, " in "...)
		b = append(b, a.Gap.To.Sub(a.Gap.From).Round(time.Millisecond).String()...)
		b = append(b, " by "...)
		b = format.AppendWord(b, a.Gap.Hook)
		b = append(b, ": "...)
		b = format.AppendEscaped(b, a.Gap.Cause)
		if g := a.Gap.Aggregated; g != nil {
			b = append(b, ", "...)
			b = format.AppendWord(b, g.EventName)
			b = fmt.Appendf(b, " of process %d", g.HostProcessID)
		}
	case a.Suppressed != nil:
		b = fmt.Appendf(b, ": more than %d in %s", a.Suppressed.Limit, a.Suppressed.To.Sub(a.Suppressed.From).Round(time.Millisecond))
	case a.Delivery != nil:
		b = appendProblem(b, a.Delivery)
	case a.Event != nil:
		b = append(b, ": "...)
		if c := a.Correlation; c != nil {
			b = append(b, c.Summary()...)
			b = append(b, ", the last when "...)
		}
		if s := a.Suspension; s != nil {
			b = fmt.Appendf(b, "%d evaluations took longer than %s, the last when ", s.Overruns, time.Duration(s.BudgetNS))
		}
		b = format.AppendWord(b, a.Event.ProcessName)
		b = fmt.Appendf(b, "[%d] of uid %d called ", a.Event.HostProcessID, a.Event.UserID)
		b = format.AppendWord(b, a.Event.EventName)
	case a.Correlation != nil:
		b = append(b, ": "...)
		b = append(b, a.Correlation.Summary()...)
	}
	if r := a.Repeated; r != nil {
		b = fmt.Appendf(b, " (%d more since %s)", r.Count, r.First.Format(time.TimeOnly))
	}
	return string(b)
}

func appendProblem(b []byte, d *Delivery) []byte {
	if d.Problem != "" {
		b = append(b, ": "...)
		b = format.AppendEscaped(b, d.Problem)
	}
	if d.Waiting > 0 {
		b = fmt.Appendf(b, " (%d wait)", d.Waiting)
	}
	return b
}
