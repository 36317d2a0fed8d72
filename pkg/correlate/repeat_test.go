package correlate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// folder makes events of calls as the kernel does in a flood: one of each thread now and
// then, with those that repeat it.
type folder struct {
	span    uint64 // milliseconds
	threads map[int32]*folded
}

type folded struct {
	carrier call
	opened  uint64
	repeats event.Repeats
}

// add returns the event of a call, unless it is but counted.
func (f *folder) add(c call) *event.Event {
	one := f.threads[c.value]
	e := c.event()
	switch {
	case one == nil:
		f.threads[c.value] = &folded{carrier: c, opened: c.end}
	case c.end-one.opened < f.span:
		if one.repeats.Count == 0 {
			one.repeats.FirstNS = boot + c.end*ms
		}
		one.repeats.Count++
		one.repeats.LastNS = boot + c.end*ms
		return nil
	default:
		e.Repeats, one.repeats, one.opened, one.carrier = one.repeats, event.Repeats{}, c.end, c
	}
	return e
}

// take returns what no event has told of.
func (f *folder) take() (events []*event.Event) {
	for _, one := range f.threads {
		if one.repeats.Count > 0 {
			e := one.carrier.event()
			e.Repeats = one.repeats
			e.Repeats.Alone = true
			events = append(events, e)
		}
	}
	f.threads = map[int32]*folded{}
	return events
}

func (b *bench) observeEvents(events ...*event.Event) {
	for _, e := range events {
		if e != nil {
			b.input.Reset(e)
			b.Observe(b.metadata, detect.Finding{}, &b.input)
		}
	}
}

// firstFull is when so many calls had ended within span, first; 0 if they never had.
func firstFull(calls []call, threshold int, span uint64) uint64 {
	for i := threshold - 1; i < len(calls); i++ {
		if calls[i].end-calls[i-threshold+1].end <= span {
			return calls[i].end
		}
	}
	return 0
}

// TestRepeats has threads of one group call as often as they like, of which only some
// calls are told at once. What is found may be off by as long as one event stands for
// others, and no more.
func TestRepeats(t *testing.T) {
	const threshold, timespan, span = 400, 1000, 10 // milliseconds
	c := change(threeIn10, func(c *detect.Correlation) { c.Threshold, c.Timespan = threshold, timespan*time.Millisecond })
	if c.RepeatSpan() != span*time.Millisecond {
		t.Fatalf("one event stands for %s", c.RepeatSpan())
	}
	found, never := 0, 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		b := newBench(t, c, DefaultLimits)
		f := folder{span: span, threads: map[int32]*folded{}}
		var calls []call
		now, pace := uint64(1), 5+r.IntN(4)
		for now < 5000 {
			if r.IntN(500) == 0 {
				pace = 5 + r.IntN(4)
			}
			now += uint64(r.IntN(pace))
			one := at(now, 1)
			one.value = int32(r.IntN(3))
			calls = append(calls, one)
			b.observeEvents(f.add(one))
			if len(calls)%200 == 0 {
				b.observeEvents(f.take()...)
			}
		}
		b.observeEvents(f.take()...)
		if n := b.Counters()[0].Matches; n != uint64(len(calls)) {
			t.Fatalf("seed %d: %d matches of %d calls", seed, n, len(calls))
		}
		surely, perhaps := firstFull(calls, threshold, timespan-span), firstFull(calls, threshold, timespan+span)
		if len(b.found) == 0 {
			if surely != 0 {
				t.Errorf("seed %d: nothing found, though there were enough at %d ms", seed, surely)
			}
			never++
			continue
		}
		found++
		first := b.found[0]
		to := uint64(first.To.UnixNano()-1_700_000_000_000_000_000-int64(boot)) / ms
		if perhaps == 0 || to < perhaps || surely != 0 && to > surely+span || first.Count < threshold {
			t.Errorf("seed %d: %s, want from %d to %d ms", seed, b.words(), perhaps, surely)
		}
	}
	if found < 30 || never < 30 {
		t.Errorf("found %d times and %d times not: the test is too easy", found, never)
	}
}

// TestRepeatsOfValues has a value counted that is only told of as repeats.
func TestRepeatsOfValues(t *testing.T) {
	c := change(threeIn10, func(c *detect.Correlation) { c.Type, c.Field = detect.ValueCount, "object.id" })
	b := newBench(t, c, DefaultLimits)
	one := values(1, 7)[0].event()
	b.observeEvents(one)
	one.Repeats = event.Repeats{Count: 5, FirstNS: boot + 2*ms, LastNS: boot + 9*ms, Alone: true}
	b.observeEvents(one)
	b.observe(values(15, 8, 16, 9)...)
	if got, want := b.words(), "3 of 1 9-16"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

// TestRepeatsForOthers has repeats that were counted for a signature with more time, as a
// reload or a recording brings them to one that has less: no window holds all of them.
func TestRepeatsForOthers(t *testing.T) {
	long := func(count uint64, alone bool) *event.Event {
		e := at(120, 1).event()
		e.Repeats = event.Repeats{Count: count, FirstNS: boot + 1*ms, LastNS: boot + 101*ms, Alone: alone}
		return e
	}
	nonsense := long(5, true)
	nonsense.Repeats.FirstNS, nonsense.Repeats.LastNS = math.MaxUint64, 7
	for name, tt := range map[string]struct {
		c      detect.Correlation
		events []*event.Event
		want   string
	}{
		"few":        {threeIn10, []*event.Event{long(20, true), at(125, 1).event(), at(126, 1).event()}, ""},
		"enough":     {threeIn10, []*event.Event{long(21, true), at(125, 1).event(), at(126, 1).event()}, "3 of 1 91-101"},
		"with event": {threeIn10, []*event.Event{long(20, false), at(119, 1).event(), at(126, 1).event()}, "3 of 1 119-126"},
		"overtaken":  {threeIn10, []*event.Event{long(20, true), at(95, 1).event(), at(126, 1).event()}, "3 of 1 91-101"},
		"nonsense":   {threeIn10, []*event.Event{nonsense, at(125, 1).event()}, ""},
		"decided at the end": {
			change(threeIn10, func(c *detect.Correlation) { c.Operator, c.Threshold = detect.Exactly, 5 }),
			[]*event.Event{long(5, true), at(3000, 1).event()}, "5 of 1 101-101",
		},
		"too many at the end": {
			change(threeIn10, func(c *detect.Correlation) { c.Operator, c.Threshold = detect.LessThan, 5 }),
			[]*event.Event{long(1<<40, false), at(3000, 1).event()}, "",
		},
	} {
		b := newBench(t, tt.c, DefaultLimits)
		b.observeEvents(tt.events...)
		if got := b.words(); got != tt.want {
			t.Errorf("%s: found %q, want %q", name, got, tt.want)
		}
	}
}
