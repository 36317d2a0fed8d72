package correlate

import (
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// FuzzObserve gives any events, in any order, to each type of correlation: nothing
// panics, the bounds hold, and what is found is as it has to be.
func FuzzObserve(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef"))
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 1, 2, 0, 0, 2, 255, 255, 3, 3})
	correlations := []detect.Correlation{
		threeIn10, abc,
		change(threeIn10, func(c *detect.Correlation) { c.Threshold, c.Timespan = 3000, time.Second }),
		change(threeIn10, func(c *detect.Correlation) { c.Operator = detect.Exactly }),
		change(threeIn10, func(c *detect.Correlation) {
			c.Operator, c.Type, c.Field = detect.LessThan, detect.ValueCount, "object.id"
		}),
		change(threeIn10, func(c *detect.Correlation) { c.Type, c.Field = detect.ValueCount, "object.id" }),
		change(abc, func(c *detect.Correlation) { c.Type, c.Until = detect.Temporal, "" }),
	}
	limits := Limits{Groups: 5, Bytes: 1 << 20, RecallBytes: 1 << 14}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range correlations {
			b := newBench(t, c, limits)
			now := uint64(0)
			for i := 0; i+4 <= len(data); i += 4 {
				now += uint64(data[i]) >> 2
				one := call{start: now - min(now, uint64(data[i+1])), end: now, pid: uint32(data[i+2] & 7), value: int32(data[i+3] >> 5)}
				if !c.Type.Counts() {
					one.step = []string{"a", "b", "c", "u"}[data[i+3]&3]
				}
				if data[i+3]&16 != 0 {
					one.start, one.end = one.start/2, one.end/2 // late
				}
				b.observe(one)
				if s := b.Counters()[0]; s.Groups > limits.Groups || b.bytes > limits.Bytes || b.recall.bytes > limits.RecallBytes || b.bytes != s.Bytes {
					t.Fatalf("%+v, %d bytes", s, b.bytes)
				}
			}
			b.Advance(&event.Event{ID: event.Msgsnd, BootNS: boot * 2})
			b.Flush()
			for i, one := range b.found {
				span := one.To.Sub(one.From)
				if span < 0 || span > c.Timespan || len(one.Samples) >= maxSamples || one.Count == 0 {
					t.Errorf("found %+v", one)
				}
				if c.Operator.Rises() && one.Count < c.Threshold {
					t.Errorf("found %d, with %s %d", one.Count, c.Operator, c.Threshold)
				}
				for _, d := range append(one.Samples, one.First, b.last[i]) {
					if d != nil && c.Type.Counts() && d.HostProcessID != one.Group["hostProcessId"] {
						t.Errorf("an event of %d in group %v", d.HostProcessID, one.Group)
					}
				}
			}
		}
	})
}
