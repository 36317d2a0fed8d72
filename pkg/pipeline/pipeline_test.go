package pipeline

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// script is a source of given events: it idles once they are used up, until it
// is detached, and then yields those that were still in its ring.
type script struct {
	events, afterDetach []event.Event
	detached            bool
	lost                map[string]uint64
	muted               []pushdown.Counted
}

func (s *script) Next(e *event.Event) error {
	if len(s.events) > 0 {
		*e, s.events = s.events[0], s.events[1:]
		return nil
	}
	if s.detached {
		return io.EOF
	}
	return os.ErrDeadlineExceeded
}

func (s *script) Detach() error {
	if !s.detached {
		s.events = append(s.events, s.afterDetach...)
	}
	s.detached = true
	return nil
}

func (s *script) Losses() (map[string]uint64, error) { return s.lost, nil }
func (s *script) Unmute(before time.Time) (ended []pushdown.Counted, err error) {
	s.muted = slices.DeleteFunc(s.muted, func(m pushdown.Counted) bool {
		if m.To.Before(before) {
			ended = append(ended, m)
			return true
		}
		return false
	})
	return ended, nil
}
func (s *script) Hook() string { return "script" }

// run is Run on a script.
func run(ctx context.Context, s *script, wanted event.Set, stage Stage) error {
	return Run(ctx, NewLive(s, func(e *event.Event) { e.Process.HostName = "host" }), wanted, stage)
}

// collector is a stage that ends the run when the source idles.
type collector struct {
	ids    []event.ID
	gaps   []Gap
	idle   func() error
	onNext func() error
}

func (c *collector) Event(ctx context.Context, e *event.Event) error {
	if ctx.Err() != nil {
		return errors.New("the stage's context has ended")
	}
	if e.Process.HostName != "host" {
		return errors.New("the event is not complete")
	}
	c.ids = append(c.ids, e.ID)
	if c.onNext != nil {
		return c.onNext()
	}
	return nil
}

func (c *collector) Idle() error { return c.idle() }

func (c *collector) Gap(_ context.Context, g Gap) error {
	c.gaps = append(c.gaps, g)
	return nil
}

func TestRunDrainsAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	source := &script{
		events:      []event.Event{{ID: event.Msgget}},
		afterDetach: []event.Event{{ID: event.Shmdt}},
		lost:        map[string]uint64{"ring_full": 7, "malformed": 0},
	}
	stage := &collector{idle: func() error { cancel(); return nil }}
	if err := run(ctx, source, event.All, stage); err != nil {
		t.Fatal(err)
	}
	if want := []event.ID{event.Msgget, event.Shmdt}; !slices.Equal(stage.ids, want) {
		t.Errorf("events %v, want %v", stage.ids, want)
	}
	if len(stage.gaps) != 1 || stage.gaps[0].Count != 7 || stage.gaps[0].Cause != "ring_full" || stage.gaps[0].Hook != "script" {
		t.Errorf("gaps %+v, want one of 7 by ring_full", stage.gaps)
	}
}

// TestRunTellsOfMuted has calls that the kernel goes on counting for a day.
func TestRunTellsOfMuted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	now := time.Now()
	muted := pushdown.Counted{
		Muted: pushdown.Muted{Signature: "A", HostPID: 7, Event: event.Msgsnd}, From: now, To: now.Add(24 * time.Hour), Count: 9,
	}
	stage := &collector{idle: func() error { cancel(); return nil }}
	if err := run(ctx, &script{muted: []pushdown.Counted{muted}}, event.All, stage); err != nil {
		t.Fatal(err)
	}
	want := Gap{From: muted.From, To: muted.To, Count: 9, Cause: Aggregated, Hook: "script", Muted: muted.Muted}
	if !slices.Equal(stage.gaps, []Gap{want}) {
		t.Errorf("gaps %+v, want %+v", stage.gaps, want)
	}
}

func TestRunGivesTheMultiplexerWhereWanted(t *testing.T) {
	through := event.Event{ID: event.Msgsnd, Multiplexed: true, Call: 11, Raw: [event.MaxArgs]uint64{11}}
	undefined := event.Event{ID: event.IPC, Multiplexed: true, Call: 99}
	for _, test := range []struct {
		wanted event.Set
		want   []event.ID
	}{
		{event.All, []event.ID{event.IPC, event.Msgsnd, event.IPC}},
		{event.Of(event.Msgsnd), []event.ID{event.Msgsnd}},
		{event.Of(event.IPC), []event.ID{event.IPC, event.IPC}},
		{event.Of(event.Shmat), nil},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		stage := &collector{idle: func() error { cancel(); return nil }}
		if err := run(ctx, &script{events: []event.Event{through, undefined}}, test.wanted, stage); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(stage.ids, test.want) {
			t.Errorf("wanted %b: events %v, want %v", test.wanted, stage.ids, test.want)
		}
	}
}

func TestRunEndsWhenTheStageHasEnough(t *testing.T) {
	source := &script{events: make([]event.Event, 5)}
	for i := range source.events {
		source.events[i].ID = event.Semop
	}
	stage := &collector{onNext: func() error { return ErrDone }}
	if err := run(t.Context(), source, event.All, stage); err != nil {
		t.Fatal(err)
	}
	if len(stage.ids) != 1 || !source.detached {
		t.Errorf("%d events, detached %t; want one, and a detached source", len(stage.ids), source.detached)
	}
}

func TestRunReturnsTheStagesError(t *testing.T) {
	full := errors.New("disk full")
	stage := &collector{onNext: func() error { return full }}
	source := &script{events: []event.Event{{ID: event.Semop}}}
	if err := run(t.Context(), source, event.All, stage); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}
