package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/format"
)

// timeLayout has milliseconds; the alert's time is UTC.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// severityColors are the terminal's escape sequences (ECMA-48, SGR).
var severityColors = [...]string{
	detect.Info:     "\x1b[2m",
	detect.Low:      "\x1b[36m",
	detect.Medium:   "\x1b[33m",
	detect.High:     "\x1b[31m",
	detect.Critical: "\x1b[1;31m",
}

const resetColor = "\x1b[0m"

// Table writes each alert as one line for people: when, how severe, which
// signature, who, which call, and the evidence. Whatever the watched process put
// into its names, the line is one line of printable characters, and a color's
// are its only control characters. It is for one goroutine.
type Table struct {
	w     io.Writer
	color bool
	line  []byte
}

// NewTable makes a sink that writes to w, once for each alert. color is for
// terminals.
func NewTable(w io.Writer, color bool) *Table {
	return &Table{w: w, color: color}
}

// Deliver writes a. The error is w's.
func (s *Table) Deliver(a *alert.Alert) error {
	s.line = append(s.append(s.line[:0], a), '\n')
	if _, err := s.w.Write(s.line); err != nil {
		return fmt.Errorf("write alert %s: %w", a.ID, err)
	}
	return nil
}

// append appends the line without its end.
func (s *Table) append(b []byte, a *alert.Alert) []byte {
	b = a.Time.AppendFormat(b, timeLayout)
	b = append(b, ' ')
	b = s.appendSeverity(b, a.Severity)
	b = append(b, ' ')
	switch {
	case a.Gap != nil:
		b = append(b, "gap "...)
		b = append(b, a.Summary()...)
	case a.Delivery != nil:
		b = append(b, "delivery "...)
		b = append(b, a.Summary()...)
	case a.Signature != nil:
		b = format.AppendWord(b, a.Signature.ID)
		b = append(b, ' ')
		b = format.AppendQuoted(b, a.Title())
	}
	if a.Event != nil {
		b = append(b, ' ')
		b = appendCaller(b, a.Event)
		b = append(b, ' ')
		b = format.AppendCall(b, a.Event)
	}
	b = appendCorrelation(b, a.Correlation)
	b = appendEvidence(b, a.Evidence)
	if r := a.Repeated; r != nil {
		b = fmt.Appendf(b, " [%d more since %s]", r.Count, r.First.Format(timeLayout))
	}
	return b
}

// appendSeverity fills up to the width of the longest name.
func (s *Table) appendSeverity(b []byte, severity detect.Severity) []byte {
	if s.color && int(severity) < len(severityColors) {
		b = append(b, severityColors[severity]...)
		b = fmt.Appendf(b, "%-8s", severity)
		return append(b, resetColor...)
	}
	return fmt.Appendf(b, "%-8s", severity)
}

func appendCaller(b []byte, d *event.Document) []byte {
	b = format.AppendWord(b, d.ProcessName)
	b = append(b, '[')
	b = strconv.AppendUint(b, uint64(d.HostProcessID), 10)
	b = append(b, "] uid="...)
	b = strconv.AppendUint(b, uint64(d.UserID), 10)
	if d.Executable.Path != "" {
		b = append(b, " exe="...)
		b = format.AppendWord(b, d.Executable.Path)
	}
	if d.ContainerID != "" {
		b = append(b, " container="...)
		b = format.AppendWord(b, shortID(d.ContainerID))
	}
	return b
}

// shortID is the beginning of a container's id, by which docker ps lists it.
func shortID(id string) string {
	const idLength, shown = 64, 12
	if len(id) == idLength {
		return id[:shown]
	}
	return id
}

// appendCorrelation appends [count in time by {group}: steps].
func appendCorrelation(b []byte, c *alert.Correlation) []byte {
	if c == nil {
		return b
	}
	b = append(b, " ["...)
	b = append(b, c.Summary()...)
	if len(c.Group) > 0 {
		b = appendEvidence(append(b, " by"...), c.Group)
	}
	for i, step := range c.Steps {
		separator := ", "
		if i == 0 {
			separator = ": "
		}
		b = append(b, separator...)
		b = format.AppendWord(b, step.Name)
	}
	return append(b, ']')
}

// appendEvidence appends {key: value, …} ordered by key.
func appendEvidence(b []byte, evidence map[string]any) []byte {
	if len(evidence) == 0 {
		return b
	}
	separator := " {"
	for _, key := range slices.Sorted(maps.Keys(evidence)) {
		b = append(b, separator...)
		b = format.AppendWord(b, key)
		b = append(b, ": "...)
		b = appendEvidenceValue(b, evidence[key])
		separator = ", "
	}
	return append(b, '}')
}

// appendEvidenceValue appends the value as JSON; what JSON lets through in its
// strings, but a terminal should not, is escaped.
func appendEvidenceValue(b []byte, value any) []byte {
	if text, ok := value.(string); ok {
		return format.AppendQuoted(b, text)
	}
	var encoded bytes.Buffer
	enc := json.NewEncoder(&encoded)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		// Package alert lets nothing into an alert that JSON does not have.
		return format.AppendQuoted(b, err.Error())
	}
	return format.AppendPrintable(b, bytes.TrimSuffix(encoded.Bytes(), []byte{'\n'}))
}
