package overlap

import (
	"slices"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// callOf is a call of thread tid from begin to end on CLOCK_BOOTTIME, to which the
// kernel side has told others.
func callOf(tid uint32, begin, end uint64, others ...event.Overlap) *event.Event {
	e := &event.Event{ID: event.Msgsnd, BootNS: begin, DurationNS: end - begin, Overlaps: others}
	e.Process.HostTID = tid
	e.Memory[event.MainMemory] = event.Memory{Pointee: event.MsgbufIn, Arg: "msgp", Address: 0x1000, Length: 16}
	return e
}

func other(tid uint32, begin uint64) event.Overlap {
	return event.Overlap{HostTID: tid, ID: event.Msgrcv, BootNS: begin, Address: 0x1000, Length: 16}
}

func threads(e *event.Event) (tids []uint32) {
	for _, o := range e.Overlaps {
		tids = append(tids, o.HostTID)
	}
	return tids
}

// TestPassedBy has two calls begin and end while a third one waits.
func TestPassedBy(t *testing.T) {
	tracker := NewTracker()
	first, second, waiting := callOf(2, 10, 20, other(1, 5)), callOf(3, 30, 40, other(1, 5)), callOf(1, 5, 100)
	for _, e := range []*event.Event{first, second, waiting} {
		tracker.Complete(e)
	}
	if got := threads(first); !slices.Equal(got, []uint32{1}) {
		t.Errorf("the first call overlaps with threads %v, want 1", got)
	}
	if got := threads(waiting); !slices.Equal(got, []uint32{2, 3}) {
		t.Errorf("the waiting call overlaps with threads %v, want 2 and 3", got)
	}
	if o := waiting.Overlaps[0]; o.DurationNS != 10 || o.ID != event.Msgsnd || o.Writes || o.Address != 0x1000 || o.Length != 16 {
		t.Errorf("overlap %+v, want a send of 10 ns at 0x1000", o)
	}
	later := callOf(1, 200, 210)
	if tracker.Complete(later); len(later.Overlaps) != 0 || len(tracker.waiting) != 0 {
		t.Errorf("a later call of the thread overlaps with %v, %d are waited for", threads(later), len(tracker.waiting))
	}
}

// TestSeenTwice has the kernel side tell the waiting call of one that it hears of
// here too.
func TestSeenTwice(t *testing.T) {
	tracker := NewTracker()
	tracker.Complete(callOf(2, 10, 20, other(1, 5)))
	waiting := callOf(1, 5, 100, other(2, 10))
	tracker.Complete(waiting)
	if len(waiting.Overlaps) != 1 || waiting.Overlaps[0].DurationNS != 10 {
		t.Errorf("overlaps %+v, want one of 10 ns", waiting.Overlaps)
	}
}

// TestBounds has more calls go by than an event can list, and more be waited for
// than the tracker remembers.
func TestBounds(t *testing.T) {
	tracker := NewTracker()
	for i := range uint64(event.MaxOverlaps + 5) {
		tracker.Complete(callOf(2, 10+i, 11+i, other(1, 5)))
	}
	waiting := callOf(1, 5, 100, other(9, 4))
	tracker.Complete(waiting)
	if len(waiting.Overlaps) != event.MaxOverlaps || waiting.OverlapsOmitted != 6 {
		t.Errorf("%d overlaps, %d omitted; want %d and 6", len(waiting.Overlaps), waiting.OverlapsOmitted, event.MaxOverlaps)
	}
	for i := range uint64(3 * maxWaiting) {
		tracker.Complete(callOf(2, 1000+i, 2000+i, other(3, i)))
	}
	if len(tracker.waiting) > maxWaiting || len(tracker.order) > maxWaiting {
		t.Errorf("%d calls are waited for, %d in order; want at most %d", len(tracker.waiting), len(tracker.order), maxWaiting)
	}
}
