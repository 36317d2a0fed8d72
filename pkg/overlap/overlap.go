// Package overlap completes what the kernel side knows of calls on the same memory
// at the same time. There a call finds those that are under way when it begins and
// when it ends; one that began and ended within it finds it, and arrives first.
package overlap

import "github.com/ipcwarden/ipcwarden/pkg/event"

// maxWaiting bounds the calls that are waited for. The one that was told of first
// makes room.
const maxWaiting = 4096

// Tracker tells each call of the calls that went by while it was under way. It is
// for one goroutine.
type Tracker struct {
	waiting map[call]*passed
	order   []call // a ring, once it is full
	oldest  int
}

// call identifies a call that has not ended yet.
type call struct {
	hostTID uint32
	bootNS  uint64 // its entry
}

// passed is what went by.
type passed struct {
	overlaps []event.Overlap
	omitted  uint32
}

// NewTracker makes a Tracker that knows of nothing.
func NewTracker() *Tracker { return &Tracker{waiting: map[call]*passed{}} }

// Complete adds to e the overlapping calls that have ended before it, and remembers
// e for those that have not. An event without overlaps, as nearly all are, costs a
// look into a map that is mostly empty.
func (t *Tracker) Complete(e *event.Event) {
	for i := range e.Overlaps {
		if o := &e.Overlaps[i]; o.BootNS < e.BootNS {
			t.tell(call{o.HostTID, o.BootNS}, e)
		}
	}
	if len(t.waiting) == 0 {
		return
	}
	self := call{e.Process.HostTID, e.BootNS}
	if p := t.waiting[self]; p != nil {
		delete(t.waiting, self)
		p.addTo(e)
	}
}

// tell notes for the call c that e went by.
func (t *Tracker) tell(c call, e *event.Event) {
	p := t.waiting[c]
	if p == nil {
		p = &passed{}
		t.remember(c, p)
	}
	if len(p.overlaps) == event.MaxOverlaps {
		p.omitted++
		return
	}
	main := &e.Memory[event.MainMemory]
	p.overlaps = append(p.overlaps, event.Overlap{
		HostPID: e.Process.HostPID, HostTID: e.Process.HostTID, ID: e.ID, Writes: main.Written(),
		Address: main.Address, Length: main.Length, BootNS: e.BootNS, DurationNS: e.DurationNS,
	})
}

func (t *Tracker) remember(c call, p *passed) {
	t.waiting[c] = p
	if len(t.order) < maxWaiting {
		t.order = append(t.order, c)
		return
	}
	delete(t.waiting, t.order[t.oldest])
	t.order[t.oldest] = c
	t.oldest = (t.oldest + 1) % maxWaiting
}

// addTo adds what went by to the call that it went by, which knows of some already
// if they were under way when it began or ended.
func (p *passed) addTo(e *event.Event) {
	e.OverlapsOmitted += p.omitted
	for _, o := range p.overlaps {
		switch i := find(e.Overlaps, o); {
		case i >= 0:
			e.Overlaps[i] = o
		case len(e.Overlaps) < event.MaxOverlaps:
			e.Overlaps = append(e.Overlaps, o)
		default:
			e.OverlapsOmitted++
		}
	}
}

func find(overlaps []event.Overlap, o event.Overlap) int {
	for i := range overlaps {
		if overlaps[i].HostTID == o.HostTID && overlaps[i].BootNS == o.BootNS {
			return i
		}
	}
	return -1
}
