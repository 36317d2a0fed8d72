// Package pipeline moves events from a source to a stage: one loop of plain
// calls in one goroutine. The source is a live capture or a recording of one.
package pipeline

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// Source yields events, complete with all that is known of them, in the order in
// which their calls ended, and between them the news that calls were lost.
type Source interface {
	// Next fills e, valid until the following Next, or returns a gap and leaves e
	// as it is. It returns os.ErrDeadlineExceeded when nothing came for a moment,
	// and io.EOF when there will be nothing more.
	Next(e *event.Event) (*Gap, error)
	// Detach stops the capture; what was captured can still be read.
	Detach() error
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

// Gap is a stretch of time in which there are no events of calls.
type Gap struct {
	From, To time.Time
	Count    uint64
	Cause    string
	Hook     string
	Muted    pushdown.Muted // the calls were but counted, if it has a signature
}

// ErrDone is what a Stage returns when it wants no more events; Run then ends
// without an error.
var ErrDone = errors.New("no more events wanted")

// Run hands every event that is wanted from source to stage until the source has no
// more, or ctx ends. Then it detaches the source, hands over what was captured
// before, and returns nil. A call through ipc(2) gives its raw ipc event, if wanted
// has that, and then the call that it stands for.
func Run(ctx context.Context, source Source, wanted event.Set, stage Stage) error {
	r := runner{source: source, wanted: wanted, stage: stage}
	err := r.run(ctx)
	// What came after the stage had enough is read by nobody, and no loss.
	detached := source.Detach()
	if errors.Is(err, ErrDone) {
		return detached
	}
	return err
}

type runner struct {
	source Source
	wanted event.Set
	stage  Stage
	event  event.Event
	raw    event.Event
}

// run returns ErrDone if all went well.
func (r *runner) run(ctx context.Context) error {
	// What was captured before the end counts: the stage gets it with a context
	// that is still alive.
	stageCtx := context.WithoutCancel(ctx)
	done := ctx.Done()
	for {
		select {
		case <-done:
			if err := r.source.Detach(); err != nil {
				return err
			}
			done = nil
		default:
		}
		if err := r.next(stageCtx); err != nil {
			return err
		}
	}
}

// next hands on what the source has. At its end it returns ErrDone.
func (r *runner) next(ctx context.Context) error {
	gap, err := r.source.Next(&r.event)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return r.stage.Idle()
	case errors.Is(err, io.EOF):
		return ErrDone
	case err != nil:
		return err
	case gap != nil:
		return r.stage.Gap(ctx, *gap)
	default:
		return r.hand(ctx)
	}
}

func (r *runner) hand(ctx context.Context) error {
	e := &r.event
	if r.wanted.Has(event.IPC) && e.Multiplexer(&r.raw) {
		if err := r.stage.Event(ctx, &r.raw); err != nil {
			return err
		}
	}
	if !r.wanted.Has(e.ID) {
		return nil
	}
	return r.stage.Event(ctx, e)
}
