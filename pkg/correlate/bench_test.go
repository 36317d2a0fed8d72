package correlate

import (
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// BenchmarkObserve is what a match costs, of a group that is there.
func BenchmarkObserve(b *testing.B) {
	for name, c := range map[string]detect.Correlation{
		"event_count":         change(threeIn10, func(c *detect.Correlation) { c.Threshold, c.Timespan = 500, time.Millisecond }),
		"event_count 1000000": change(threeIn10, func(c *detect.Correlation) { c.Threshold, c.Timespan = 1_000_000, time.Second }),
		"value_count":         change(threeIn10, func(c *detect.Correlation) { c.Type, c.Field, c.Threshold = detect.ValueCount, "object.id", 64 }),
		"temporal":            change(abc, func(c *detect.Correlation) { c.Type, c.Until = detect.Temporal, "" }),
		"temporal_ordered":    abc,
		"lte":                 change(threeIn10, func(c *detect.Correlation) { c.Operator, c.Threshold = detect.AtMost, 100 }),
	} {
		b.Run(name, func(b *testing.B) {
			bb := newBench(b, c, DefaultLimits)
			e := at(0, 1).event()
			finding := detect.Finding{}
			if !c.Type.Counts() {
				finding.Step = "a"
			}
			b.ReportAllocs()
			for b.Loop() {
				e.BootNS += 3000
				e.Object.ID = (e.Object.ID + 1) & 31
				bb.input.Reset(e)
				bb.Observe(bb.metadata, finding, &bb.input)
			}
		})
	}
}

// BenchmarkAdvance is what an event costs that matches nothing.
func BenchmarkAdvance(b *testing.B) {
	bb := newBench(b, threeIn10, DefaultLimits)
	e := at(0, 1).event()
	b.ReportAllocs()
	for b.Loop() {
		e.BootNS += 3000
		bb.Advance(e)
	}
}

// BenchmarkGroups is what a match costs among a million live groups: of one that is
// there, and of a new one, for which the oldest goes.
func BenchmarkGroups(b *testing.B) {
	const groups = 1_000_000
	for _, fresh := range []bool{false, true} {
		name := "known"
		if fresh {
			name = "new"
		}
		b.Run(name, func(b *testing.B) {
			limits := Limits{Groups: groups, Bytes: 1 << 30, RecallBytes: 16 << 20}
			bb := newBench(b, change(threeIn10, func(c *detect.Correlation) { c.Threshold, c.Timespan = 1000, time.Hour }), limits)
			e := &event.Event{ID: event.Msgsnd, BootNS: boot}
			observe := func(pid uint32) {
				e.BootNS++
				e.Process.HostPID = pid
				bb.input.Reset(e)
				bb.Observe(bb.metadata, detect.Finding{}, &bb.input)
			}
			for pid := range uint32(groups) {
				observe(pid)
			}
			next := uint32(groups)
			b.ReportAllocs()
			for b.Loop() {
				if !fresh {
					next = (next + 7919) % groups
				}
				observe(next)
				if fresh {
					next++
				}
			}
			c := bb.Counters()[0]
			if c.Groups != groups || c.Bytes > limits.Bytes {
				b.Fatalf("counters %+v", c)
			}
			b.ReportMetric(float64(c.Bytes)/groups, "bytes/group")
		})
	}
}

// TestObserveAllocatesNothing is about the usual match, of a group that is there.
func TestObserveAllocatesNothing(t *testing.T) {
	b := newBench(t, change(threeIn10, func(c *detect.Correlation) { c.Threshold = 100 }), DefaultLimits)
	e := at(0, 1).event()
	observe := func() {
		e.BootNS += 2 * ms // five in a window
		b.input.Reset(e)
		b.Observe(b.metadata, detect.Finding{}, &b.input)
	}
	for range 20_000 {
		observe()
	}
	if n := testing.AllocsPerRun(1000, observe); n > 0 {
		t.Errorf("%v allocations for a match", n)
	}
}
