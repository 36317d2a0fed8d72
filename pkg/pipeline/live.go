package pipeline

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/overlap"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// Capture is what yields the calls of this host as they end.
type Capture interface {
	// Next fills e, valid until the following Next. It returns
	// os.ErrDeadlineExceeded when nothing came for a moment, and io.EOF when
	// there will be nothing more.
	Next(e *event.Event) error
	// Detach stops the capture; what was captured can still be read.
	Detach() error
	// Losses says how many calls have been lost so far, by cause.
	Losses() (map[string]uint64, error)
	// Unmute yields what was but counted, of that which ended before a time.
	Unmute(before time.Time) ([]pushdown.Counted, error)
	// Hook names the way of capture.
	Hook() string
}

// gapInterval is how often the counters of lost calls are looked at.
const gapInterval = time.Second

// Aggregated is the cause of a gap of calls that were counted and not lost.
const Aggregated = "aggregated"

// endOfTime is after everything that is muted.
var endOfTime = time.Unix(1<<40, 0)

// live is the Source of a Capture.
type live struct {
	capture  Capture
	complete func(*event.Event)
	overlaps *overlap.Tracker
	ticker   *time.Ticker
	since    time.Time // of the last look at the losses
	lost     map[string]uint64
	gaps     []Gap // found, and not yielded yet
	ended    bool
}

// NewLive makes a Source of a capture. Each event gets the calls that went by while
// it was under way, and then goes through complete. Once the capture has come to its
// end, the last that it lost is told before io.EOF.
func NewLive(capture Capture, complete func(*event.Event)) Source {
	return &live{
		capture: capture, complete: complete, overlaps: overlap.NewTracker(),
		ticker: time.NewTicker(gapInterval), since: time.Now(),
	}
}

func (l *live) Next(e *event.Event) (*Gap, error) {
	select {
	case now := <-l.ticker.C:
		if err := l.look(now); err != nil {
			return nil, err
		}
	default:
	}
	for len(l.gaps) == 0 {
		switch err := l.capture.Next(e); {
		case err == nil:
			if !e.Repeats.Alone { // it went by before
				l.overlaps.Complete(e)
			}
			l.complete(e)
			return nil, nil
		case !errors.Is(err, io.EOF) || l.ended:
			return nil, err
		}
		l.ended = true
		if err := l.look(time.Now()); err != nil {
			return nil, err
		}
	}
	gap := l.gaps[0]
	l.gaps = l.gaps[1:]
	return &gap, nil
}

func (l *live) Detach() error { return l.capture.Detach() }

// look finds out what was lost since the last look.
func (l *live) look(now time.Time) error {
	losses, err := l.capture.Losses()
	if err != nil {
		return fmt.Errorf("count lost calls: %w", err)
	}
	for _, cause := range slices.Sorted(maps.Keys(losses)) {
		if more := losses[cause] - l.lost[cause]; more > 0 {
			l.gaps = append(l.gaps, Gap{From: l.since, To: now, Count: more, Cause: cause, Hook: l.capture.Hook()})
		}
	}
	l.lost, l.since = losses, now
	if l.ended {
		now = endOfTime
	}
	muted, err := l.capture.Unmute(now)
	for _, m := range muted {
		l.gaps = append(l.gaps, Gap{From: m.From, To: m.To, Count: m.Count, Cause: Aggregated, Hook: l.capture.Hook(), Muted: m.Muted})
	}
	if err != nil {
		return fmt.Errorf("count aggregated calls: %w", err)
	}
	return nil
}
