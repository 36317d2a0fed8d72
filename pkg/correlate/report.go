package correlate

import (
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// report hands on what a group has come to. doc is the event that completed it.
func (c *Correlator) report(s *signature, h *hit, group map[string]any, evidence map[string]any, doc *event.Document) {
	s.counters.Found++
	found := &detect.Correlated{
		Type: s.metadata.Correlation.Type, Group: group, Count: h.count, From: c.unix(h.from), To: c.unix(h.to),
	}
	for i, t := range h.samples {
		d := c.recall.document(t)
		switch {
		case d == nil:
		case i == 0:
			found.First = d
		default:
			found.Samples = append(found.Samples, d)
		}
	}
	for i, t := range h.steps {
		step := detect.CorrelatedStep{Name: s.metadata.Correlation.Steps[i], Event: c.recall.document(t)}
		if i == 0 {
			found.First = step.Event
		}
		found.Steps = append(found.Steps, step)
	}
	c.found(s.metadata, detect.Finding{Evidence: evidence, Correlated: found}, doc)
}
