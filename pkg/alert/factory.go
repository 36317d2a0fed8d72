package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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

// DeliverySeverity is the severity of the news that delivery fails: what is found
// meanwhile may be read by nobody.
const DeliverySeverity = detect.High

// Factory makes the alerts of one host. It reads no clock and draws nothing at
// random: what was found in the same events gives the same alerts, however often they
// are replayed. It is safe for concurrent use.
type Factory struct{ Host string }

// FromFinding makes an alert of what the signature described by meta found in
// the event described by doc, which only a correlation can lack. The alert keeps
// nothing of its arguments but what Event.Document made afresh, and the documents of
// finding.Correlated, which belong to it from now on.
func (f *Factory) FromFinding(meta *detect.Metadata, finding detect.Finding, doc *event.Document) *Alert {
	a := f.base(TypeFinding, meta.Severity)
	a.Signature = describe(meta)
	a.Evidence = ownMap(finding.Explanation())
	if c := finding.Correlated; c != nil {
		a.Time = c.To.UTC()
		a.Correlation = &Correlation{
			Type: string(c.Type), Group: ownMap(c.Group), Count: c.Count, From: c.From.UTC(), To: c.To.UTC(),
			First: c.First, Samples: c.Samples,
		}
		for _, step := range c.Steps {
			a.Correlation.Steps = append(a.Correlation.Steps, Step{step.Name, step.Event})
		}
	}
	// Event.Document fills a document with new slices each time, so that a copy
	// of the struct shares nothing with the next event.
	if doc != nil {
		a.Event, a.Time = new(*doc), endOf(doc)
	}
	return identified(a)
}

// FromGap makes an alert of lost calls.
func (f *Factory) FromGap(gap Gap) *Alert {
	gap.From, gap.To = gap.From.UTC(), gap.To.UTC()
	a := f.base(TypeGap, GapSeverity)
	a.Gap, a.Time = &gap, gap.To
	return identified(a)
}

// FromSuspension makes an alert of a signature that is not evaluated any more;
// doc is the last event that took it too long.
func (f *Factory) FromSuspension(meta *detect.Metadata, suspension Suspension, doc *event.Document) *Alert {
	suspension.From, suspension.To = suspension.From.UTC(), suspension.To.UTC()
	a := f.base(TypeSuspended, SuspendedSeverity)
	a.Signature = describe(meta)
	a.Suspension, a.Time = &suspension, suspension.To
	a.Event = new(*doc)
	return identified(a)
}

// FromSuppressed makes an alert of findings that have none, at the end of the time
// that they were counted for: of that signature, which is shared with its alerts, and
// with their severity.
func (f *Factory) FromSuppressed(signature *Signature, severity detect.Severity, suppressed Suppressed) *Alert {
	suppressed.From, suppressed.To = suppressed.From.UTC(), suppressed.To.UTC()
	a := f.base(TypeSuppressed, severity)
	a.Signature = signature
	a.Suppressed, a.Time = &suppressed, suppressed.To
	return identified(a)
}

// FromRepeated makes an alert that stands for findings that were alike, of the alert
// that the last of them would have been.
func (f *Factory) FromRepeated(last *Alert, repeated Repeated) *Alert {
	repeated.First, repeated.Last = repeated.First.UTC(), repeated.Last.UTC()
	a := new(*last)
	a.ID, a.Repeated = "", &repeated
	return identified(a)
}

// FromDelivery makes an alert of the state of a sink or of the spool. That all is well
// again is but information.
func (f *Factory) FromDelivery(delivery Delivery) *Alert {
	delivery.From, delivery.To = delivery.From.UTC(), delivery.To.UTC()
	severity := DeliverySeverity
	if delivery.State == DeliveryRecovered && delivery.Lost == 0 {
		severity = detect.Info
	}
	a := f.base(TypeDelivery, severity)
	a.Delivery, a.Time = &delivery, delivery.To
	return identified(a)
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
	return &Alert{Version: Version, Type: kind, Severity: severity, Host: f.Host}
}

// endOf is when the call of an event ended.
func endOf(doc *event.Document) time.Time {
	return time.Unix(0, doc.Timestamp+int64(doc.DurationNS)).UTC()
}

// identified gives a, which is complete, an id: the beginning of the hash of all the
// rest. No two calls have the same thread and time, so none have the same id.
func identified(a *Alert) *Alert {
	h := sha256.New()
	_ = json.NewEncoder(h).Encode(a) // a hash takes everything, and all of an alert has a form in JSON
	a.ID = hex.EncodeToString(h.Sum(nil)[:16])
	return a
}
