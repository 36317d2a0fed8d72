package regosig

import (
	"slices"
	"testing"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// BenchmarkBuiltins evaluates each built-in signature, the evidence included, on the
// events of the recording and of the tests that match it. The last line has what a
// match costs on average over the signatures, and at most.
func BenchmarkBuiltins(b *testing.B) {
	set, err := Load(Builtin())
	if err != nil {
		b.Fatal(err)
	}
	events := recording(b)
	for _, on := range slices.Concat(eventsOfCalls(), eventsOfMemory(), eventsOfCallers(), eventsOfCorrelations()) {
		events = append(events, on.e)
	}
	costs := map[string]float64{}
	for _, s := range set.Signatures() {
		id := s.Metadata().ID
		single, err := engine.NewSet([]detect.Signature{s})
		if err != nil {
			b.Fatal(err)
		}
		e := engine.New(single, zap.NewNop())
		b.Cleanup(e.Close)
		w := ours(e)
		matching := slices.DeleteFunc(slices.Clone(events), func(ev *event.Event) bool { return w(ev) == 0 })
		if len(matching) == 0 {
			b.Errorf("%s: no event matches", id)
			continue
		}
		b.Run(id, func(b *testing.B) { costs[id] = perEvent(b, matching, w) })
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
