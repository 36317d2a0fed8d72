package regosig

import (
	"runtime"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// warmUp is how many events are evaluated before the clock runs.
const warmUp = 20

// perEvent evaluates events one way, over and over, and returns what one takes in
// nanoseconds of processor time, that of the garbage collector included: what it
// leaves to be collected is part of what a way costs.
func perEvent(b *testing.B, events []*event.Event, w way) float64 {
	var before, after runtime.MemStats
	for _, e := range events[:min(len(events), warmUp)] {
		w(e)
	}
	runtime.GC() // what was made before is not this way's to collect
	runtime.ReadMemStats(&before)
	start, next := processorTime(b), 0
	for b.Loop() {
		w(events[next])
		if next++; next == len(events) {
			next = 0
		}
	}
	cost := float64(processorTime(b)-start) / float64(b.N)
	runtime.ReadMemStats(&after)
	b.ReportMetric(cost, "cpu-ns/event")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N), "allocs/event")
	return cost
}
