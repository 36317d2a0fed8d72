package engine

import (
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// A signature of which this many evaluations within this time used up their
// budget is suspended: each of them delays every other signature.
const (
	overrunLimit  = 3
	overrunWindow = time.Minute
)

// Suspension tells that a signature is not evaluated any more until the next
// call of Use.
type Suspension struct {
	Metadata *detect.Metadata
	Overruns int           // evaluations that used up their budget
	Budget   time.Duration // of one evaluation
	From, To time.Time     // when the first and the last of them ended
	// Input is the event that the last of them was for. It is valid until the
	// callback returns.
	Input *detect.Input
}

// overran counts an evaluation that used up its budget, and suspends a signature
// that does so again and again.
func (e *Engine) overran(t *entry, err error) {
	t.counters.overruns.Add(1)
	t.log.error("signature evaluation took too long", zap.Duration("budget", e.fence.budget), zap.Error(err))
	now := e.now()
	copy(t.overruns[:], t.overruns[1:])
	t.overruns[overrunLimit-1] = now
	first := t.overruns[0]
	if first.IsZero() || now.Sub(first) > overrunWindow {
		return
	}
	t.suspended.Store(true)
	e.log.Error("signature suspended until the signatures are reloaded", zap.String("signature", t.metadata.ID),
		zap.Int("overruns", overrunLimit), zap.Duration("within", now.Sub(first)), zap.Duration("budget", e.fence.budget))
	if e.Suspended != nil {
		e.Suspended(Suspension{
			Metadata: t.metadata, Overruns: overrunLimit, Budget: e.fence.budget, From: first, To: now, Input: &e.input,
		})
	}
}
