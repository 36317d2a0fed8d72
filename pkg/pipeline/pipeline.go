// Package pipeline moves events from a source to a stage: one loop of plain
// calls in one goroutine.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/overlap"
)

// Source yields events in the order in which their calls ended.
type Source interface {
	// Next fills e, valid until the following Next. It returns
	// os.ErrDeadlineExceeded when nothing came for a moment, and io.EOF when
	// there will be nothing more.
	Next(e *event.Event) error
	// Detach stops the capture; what was captured can still be read.
	Detach() error
	// Losses says how many calls have been lost so far, by cause.
	Losses() (map[string]uint64, error)
	// Hook names the way of capture.
	Hook() string
}

// Stage takes the events. An error ends the run.
type Stage interface {
	// Event takes one event; e is valid during the call.
	Event(ctx context.Context, e *event.Event) error
	// Idle is called when no event is waiting: the time to flush.
	Idle() error
	// Gap takes the news that calls were lost.
	Gap(ctx context.Context, g Gap) error
}

// Gap is a stretch of time in which calls were lost.
type Gap struct {
	From, To time.Time
	Count    uint64
	Cause    string
	Hook     string
}

// ErrDone is what a Stage returns when it wants no more events; Run then ends
// without an error.
var ErrDone = errors.New("no more events wanted")

// gapInterval is how often the counters of lost calls are looked at.
const gapInterval = time.Second

// Run hands every event that is wanted from source to stage until ctx ends. Then
// it detaches the source, hands over what was captured before, and returns nil.
// A call through ipc(2) gives its raw ipc event, if wanted has that, and then
// the call that it stands for.
func Run(ctx context.Context, source Source, wanted event.Set, stage Stage) error {
	r := runner{
		source: source, wanted: wanted, stage: stage, overlaps: overlap.NewTracker(),
		gapsSince: time.Now(), lost: map[string]uint64{},
	}
	err := r.run(ctx)
	// What came after the stage had enough is read by nobody, and no loss.
	if detached := source.Detach(); err == nil {
		err = detached
	}
	if errors.Is(err, ErrDone) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.gaps(context.WithoutCancel(ctx), time.Now())
}

type runner struct {
	source    Source
	wanted    event.Set
	stage     Stage
	overlaps  *overlap.Tracker
	event     event.Event
	raw       event.Event
	gapsSince time.Time
	lost      map[string]uint64
}

func (r *runner) run(ctx context.Context) error {
	// What was captured before the end counts: the stage gets it with a context
	// that is still alive.
	stageCtx := context.WithoutCancel(ctx)
	done := ctx.Done()
	ticker := time.NewTicker(gapInterval)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			if err := r.source.Detach(); err != nil {
				return err
			}
			done = nil
		case now := <-ticker.C:
			if err := r.gaps(stageCtx, now); err != nil {
				return err
			}
		default:
		}
		switch err := r.source.Next(&r.event); {
		case err == nil:
			if err := r.hand(stageCtx); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		default:
			if err := r.stage.Idle(); err != nil {
				return err
			}
		}
	}
}

func (r *runner) hand(ctx context.Context) error {
	e := &r.event
	r.overlaps.Complete(e)
	if e.Multiplexed && e.ID != event.IPC && r.wanted.Has(event.IPC) {
		e.Multiplexer(&r.raw)
		if err := r.stage.Event(ctx, &r.raw); err != nil {
			return err
		}
	}
	if !r.wanted.Has(e.ID) {
		return nil
	}
	return r.stage.Event(ctx, e)
}

// gaps reports what was lost since the last look.
func (r *runner) gaps(ctx context.Context, now time.Time) error {
	losses, err := r.source.Losses()
	if err != nil {
		return fmt.Errorf("count lost calls: %w", err)
	}
	for cause, count := range losses {
		if more := count - r.lost[cause]; more > 0 {
			gap := Gap{From: r.gapsSince, To: now, Count: more, Cause: cause, Hook: r.source.Hook()}
			if err := r.stage.Gap(ctx, gap); err != nil {
				return err
			}
		}
	}
	r.lost, r.gapsSince = losses, now
	return nil
}
