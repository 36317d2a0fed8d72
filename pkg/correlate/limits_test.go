package correlate

import (
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

func TestEviction(t *testing.T) {
	b := newBench(t, change(threeIn10, func(c *detect.Correlation) { c.Timespan = time.Hour }), Limits{Groups: 3, Bytes: 1 << 20, RecallBytes: 1 << 20})
	b.observe(at(0, 1), at(1, 2), at(2, 3), at(3, 1), at(4, 4)) // 2 is the oldest
	b.observe(at(5, 2), at(6, 2), at(7, 1))
	c := b.Counters()[0]
	if got := b.words(); got != "3 of 1 0-7" || c.Evicted != 2 || c.Groups != 3 || c.Matches != 8 || c.Found != 1 {
		t.Errorf("found %q, counters %+v", got, c)
	}

	one := c.Bytes / 3
	limits := Limits{Groups: 1000, Bytes: 10 * one, RecallBytes: 1 << 20}
	b = newBench(t, threeIn10, limits)
	for pid := range uint32(100) {
		b.observe(at(uint64(pid)/100, pid))
		if c := b.Counters()[0]; c.Bytes > limits.Bytes || b.bytes != c.Bytes {
			t.Fatalf("%d bytes, %d in all, of %d", c.Bytes, b.bytes, limits.Bytes)
		}
	}
	if c := b.Counters()[0]; c.Evicted == 0 || c.Groups+int(c.Evicted) != 100 {
		t.Errorf("counters %+v", c)
	}
}

// TestEvictionOfWindows wants nothing to be left of windows whose group is gone.
func TestEvictionOfWindows(t *testing.T) {
	b := newBench(t, change(threeIn10, func(c *detect.Correlation) { c.Operator, c.Timespan = detect.AtMost, time.Hour }), Limits{Groups: 3, Bytes: 1 << 20, RecallBytes: 1 << 20})
	for pid := range uint32(1000) {
		b.observe(at(uint64(pid), pid), at(uint64(pid)-uint64(pid)%2, pid))
	}
	if n := len(b.signatures[0].closing); n != 3 {
		t.Errorf("%d windows of 3 groups", n)
	}
	if b.Flush(); len(b.found) != 3 || len(b.signatures[0].closing) != 0 || b.bytes != 0 {
		t.Errorf("found %s", b.words())
	}
}

// TestEvictionAcross wants the oldest group of all signatures to go.
func TestEvictionAcross(t *testing.T) {
	b := newBench(t, threeIn10, Limits{Groups: 1000, Bytes: 4 * 700, RecallBytes: 1 << 20})
	other := &detect.Metadata{ID: "C", Correlation: &abc}
	if err := b.Use([]*detect.Metadata{b.metadata, other}); err != nil {
		t.Fatal(err)
	}
	b.observe(at(0, 1))
	for i := range uint64(40) {
		b.input.Reset(at(i, 100+uint32(i)).event())
		b.Observe(other, detect.Finding{Step: "a"}, &b.input)
	}
	if c := b.Counters(); c[0].Evicted != 1 || c[0].Groups != 0 || c[1].Evicted == 0 || c[1].Groups == 0 {
		t.Errorf("counters %+v", c)
	}
}

// TestForget wants groups to go when nothing can be added to them, without that
// anybody counts it as a loss.
func TestForget(t *testing.T) {
	b := newBench(t, threeIn10, DefaultLimits)
	for pid := range uint32(1000) {
		b.observe(at(0, pid))
	}
	b.Advance(at(1010, 1).event())
	b.Advance(at(1110, 1).event())
	if c := b.Counters()[0]; c.Groups != 0 || c.Bytes != 0 || c.Evicted != 0 || b.bytes != 0 {
		t.Errorf("counters %+v", c)
	}
}

// TestRecall wants events to make room for others, and alerts to do without.
func TestRecall(t *testing.T) {
	b := newBench(t, change(threeIn10, func(c *detect.Correlation) { c.Timespan = time.Hour }), Limits{Groups: 1000, Bytes: 1 << 20, RecallBytes: 3 * 1300})
	b.observe(at(0, 1), at(1, 1), at(2, 2), at(3, 3), at(4, 4), at(5, 1))
	if len(b.found) != 1 || b.found[0].First != nil || len(b.found[0].Samples) != 0 || b.last[0] == nil {
		t.Errorf("found %+v", b.found)
	}
	if b.Forgotten() == 0 || b.recall.bytes > b.limits.RecallBytes {
		t.Errorf("%d forgotten, %d bytes", b.Forgotten(), b.recall.bytes)
	}
}
