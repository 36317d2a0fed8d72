package alert

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// GapSeverity is the severity of every gap: no attack was seen, but one could
// have passed, and whoever floods the ring may want just that.
const GapSeverity = detect.Medium

// SuspendedSeverity is the severity of every suspension: whoever knows a signature
// can make the event that keeps it busy, and then do what it would have found.
const SuspendedSeverity = detect.High

// Factory makes the alerts of one host. It is as safe for concurrent use as its
// functions are.
type Factory struct {
	Host  string
	Now   func() time.Time
	NewID func() string
}

// NewFactory makes a factory that takes the time from the system's clock, and
// random ids. It is safe for concurrent use.
func NewFactory(host string) *Factory {
	return &Factory{Host: host, Now: time.Now, NewID: RandomID}
}

// RandomID is 128 random bits in hexadecimal.
func RandomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand: never fails, it ends the process instead
	return hex.EncodeToString(b[:])
}

// FromFinding makes an alert of what the signature described by meta found in
// the event described by doc, which only a correlation can lack. The alert keeps
// nothing of its arguments but what Event.Document made afresh, and the documents of
// finding.Correlated, which belong to it from now on.
func (f *Factory) FromFinding(meta *detect.Metadata, finding detect.Finding, doc *event.Document) *Alert {
	a := f.base(TypeFinding, meta.Severity)
	a.Signature = describe(meta)
	a.Evidence = ownMap(finding.Evidence)
	// Event.Document fills a document with new slices each time, so that a copy
	// of the struct shares nothing with the next event.
	if doc != nil {
		a.Event = new(*doc)
	}
	if c := finding.Correlated; c != nil {
		a.Correlation = &Correlation{
			Type: string(c.Type), Group: ownMap(c.Group), Count: c.Count, From: c.From.UTC(), To: c.To.UTC(),
			First: c.First, Samples: c.Samples,
		}
		for _, step := range c.Steps {
			a.Correlation.Steps = append(a.Correlation.Steps, Step{step.Name, step.Event})
		}
	}
	return a
}

// FromGap makes an alert of lost calls.
func (f *Factory) FromGap(gap Gap) *Alert {
	gap.From, gap.To = gap.From.UTC(), gap.To.UTC()
	a := f.base(TypeGap, GapSeverity)
	a.Gap = &gap
	return a
}

// FromSuspension makes an alert of a signature that is not evaluated any more;
// doc is the last event that took it too long.
func (f *Factory) FromSuspension(meta *detect.Metadata, suspension Suspension, doc *event.Document) *Alert {
	suspension.From, suspension.To = suspension.From.UTC(), suspension.To.UTC()
	a := f.base(TypeSuspended, SuspendedSeverity)
	a.Signature = describe(meta)
	a.Suspension = &suspension
	a.Event = new(*doc)
	return a
}

func describe(meta *detect.Metadata) *Signature {
	return &Signature{
		ID:             meta.ID,
		Title:          meta.Title,
		Description:    meta.Description,
		Version:        meta.Version,
		Attack:         ownStrings(meta.Attack),
		References:     ownStrings(meta.References),
		Tags:           ownStrings(meta.Tags),
		FalsePositives: ownStrings(meta.FalsePositives),
		Properties:     ownMap(meta.Properties),
	}
}

func (f *Factory) base(kind Type, severity detect.Severity) *Alert {
	return &Alert{
		Version:  Version,
		ID:       f.NewID(),
		Type:     kind,
		Time:     f.Now().UTC(),
		Severity: severity,
		Host:     f.Host,
	}
}
