package correlate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// oracle is the definition of docs/correlation.md, applied to all matches of one group
// that have been observed, which come in the order in which their calls ended.
type oracle struct {
	detect.Correlation
	seen  []call
	muted uint64 // milliseconds after boot; what counts up to here is done with
	once  bool
}

func (o *oracle) observe(c call) (found string) {
	o.seen = append(o.seen, c)
	span := uint64(o.Timespan.Milliseconds())
	counts := func(c call) bool {
		if o.Type == detect.TemporalOrdered {
			return !o.once || c.start > o.muted
		}
		return (!o.once || c.end > o.muted) && c.end+span >= o.seen[len(o.seen)-1].end
	}
	if !counts(c) {
		return ""
	}
	var window []call
	for _, one := range o.seen {
		if counts(one) {
			window = append(window, one)
		}
	}
	from, n := uint64(0), 0
	switch o.Type {
	case detect.EventCount:
		if n = len(window); uint64(n) >= o.Threshold {
			from = window[0].end
		} else {
			return ""
		}
	case detect.ValueCount:
		last := map[int32]uint64{}
		for _, one := range window {
			last[one.value] = one.end
		}
		if n = len(last); uint64(n) < o.Threshold {
			return ""
		}
		from = c.end
		for _, t := range last {
			from = min(from, t)
		}
	case detect.Temporal:
		last := map[string]uint64{}
		for _, one := range window {
			last[one.step] = one.end
		}
		from = c.end
		for _, step := range o.Steps {
			t, there := last[step]
			if !there {
				return ""
			}
			from = min(from, t)
		}
		n = len(o.Steps)
	case detect.TemporalOrdered:
		if c.step != o.Steps[len(o.Steps)-1] {
			return ""
		}
		var ok bool
		if from, ok = o.latest(window, len(o.Steps)-1, c); !ok || c.end-from > span {
			return ""
		}
		n = len(o.Steps)
	}
	o.muted, o.once = from+span, true
	return fmt.Sprintf("%d of 1 %d-%d", n, from, c.end)
}

// latest is when the sequence of steps that ends with c, and began last, began.
func (o *oracle) latest(window []call, step int, c call) (begin uint64, ok bool) {
	if step == 0 {
		return c.start, true
	}
	for _, before := range window {
		broken := slices.ContainsFunc(window, func(u call) bool {
			return u.step == o.Until && u.start > before.start && u.start < c.start
		})
		if before.step != o.Steps[step-1] || before.start >= c.start || broken {
			continue
		}
		if t, found := o.latest(window, step-1, before); found && (!ok || t > begin) {
			begin, ok = t, true
		}
	}
	return begin, ok
}

// TestAgainstDefinition compares what is found in random streams with the
// definition, event by event.
func TestAgainstDefinition(t *testing.T) {
	objects := change(threeIn10, func(c *detect.Correlation) { c.Type, c.Field = detect.ValueCount, "object.id" })
	for name, c := range map[string]detect.Correlation{
		"event_count":       threeIn10,
		"event_count of 20": change(threeIn10, func(c *detect.Correlation) { c.Threshold, c.Timespan = 20, 40*time.Millisecond }),
		"value_count":       objects,
		"temporal":          change(abc, func(c *detect.Correlation) { c.Type, c.Until = detect.Temporal, "" }),
		"temporal_ordered":  abc,
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			for seed := range uint64(300) {
				r := rand.New(rand.NewPCG(seed, 3))
				b, o := newBench(t, c, DefaultLimits), &oracle{Correlation: c}
				var want []string
				now, pace := uint64(0), 1+r.IntN(8)
				for range 120 {
					now += uint64(r.IntN(pace))
					one := at(now, 1)
					one.value = int32(r.IntN(5))
					if !c.Type.Counts() {
						// A step does not begin before another that ends before it, which
						// TestCorrelator has: the definition is for those that are there.
						one.step = []string{"a", "b", "c", "u"}[r.IntN(3+min(len(c.Until), 1))]
					}
					b.observe(one)
					if f := o.observe(one); f != "" {
						want = append(want, f)
					}
					if got := b.words(); got != strings.Join(want, ", ") {
						t.Fatalf("seed %d: found  %s\nwant %s\nafter %v", seed, got, strings.Join(want, ", "), o.seen)
					}
				}
				found += len(want)
			}
			if found == 0 {
				t.Error("nothing was found")
			}
		})
	}
}
