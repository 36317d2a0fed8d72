package correlate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const ms = uint64(time.Millisecond)

// boot is when the events of tests begin, since the machine was started.
const boot = 1_000_000 * ms

// call is an event for a test, in milliseconds.
type call struct {
	start, end uint64
	pid        uint32
	step       string
	value      int32 // id of its object
}

// at is a call of a process that takes no time.
func at(t uint64, pid uint32) call { return call{start: t, end: t, pid: pid} }

// step is a call that is a step.
func step(t uint64, name string) call { return call{start: t, end: t, pid: 1, step: name} }

// took makes a step take some time.
func took(start, end uint64, name string) call { return call{start, end, 1, name, 0} }

func (c call) event() *event.Event {
	e := &event.Event{ID: event.Msgsnd, BootNS: boot + c.start*ms, DurationNS: (c.end - c.start) * ms}
	e.TimeNS = int64(e.BootNS) + 1_700_000_000_000_000_000
	e.Process.HostPID, e.Process.HostTID, e.CPU = c.pid, c.pid, uint32(c.start)
	e.Object = event.Object{Kind: event.MessageQueue, ID: c.value}
	return e
}

// bench is a Correlator of one signature that notes what it finds.
type bench struct {
	*Correlator
	metadata *detect.Metadata
	input    detect.Input
	found    []detect.Correlated
	last     []*event.Document
}

func newBench(t testing.TB, c detect.Correlation, limits Limits) *bench {
	t.Helper()
	b := &bench{metadata: &detect.Metadata{ID: "A", Correlation: &c}}
	b.Correlator = New(func(_ *detect.Metadata, f detect.Finding, d *event.Document) {
		if d != nil {
			d = new(*d)
		}
		b.found, b.last = append(b.found, *f.Correlated), append(b.last, d)
	}, limits)
	if err := b.Use([]*detect.Metadata{b.metadata, {ID: "B"}}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) observe(calls ...call) {
	for _, c := range calls {
		b.input.Reset(c.event())
		b.Observe(b.metadata, detect.Finding{Step: c.step}, &b.input)
	}
}

// words says what was found: count pid from-to, in milliseconds.
func (b *bench) words() string {
	var list []string
	for _, f := range b.found {
		since := func(t time.Time) int64 { return (t.UnixNano() - 1_700_000_000_000_000_000 - int64(boot)) / int64(ms) }
		list = append(list, fmt.Sprintf("%d of %v %d-%d", f.Count, f.Group["hostProcessId"], since(f.From), since(f.To)))
	}
	return strings.Join(list, ", ")
}

func times(pid uint32, list ...uint64) (calls []call) {
	for _, t := range list {
		calls = append(calls, at(t, pid))
	}
	return calls
}

func values(pairs ...uint64) (calls []call) {
	for i := 0; i < len(pairs); i += 2 {
		c := at(pairs[i], 1)
		c.value = int32(pairs[i+1])
		calls = append(calls, c)
	}
	return calls
}

var (
	byProcess = []string{"hostProcessId"}
	threeIn10 = detect.Correlation{Type: detect.EventCount, GroupBy: byProcess, Timespan: 10 * time.Millisecond, Operator: detect.AtLeast, Threshold: 3}
	abc       = detect.Correlation{Type: detect.TemporalOrdered, GroupBy: byProcess, Timespan: 10 * time.Millisecond, Steps: []string{"a", "b", "c"}, Until: "u"}
)

// change makes another correlation of one.
func change(c detect.Correlation, how func(*detect.Correlation)) detect.Correlation {
	how(&c)
	return c
}

func TestCorrelator(t *testing.T) {
	moreThan2 := change(threeIn10, func(c *detect.Correlation) { c.Operator, c.Threshold = detect.MoreThan, 2 })
	atMost2 := change(threeIn10, func(c *detect.Correlation) { c.Operator, c.Threshold = detect.AtMost, 2 })
	lessThan2 := change(threeIn10, func(c *detect.Correlation) { c.Operator, c.Threshold = detect.LessThan, 2 })
	exactly2 := change(threeIn10, func(c *detect.Correlation) { c.Operator, c.Threshold = detect.Exactly, 2 })
	objects := change(threeIn10, func(c *detect.Correlation) { c.Type, c.Field = detect.ValueCount, "object.id" })
	objectsExactly2 := change(exactly2, func(c *detect.Correlation) { c.Type, c.Field = detect.ValueCount, "object.id" })
	anyOrder := change(abc, func(c *detect.Correlation) { c.Type, c.Until = detect.Temporal, "" })
	ab := change(abc, func(c *detect.Correlation) { c.Steps = []string{"a", "b"} })
	long := change(threeIn10, func(c *detect.Correlation) { c.Timespan = time.Minute })
	tests := []struct {
		name        string
		correlation detect.Correlation
		calls       []call
		want        string
	}{
		{"enough", threeIn10, times(1, 0, 5, 10), "3 of 1 0-10"},
		{"one too late", threeIn10, times(1, 0, 5, 11), ""},
		{"window slides", threeIn10, times(1, 0, 9, 18, 19), "3 of 1 9-19"},
		{"too few", threeIn10, times(1, 0, 5), ""},
		{"more than", moreThan2, times(1, 0, 5, 6), "3 of 1 0-6"},
		{"the group counts", threeIn10, append(times(1, 0, 5), times(2, 5, 6)...), ""},
		{"one of two groups", threeIn10, append(times(1, 0, 1), append(times(2, 2, 3), at(4, 1))...), "3 of 1 0-4"},
		{"one alert for a burst", threeIn10, times(1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), "3 of 1 0-2"},
		{"and one for the next window", threeIn10, times(1, 0, 1, 2, 3, 4, 9, 10, 11, 12, 13), "3 of 1 0-2, 3 of 1 11-13"},
		{"window begins anew", threeIn10, times(1, 0, 1, 2, 9, 10, 11, 12, 22), "3 of 1 0-2"},
		{"out of order", threeIn10, times(1, 5, 0, 9), "3 of 1 0-9"},
		{"completed by the first", threeIn10, times(1, 5, 9, 0), "3 of 1 0-9"},
		{"completed by the middle", threeIn10, times(1, 0, 20, 9, 30, 8), "3 of 1 0-9"},
		{"late, of what was found", threeIn10, times(1, 1, 2, 3, 0, 4, 5), "3 of 1 1-3"},
		{"too late", threeIn10, times(1, 2000, 2001, 990, 991, 992), ""},
		{"just in time", threeIn10, times(1, 2000, 1000, 1001, 1002), "3 of 1 1000-1002"},
		{"a call counts when it ends", threeIn10, []call{took(0, 100, ""), took(95, 96, ""), took(40, 97, "")}, "3 of 1 96-100"},
		{"minutes", long, times(1, 0, 30_000, 59_000), "3 of 1 0-59000"},
		{"minutes, too late", long, times(1, 0, 30_000, 61_000), ""},

		{"at most", atMost2, times(1, 0, 5, 2000), "2 of 1 0-5, 1 of 1 2000-2000"},
		{"too many", atMost2, times(1, 0, 5, 6), ""},
		{"window after window", atMost2, times(1, 0, 5, 6, 11, 30), "1 of 1 11-11, 1 of 1 30-30"},
		{"out of order, at most", atMost2, times(1, 6, 0, 5, 11), "1 of 1 11-11"},
		{"less than", lessThan2, append(times(1, 0, 5), at(5, 2)), "1 of 2 5-5"},
		{"exactly", exactly2, append(times(1, 0, 5, 50, 100, 101, 102), at(5, 2)), "2 of 1 0-5"},
		{"exactly, by the end of the window", exactly2, times(1, 0, 5, 11, 12), "2 of 1 0-5, 2 of 1 11-12"},

		{"values", objects, values(0, 1, 5, 2, 10, 3), "3 of 1 0-10"},
		{"the same values", objects, values(0, 1, 5, 2, 6, 2, 7, 1, 8, 2), ""},
		{"a value again", objects, values(0, 1, 5, 2, 9, 1, 14, 3), "3 of 1 5-14"},
		{"a value is past", objects, values(0, 1, 5, 2, 11, 3), ""},
		{"values out of order", objects, values(5, 1, 0, 2, 10, 3), "3 of 1 0-10"},
		{"values, one alert for a burst", objects, values(0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 11, 1, 12, 2, 13, 3), "3 of 1 0-2, 3 of 1 11-13"},
		{"values, exactly", objectsExactly2, values(0, 1, 1, 1, 2, 2, 2000, 1, 2001, 1), "2 of 1 0-2"},

		{"together", anyOrder, []call{step(0, "c"), step(5, "a"), step(10, "b")}, "3 of 1 0-10"},
		{"together, one missing", anyOrder, []call{step(0, "c"), step(5, "a"), step(10, "a")}, ""},
		{"together, one past", anyOrder, []call{step(0, "c"), step(5, "a"), step(11, "b")}, ""},
		{"together, one again", anyOrder, []call{step(0, "c"), step(5, "a"), step(9, "c"), step(11, "b")}, "3 of 1 5-11"},
		{"together, one alert", anyOrder, []call{step(0, "c"), step(1, "a"), step(2, "b"), step(3, "a"), step(4, "b"), step(5, "c")}, "3 of 1 0-2"},
		{"together, out of order", anyOrder, []call{step(10, "b"), step(0, "c"), step(5, "a")}, "3 of 1 0-10"},

		{"in order", abc, []call{step(0, "a"), step(5, "b"), step(10, "c")}, "3 of 1 0-10"},
		{"not in order", abc, []call{step(0, "b"), step(5, "a"), step(10, "c")}, ""},
		{"arriving late", abc, []call{step(5, "b"), step(10, "c"), step(0, "a")}, "3 of 1 0-10"},
		{"arriving late in the middle", abc, []call{step(0, "a"), step(10, "c"), step(5, "b")}, "3 of 1 0-10"},
		{"past", abc, []call{step(0, "a"), step(5, "b"), step(11, "c")}, ""},
		{"the last first step counts", abc, []call{step(0, "a"), step(2, "a"), step(5, "b"), step(6, "a"), step(11, "c")}, "3 of 1 2-11"},
		{"many first steps after the second", ab, append([]call{step(0, "a")}, append(slices.Repeat([]call{step(1, "a")}, 20), step(2, "b"))...), "2 of 1 1-2"},
		{"the way is kept", abc, append([]call{step(0, "a"), step(1, "b")}, append(slices.Repeat([]call{step(2, "a")}, 20), step(3, "c"))...), "3 of 1 0-3"},
		{"the same time is no order", ab, []call{step(5, "a"), step(5, "b")}, ""},
		{"broken off", ab, []call{step(0, "a"), step(1, "u"), step(2, "b")}, ""},
		{"broken off, and begun again", ab, []call{step(0, "a"), step(1, "u"), step(2, "a"), step(3, "b")}, "2 of 1 2-3"},
		{"broken off before", ab, []call{step(0, "u"), step(1, "a"), step(2, "b")}, "2 of 1 1-2"},
		{"broken off in the middle", abc, []call{step(0, "a"), step(1, "b"), step(2, "u"), step(3, "c")}, ""},
		{"broken off late", abc, []call{step(0, "a"), step(2, "b"), step(1, "u"), step(3, "c")}, ""},
		{"broken off after the start", ab, []call{step(0, "a"), step(3, "u"), step(2, "b")}, "2 of 1 0-2"},
		{"a long first call", ab, []call{step(5, "b"), took(2, 9, "a")}, "2 of 1 2-5"},
		{"a long last call", ab, []call{step(2, "a"), took(3, 12, "b")}, "2 of 1 2-12"},
		{"too long a last call", ab, []call{step(2, "a"), took(3, 13, "b")}, ""},
		{"a call that began long ago", ab, []call{step(3000, "b"), took(1000, 3001, "a"), step(3002, "b")}, ""},
		{"one alert for a sequence", ab, []call{step(0, "a"), step(1, "b"), step(2, "a"), step(3, "b"), step(10, "b"), step(11, "a"), step(12, "b")}, "2 of 1 0-1, 2 of 1 11-12"},
		{"no step of it", ab, []call{step(0, "a"), step(1, "x"), step(2, ""), step(3, "b")}, "2 of 1 0-3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.correlation, DefaultLimits)
			b.observe(tt.calls...)
			b.Flush()
			if got := b.words(); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// TestEvents is about the events that an alert shows, which are copies.
func TestEvents(t *testing.T) {
	b := newBench(t, change(threeIn10, func(c *detect.Correlation) { c.Threshold = 9 }), DefaultLimits)
	for i := range uint64(9) {
		e := at(i, 1).event()
		e.Process.Comm = fmt.Sprint(i)
		b.input.Reset(e)
		b.Observe(b.metadata, detect.Finding{Evidence: map[string]any{"i": i}}, &b.input)
		*e = event.Event{ID: event.Shmat}
	}
	if len(b.found) != 1 {
		t.Fatalf("found %v", b.found)
	}
	var names []string
	for _, d := range append([]*event.Document{b.found[0].First}, append(b.found[0].Samples, b.last[0])...) {
		names = append(names, d.ProcessName+" "+d.EventName)
	}
	if got, want := strings.Join(names, ", "), "0 msgsnd, 1 msgsnd, 2 msgsnd, 3 msgsnd, 4 msgsnd, 5 msgsnd, 8 msgsnd"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}

	b = newBench(t, abc, DefaultLimits)
	b.observe(step(0, "a"), step(1, "b"), step(2, "c"))
	for i, s := range b.found[0].Steps {
		if want := string(rune('a' + i)); s.Name != want || s.Event.ProcessorID != uint32(i) {
			t.Errorf("step %s by CPU %d", s.Name, s.Event.ProcessorID)
		}
	}

	b = newBench(t, change(threeIn10, func(c *detect.Correlation) { c.Operator = detect.Exactly }), DefaultLimits)
	b.observe(at(0, 1), at(1, 1), at(2, 1))
	if b.Advance(at(1010, 9).event()); len(b.found) != 0 {
		t.Error("decided before all that could come had come")
	}
	if b.Advance(at(1011, 9).event()); len(b.found) != 1 || b.last[0].ProcessorID != 2 || b.found[0].First.ProcessorID != 0 {
		t.Errorf("found %+v", b.found)
	}
	// Windows that follow each other before the first is looked at.
	b.observe(times(1, 1020, 1021, 1022, 1040, 1041, 1060, 1070, 1070, 1080, 1080, 1080)...)
	b.Flush()
	var shown []uint32
	for i, f := range b.found[1:] {
		shown = append(shown, f.First.ProcessorID, f.Samples[0].ProcessorID, b.last[i+1].ProcessorID)
	}
	if want := []uint32{1020, 1021, 1022, 1060, 1070, 1070, 1080, 1080, 1080}; !slices.Equal(shown, want) {
		t.Errorf("shown %v, want %v", shown, want)
	}
}

// TestFullWindows has more matches than are remembered before the first window is looked
// at. Those that are complete count; so do those that begin when all have been looked at.
func TestFullWindows(t *testing.T) {
	b := newBench(t, change(threeIn10, func(c *detect.Correlation) {
		c.Type, c.Field, c.Operator = detect.ValueCount, "object.id", detect.AtMost
	}), DefaultLimits)
	const before, each = 3000, 11 // milliseconds, of a window
	for i := range uint64(before) {
		b.observe(values(i, i%2, i, i%2)...)
	}
	b.Flush()
	var last time.Time
	for _, f := range b.found {
		if f.Count != 2 || !f.From.After(last) {
			t.Fatalf("found %+v after %s", f, last)
		}
		last = f.To
	}
	// Room for 512 ms, of which the last window is not whole, from the beginning and from the
	// moment when that has been looked at.
	if want := 2 * (512 / each); len(b.found) != want {
		t.Errorf("%d windows, want %d", len(b.found), want)
	}
}

// TestNoClock has times that no clock has, as recordings may that somebody has edited: each
// type takes them for late, or for early.
func TestNoClock(t *testing.T) {
	steps := change(abc, func(c *detect.Correlation) { c.Type, c.Until = detect.Temporal, "" })
	for _, c := range []detect.Correlation{
		threeIn10, abc, steps,
		change(threeIn10, func(c *detect.Correlation) { c.Operator = detect.AtMost }),
		change(threeIn10, func(c *detect.Correlation) { c.Type, c.Field = detect.ValueCount, "object.id" }),
		change(threeIn10, func(c *detect.Correlation) {
			c.Type, c.Field, c.Operator = detect.ValueCount, "object.id", detect.Exactly
		}),
	} {
		for _, extreme := range []uint64{0, math.MaxInt64 - 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
			b := newBench(t, c, DefaultLimits)
			step := ""
			if len(c.Steps) > 0 {
				step = "a"
			}
			for _, e := range []*event.Event{
				{ID: event.Msgsnd, BootNS: 5}, {ID: event.Msgsnd, BootNS: extreme}, {ID: event.Msgsnd, BootNS: extreme, DurationNS: extreme},
				{ID: event.Msgsnd, BootNS: 7, DurationNS: extreme}, {ID: event.Msgsnd, Repeats: event.Repeats{Count: extreme, FirstNS: extreme, LastNS: 9}},
				{ID: event.Msgsnd, Repeats: event.Repeats{Count: 3, FirstNS: 9, LastNS: extreme, Alone: true}},
			} {
				b.input.Reset(e)
				b.Observe(b.metadata, detect.Finding{Step: step}, &b.input)
			}
			b.Flush()
		}
	}
}

// TestArrival delivers the same events in many orders.
func TestArrival(t *testing.T) {
	for name, c := range map[string]detect.Correlation{
		"event_count": threeIn10, "temporal_ordered": abc,
		"lte": change(threeIn10, func(c *detect.Correlation) { c.Operator = detect.AtMost }),
	} {
		t.Run(name, func(t *testing.T) {
			var calls []call
			for burst := range uint64(5) {
				for i := range uint64(6) {
					calls = append(calls, call{start: burst*2500 + i, end: burst*2500 + i + i%3, pid: 1, value: int32(i)})
					if !c.Type.Counts() {
						calls[len(calls)-1].step = []string{"a", "b", "c"}[i%3]
					}
				}
			}
			want := ""
			for seed := range uint64(50) {
				r := rand.New(rand.NewPCG(seed, 7))
				if seed > 0 { // only calls of one burst overtake each other
					for from := 0; from < len(calls); from += 6 {
						r.Shuffle(6, func(i, j int) { calls[from+i], calls[from+j] = calls[from+j], calls[from+i] })
					}
				}
				b := newBench(t, c, DefaultLimits)
				b.observe(calls...)
				b.Flush()
				// How many there are, and of what: which of them the count is complete with
				// depends on which are there.
				got := fmt.Sprint(len(b.found))
				if c.Operator == detect.AtMost {
					got = b.words()
				}
				if want == "" {
					want = got
				}
				if got != want {
					t.Fatalf("seed %d: found %s (%s), want %s", seed, got, b.words(), want)
				}
				if n := b.Counters()[0].Late; n != 0 {
					t.Fatalf("seed %d: %d matches came too late", seed, n)
				}
			}
			if want == "0" {
				t.Error("nothing was found")
			}
		})
	}
}

// TestReplay observes a long random stream twice.
func TestReplay(t *testing.T) {
	run := func() string {
		b := newBench(t, change(abc, func(c *detect.Correlation) { c.GroupBy = []string{"hostProcessId", "object.id"} }), Limits{Groups: 4, Bytes: 1 << 20, RecallBytes: 1 << 16})
		r := rand.New(rand.NewPCG(1, 2))
		for i := range uint64(20_000) {
			start := i * 2
			b.observe(call{start, start + uint64(r.IntN(5)), uint32(r.IntN(2)), []string{"a", "b", "c", "u"}[r.IntN(4)], int32(r.IntN(3))})
		}
		b.Flush()
		return fmt.Sprint(b.words(), b.Counters(), b.Forgotten())
	}
	first := run()
	if second := run(); first != second {
		t.Errorf("%s\n%s", first, second)
	}
	if !strings.Contains(first, "3 of") {
		t.Error("nothing was found")
	}
}

// TestUse replaces the signatures.
func TestUse(t *testing.T) {
	b := newBench(t, threeIn10, DefaultLimits)
	b.observe(at(0, 1), at(1, 1))
	same := threeIn10
	b.metadata = &detect.Metadata{ID: "A", Correlation: &same}
	if err := b.Use([]*detect.Metadata{b.metadata}); err != nil {
		t.Fatal(err)
	}
	b.observe(at(2, 1))
	if got := b.words(); got != "3 of 1 0-2" {
		t.Errorf("found %q with the same correlation", got)
	}
	bad := change(threeIn10, func(c *detect.Correlation) { c.GroupBy = []string{"nonsense"} })
	if err := b.Use([]*detect.Metadata{{ID: "A", Correlation: &bad}}); err == nil || err.Error() != `signature A: correlation: events have no single value "nonsense"; the nearest is arg.nsems` {
		t.Errorf("error %v", err)
	}
	other := change(threeIn10, func(c *detect.Correlation) { c.Threshold = 4 })
	b.observe(at(20, 1), at(21, 1))
	b.metadata = &detect.Metadata{ID: "A", Correlation: &other}
	if err := b.Use([]*detect.Metadata{b.metadata}); err != nil || b.bytes != 0 {
		t.Fatal(err, b.bytes)
	}
	b.observe(at(22, 1), at(23, 1))
	if c := b.Counters()[0]; len(b.found) != 1 || c.Matches != 7 || c.Groups != 1 {
		t.Errorf("found %q, counters %+v", b.words(), c)
	}
}

// TestManyMatches is about thresholds beyond which not every match is remembered by
// itself.
func TestManyMatches(t *testing.T) {
	const threshold = 100_000
	c := change(threeIn10, func(c *detect.Correlation) { c.Threshold, c.Timespan = threshold, 10*time.Second })
	b := newBench(t, c, DefaultLimits)
	b.observe(at(0, 1)) // on its own, and past when the others come
	n := uint64(0)
	for ; len(b.found) == 0 && n < 2*threshold; n++ {
		b.observe(at(9_000+n/20, 1))
	}
	if n < threshold-1 || n > threshold+threshold/exactCount {
		t.Errorf("found after %d matches", n)
	}
	if bytes := b.Counters()[0].Bytes; bytes > 100_000 {
		t.Errorf("%d bytes", bytes)
	}
	// Just too slow to be so many in time.
	b = newBench(t, c, DefaultLimits)
	for i := range uint64(2 * threshold) {
		b.observe(call{start: i * 101 / 1000, end: i * 101 / 1000, pid: 1})
	}
	if len(b.found) != 0 {
		t.Errorf("found %s", b.words())
	}
}
