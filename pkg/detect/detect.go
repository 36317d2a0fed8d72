// Package detect is what the author of a signature needs, and nothing else:
// what a signature is, what it says about itself, and what it finds.
package detect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Severity orders findings by how much attention they deserve.
type Severity uint8

// The severities, from a mere observation to a proven attack.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String is the severity as metadata and alerts spell it.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return "unknown"
}

// ParseSeverity reads what String writes.
func ParseSeverity(name string) (Severity, error) {
	for i, n := range severityNames {
		if n == name {
			return Severity(i), nil
		}
	}
	return 0, fmt.Errorf("severity %q is none of %s", name, strings.Join(severityNames[:], ", "))
}

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the severity's name.
func (s *Severity) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSeverity(string(b))
	return err
}

// Metadata is what a signature says about itself.
type Metadata struct {
	ID             string
	Title          string
	Description    string
	Version        string
	Severity       Severity
	Events         event.Set // the events that the signature is evaluated on
	Attack         []string  // MITRE ATT&CK technique ids
	References     []string  // addresses of published sources
	FalsePositives []string  // benign behaviour that matches, and how to tell it apart
	Tags           []string
	Off            bool // not in use unless somebody asks for it
	// Correlation makes the signature one about many events: its findings are then
	// no alerts, but what is correlated. nil for a signature about one event.
	Correlation *Correlation
	Properties  map[string]any // whatever else the author declared
	Source      string         // file, or Go package, that defines the signature
}

// Finding is a signature's verdict on one event.
type Finding struct {
	// Evidence is what the signature wants the reader to see; nil for a bare match.
	Evidence map[string]any
	// Unread is the evidence where Evidence is nil and it is made only if somebody looks
	// at it: most findings are counted by a correlation, or are one of many that an alert
	// stands for. It is valid until Match is called again with the same input.
	Unread Evidence
	// Step is the step of the correlation that the event is; "" if that has none.
	Step string
	// Correlated is what a correlation made of many findings, of which this is the
	// last; nil for a finding on one event.
	Correlated *Correlated
}

// Evidence is something that a JSON object can be made of.
type Evidence interface {
	// Read makes the object, which belongs to the caller. Its numbers are json.Number.
	Read() map[string]any
}

// Explanation is what the signature wants the reader to see, wherever it is; nil for a
// bare match.
func (f *Finding) Explanation() map[string]any {
	if f.Evidence == nil && f.Unread != nil {
		return f.Unread.Read()
	}
	return f.Evidence
}

// ErrBudget is the error, or what it wraps, of an evaluation that takes more than it may:
// the cause with which its context ends after too much time, and what a signature returns
// that bounds itself in other ways. A signature that has it again and again is suspended.
var ErrBudget = errors.New("the evaluation has used up its budget")

// Signature decides whether an event is suspicious. The engine calls Match from
// one goroutine, and only with events that Metadata selects.
type Signature interface {
	Metadata() *Metadata
	// Match appends a finding to found for each reason that in gives, and returns it,
	// also along with an error: that means that there is no verdict, or, if there are
	// findings, that they cannot be explained.
	Match(ctx context.Context, in *Input, found []Finding) ([]Finding, error)
}

// Input is one event as signatures see it. What is costly to derive from the
// event is derived once and shared by all signatures.
type Input struct {
	event    *event.Event
	document event.Document
	ready    bool
	kept     any
	fresh    bool
}

// Reset makes in an input for e, which must stay unchanged until the next Reset.
func (in *Input) Reset(e *event.Event) {
	in.event, in.ready, in.fresh = e, false, true
}

// Event is the decoded system call.
func (in *Input) Event() *event.Event { return in.event }

// Document is the event as JSON documents have it.
func (in *Input) Document() *event.Document {
	if !in.ready {
		in.event.Document(&in.document)
		in.ready = true
	}
	return &in.document
}

// Kept returns what build made the first time it was called: memory that one
// language of signatures keeps with the input from event to event, for what it
// derives from them. fresh tells that this is the first call since Reset.
func (in *Input) Kept(build func() any) (kept any, fresh bool) {
	if in.kept == nil {
		in.kept = build()
	}
	fresh, in.fresh = in.fresh, false
	return in.kept, fresh
}
