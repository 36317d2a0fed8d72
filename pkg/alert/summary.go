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
	case a.Gap != nil:
		return fmt.Sprintf("%d calls lost", a.Gap.Count)
	case a.Suspension != nil && a.Signature != nil:
		return "signature suspended: " + a.Signature.title()
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
	return string(b)
}
