package regosig

import (
	"runtime/debug"
	"slices"
	"testing"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// builtinMatch is a built-in signature by itself, and events that match it.
type builtinMatch struct {
	id     string
	events []*event.Event
	way    way
}

// builtinMatches are all built-in signatures with the events of the recording and of
// the tests that match them.
func builtinMatches(t testing.TB) (list []builtinMatch) {
	t.Helper()
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	events := recording(t)
	for _, on := range slices.Concat(eventsOfCalls(), eventsOfMemory(), eventsOfCallers(), eventsOfCorrelations()) {
		events = append(events, on.e)
	}
	for _, s := range set.Signatures() {
		single, err := engine.NewSet([]detect.Signature{s})
		if err != nil {
			t.Fatal(err)
		}
		e := engine.New(single, zap.NewNop())
		t.Cleanup(e.Close)
		m := builtinMatch{id: s.Metadata().ID, way: ours(e)}
		for _, ev := range events {
			if m.way(ev) > 0 {
				m.events = append(m.events, ev)
			}
		}
		if len(m.events) == 0 {
			t.Errorf("%s: no event matches", m.id)
			continue
		}
		list = append(list, m)
	}
	return list
}

// TestMatchesAllocateNothing is about events like the one before: what is remembered, such
// as the text of an address, was made for that.
func TestMatchesAllocateNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection takes away what is kept for the next match
	const tries = 3                                  // all goroutines of the process are counted, and others end now and then
	for _, m := range builtinMatches(t) {
		if m.id == "IPCW-033" {
			continue // makes a text of each message
		}
		for _, ev := range m.events {
			n := 1.0
			for try := 0; n > 0 && try < tries; try++ {
				n = testing.AllocsPerRun(10, func() { m.way(ev) })
			}
			if n > 0 {
				t.Errorf("%s: %v allocations for a %s: %+v", m.id, n, ev.ID, ev)
			}
		}
	}
}

// BenchmarkBuiltins evaluates each built-in signature, the evidence included, on events
// that match it. The last line has what a match costs on average over the signatures, and
// at most.
func BenchmarkBuiltins(b *testing.B) {
	costs := map[string]float64{}
	for _, m := range builtinMatches(b) {
		b.Run(m.id, func(b *testing.B) { costs[m.id] = perEvent(b, m.events, m.way) })
	}
	if len(costs) == 0 {
		return
	}
	b.Run("all", func(b *testing.B) {
		sum, slowest := 0.0, 0.0
		for _, cost := range costs {
			sum, slowest = sum+cost, max(slowest, cost)
		}
		for b.Loop() {
		}
		b.ReportMetric(sum/float64(len(costs)), "cpu-ns-mean")
		b.ReportMetric(slowest, "cpu-ns-slowest")
	})
}
