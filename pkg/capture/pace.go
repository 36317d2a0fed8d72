package capture

import (
	"os"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// nap is how long a paced source waits before it lets its caller do something else.
const nap = 10 * time.Millisecond

// paced is a source that takes the time that its events took.
type paced struct {
	pipeline.Source
	offset time.Duration // from the time of the events to now; known once one has come
	begun  bool

	// What was read already, if held, and is not due.
	held  bool
	event event.Event
	gap   *pipeline.Gap
	due   time.Time
}

// InRealTime is source with the time between its events: each comes as long after the
// first as it did when it was recorded.
func InRealTime(source pipeline.Source) pipeline.Source { return &paced{Source: source} }

// Next implements pipeline.Source.
func (p *paced) Next(e *event.Event) (*pipeline.Gap, error) {
	if !p.held {
		var err error
		if p.gap, err = p.Source.Next(&p.event); err != nil {
			return nil, err
		}
		at := time.Unix(0, p.event.TimeNS+int64(p.event.DurationNS))
		if p.gap != nil {
			at = p.gap.To
		}
		if !p.begun {
			p.begun, p.offset = true, time.Since(at)
		}
		p.held, p.due = true, at.Add(p.offset)
	}
	if wait := time.Until(p.due); wait > 0 {
		time.Sleep(min(wait, nap))
		if wait > nap {
			return nil, os.ErrDeadlineExceeded
		}
	}
	p.held = false
	if p.gap == nil {
		*e = p.event
	}
	return p.gap, nil
}

// Detach implements pipeline.Source: what is not due yet does not come any more.
func (p *paced) Detach() error {
	p.held = false
	return p.Source.Detach()
}
