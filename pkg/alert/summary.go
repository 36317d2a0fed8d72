package alert

import (
	"fmt"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/format"
)

// Title is what happened in a few words: the signature's title, or that calls
// were lost. It is not escaped.
func (a *Alert) Title() string {
	switch {
	case a.Gap != nil:
		return fmt.Sprintf("%d calls lost", a.Gap.Count)
	case a.Signature == nil:
		return string(a.Type)
	case a.Signature.Title == "":
		return a.Signature.ID
	default:
		return a.Signature.Title
	}
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
		b = format.AppendWord(b, a.Event.ProcessName)
		b = fmt.Appendf(b, "[%d] of uid %d called ", a.Event.HostProcessID, a.Event.UserID)
		b = format.AppendWord(b, a.Event.EventName)
	}
	return string(b)
}
