package regosig

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestHandwritten holds the predicates in Go to the signatures, or else the
// benchmarks would compare different work. Every signature has to find something.
func TestHandwritten(t *testing.T) {
	recorded := recording(t)
	events := slices.Clone(recorded)
	for seed := range uint64(20_000) {
		if e := randomEvent(seed); plausible(e) {
			events = append(events, e)
		}
	}
	for _, e := range recorded {
		events = append(events,
			changed(e, func(e *event.Event) { e.Process.UID, e.Process.EUID = 1000, 1000 }),
			changed(e, func(e *event.Event) { e.Args[2] += 1000 }))
	}
	t.Run("20", func(t *testing.T) { compareWithHandwritten(t, varied(t, 20), events) })
	t.Run("bare", func(t *testing.T) { compareWithHandwritten(t, bare(t), events) })
	t.Run("200", func(t *testing.T) { compareWithHandwritten(t, varied(t, 200), forVariants(t, events)) })
	t.Run("of one kind", func(t *testing.T) {
		for i := range uint64(200) {
			recorded = append(recorded, forKind(i, 0), forKind(i, -eagain))
		}
		compareWithHandwritten(t, ofOneKind(200), recorded)
	})
}

// plausible leaves out events whose memory the probe reports for no such call.
func plausible(e *event.Event) bool {
	i := e.Row().MainAt()
	main := &e.Memory[event.MainMemory]
	return e.ID != event.IPC && (main.Pointee == event.NoPointee || main.Pointee == e.Row().Args[i].Pointee)
}

func changed(e *event.Event, change func(*event.Event)) *event.Event {
	c := *e
	change(&c)
	return &c
}

// forVariants are a few of the events for each of the 20 signatures that finds
// them, as each of its variants wants them, and as they are.
func forVariants(t *testing.T, events []*event.Event) (some []*event.Event) {
	t.Helper()
	twenty := varied(t, 20)
	selects := map[string]event.Set{}
	for _, s := range twenty.load(t).Signatures() {
		selects[s.Metadata().ID] = s.Metadata().Events
	}
	for i, id := range twenty.ids {
		examples := 0
		for _, e := range events {
			if examples == 3 || !selects[id].Has(e.ID) || !twenty.in[id](e) {
				continue
			}
			examples++
			some = append(some, e)
			for n := i + 20; n < 200; n += 20 {
				some = append(some, changed(e, func(e *event.Event) {
					e.Process.UID, e.Process.Comm = uint32(60000+n), fmt.Sprintf("worker-%d", n)
				}), changed(e, func(e *event.Event) {
					e.DurationNS, e.Process.UID = uint64(60_000_000_001+n), uint32(60000+n)
				}))
			}
		}
	}
	return some
}

// forKind is what the signatures of one kind with the number i look for.
func forKind(i uint64, result int64) *event.Event {
	e, c := sample(event.Msgsnd), 100_000+i
	e.Args, e.Return = [event.MaxArgs]uint64{c << 12, 0x1000, c<<8 + 1, event.IPCNowait}, result
	e.Object.OwnerUID, e.Object.Mode, e.Process.Comm = uint32(c), 0o666, fmt.Sprintf("worker-%d", c)
	binary.LittleEndian.PutUint64(e.Memory[event.MainMemory].Entry.Bytes, c)
	return e
}

func compareWithHandwritten(t *testing.T, r *ruleSet, events []*event.Event) {
	t.Helper()
	matched := map[string]int{}
	signatures := r.load(t).Signatures()
	var in detect.Input
	for i, e := range events {
		in.Reset(e)
		for _, s := range signatures {
			if !s.Metadata().Events.Has(e.ID) {
				continue
			}
			found, err := s.Match(t.Context(), &in, nil)
			id := s.Metadata().ID
			if want := r.in[id](e); err != nil || (len(found) > 0) != want {
				t.Fatalf("event %d: %s has %d findings, error %v; in Go: %t\n%s", i, id, len(found), err, want, viewOf(&in).term())
			}
			matched[id] += len(found)
		}
	}
	for id := range r.in {
		if matched[id] == 0 {
			t.Errorf("no event matches %s", id)
		}
	}
}
