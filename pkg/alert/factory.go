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
// the event described by doc. The alert keeps nothing of its arguments but what
// Event.Document made afresh.
func (f *Factory) FromFinding(meta *detect.Metadata, finding detect.Finding, doc *event.Document) *Alert {
	a := f.base(TypeFinding, meta.Severity)
	a.Signature = &Signature{
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
	a.Evidence = ownMap(finding.Evidence)
	// Event.Document fills a document with new slices each time, so that a copy
	// of the struct shares nothing with the next event.
	a.Event = new(*doc)
	return a
}

// FromGap makes an alert of lost calls.
func (f *Factory) FromGap(gap Gap) *Alert {
	gap.From, gap.To = gap.From.UTC(), gap.To.UTC()
	a := f.base(TypeGap, GapSeverity)
	a.Gap = &gap
	return a
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
