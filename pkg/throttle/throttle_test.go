package throttle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

var begin = time.Date(2026, 5, 6, 7, 0, 0, 0, time.UTC)

func factory() *alert.Factory { return &alert.Factory{} }

// finding is one of a signature in a process, so many seconds after the begin.
func finding(id string, pid uint32, second float64) *alert.Alert {
	e := event.Event{ID: event.Shmget, TimeNS: begin.UnixNano() + int64(second*1e9)}
	e.Process.HostPID = pid
	var d event.Document
	e.Document(&d)
	return factory().FromFinding(&detect.Metadata{ID: id, Severity: detect.High}, detect.Finding{}, &d)
}

// in is a time so many seconds after the begin, in whole ones.
func in(t time.Time) int { return int(t.Sub(begin).Round(time.Second) / time.Second) }

// brief is what matters of an alert.
func brief(a *alert.Alert) string {
	switch {
	case a.Suppressed != nil:
		s := a.Suppressed
		return fmt.Sprintf("%s suppressed %d>%d %d-%d", a.Signature.ID, s.Count, s.Limit, in(s.From), in(s.To))
	case a.Repeated != nil:
		r := a.Repeated
		return fmt.Sprintf("%s/%d repeated %d %d-%d", a.Signature.ID, a.Event.HostProcessID, r.Count, in(r.First), in(r.Last))
	case a.Signature != nil:
		return fmt.Sprintf("%s/%d@%d", a.Signature.ID, a.Event.HostProcessID, in(a.Time))
	default:
		return string(a.Type)
	}
}

// run is a throttle and what it emitted.
type run struct {
	*Throttle
	got []string
}

func newRun(t *testing.T, s Settings) *run {
	t.Helper()
	r := &run{}
	var err error
	if r.Throttle, err = New(s, factory(), func(a *alert.Alert) { r.got = append(r.got, brief(a)) }); err != nil {
		t.Fatal(err)
	}
	return r
}

func settings(window time.Duration, limit uint64) Settings {
	s := Default()
	s.Window, s.Limit, s.Every = setting.Duration(window), limit, setting.Duration(time.Minute)
	return s
}

func (r *run) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(r.got, ", "), strings.Join(want, ", "))
	}
	r.got = nil
}

func TestOff(t *testing.T) {
	r := newRun(t, Default())
	for range 3 {
		r.Take(finding("A", 1, 0))
	}
	r.Flush()
	r.want(t, "A/1@0", "A/1@0", "A/1@0")
}

func TestWindow(t *testing.T) {
	r := newRun(t, settings(10*time.Second, 0))
	r.Take(finding("A", 1, 0))
	r.Take(finding("A", 2, 1))
	r.Take(finding("B", 1, 2))
	for s := 3.0; s < 6; s++ {
		r.Take(finding("A", 1, s))
	}
	r.want(t, "A/1@0", "A/2@1", "B/1@2")
	r.Advance(begin.Add(9 * time.Second))
	r.want(t)
	r.Advance(begin.Add(10 * time.Second))
	r.want(t, "A/1 repeated 3 0-5")
	r.Take(finding("A", 1, 10.5)) // a window of its own
	r.Take(finding("A", 2, 10.6))
	r.want(t, "A/1@11")
	r.Flush()
	r.want(t, "A/2 repeated 1 1-11")
	if got, want := r.Counters(), (Counters{Passed: 6, Repeated: 4}); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

// TestOthersPass says that what is no finding is handed on at once.
func TestOthersPass(t *testing.T) {
	r := newRun(t, settings(time.Minute, 1))
	for range 3 {
		r.Take(factory().FromGap(alert.Gap{}))
	}
	r.want(t, "gap", "gap", "gap")
}

func TestCorrelatedGroups(t *testing.T) {
	r := newRun(t, settings(10*time.Second, 0))
	for i, user := range []int{1, 2, 1} {
		a := finding("A", uint32(i), float64(i)) // by the group, whatever the process
		a.Correlation = &alert.Correlation{Group: map[string]any{"userId": user, "object.id": nil}}
		r.Take(a)
	}
	r.Flush()
	r.want(t, "A/0@0", "A/1@1", "A/2 repeated 1 0-2")
}

func TestLimit(t *testing.T) {
	r := newRun(t, settings(0, 2))
	for s := range 5 {
		r.Take(finding("A", uint32(s), float64(s)))
		r.Take(finding("B", uint32(s), float64(2*s)))
	}
	r.Take(finding("C", 9, 9))
	r.want(t, "A/0@0", "B/0@0", "A/1@1", "B/1@2", "C/9@9")
	r.Advance(begin.Add(time.Minute))
	r.want(t, "A suppressed 3>2 0-4", "B suppressed 3>2 0-8")
	r.Take(finding("A", 7, 61))
	r.Advance(begin.Add(time.Hour)) // nothing was left out
	r.want(t, "A/7@61")
	if got, want := r.Counters(), (Counters{Passed: 8, Suppressed: 6}); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

// TestFlushLimit ends a limit before its time.
func TestFlushLimit(t *testing.T) {
	r := newRun(t, settings(0, 1))
	r.Take(finding("A", 1, 0))
	r.Take(finding("A", 1, 5))
	r.Flush()
	r.Flush()
	r.want(t, "A/1@0", "A suppressed 1>1 0-5")
}

// TestWindowAndLimit has more groups than alerts are allowed, and counts what a
// repeated alert stood for.
func TestWindowAndLimit(t *testing.T) {
	r := newRun(t, settings(10*time.Second, 2))
	for s := range 9 {
		r.Take(finding("A", uint32(s%3), float64(s)))
	}
	r.Flush()
	r.want(t, "A/0@0", "A/1@1", "A suppressed 7>2 0-8")
}

// TestLate has a finding whose call ended before that of another.
func TestLate(t *testing.T) {
	r := newRun(t, settings(10*time.Second, 0))
	r.Take(finding("A", 1, 20))
	r.Take(finding("A", 2, 5))
	r.Take(finding("A", 2, 21))
	r.Advance(begin.Add(29 * time.Second))
	r.want(t, "A/1@20", "A/2@5")
	r.Advance(begin.Add(30 * time.Second))
	r.want(t, "A/2 repeated 1 5-21")
}

func TestBounded(t *testing.T) {
	s := settings(time.Minute, 0)
	s.Groups = 2
	r := newRun(t, s)
	for pid := range uint32(100) {
		r.Take(finding("A", pid, 0))
		r.Take(finding("A", pid, 0))
	}
	if got, want := r.Counters(), (Counters{Passed: 100 + 98, Repeated: 100, Evicted: 98}); got != want || r.groups.len() != 2 || r.groups.order.Len() != 2 {
		t.Errorf("%+v, %d groups; want %+v", got, r.groups.len(), want)
	}
	if r.got[2] != "A/0 repeated 1 0-0" || r.got[3] != "A/2@0" {
		t.Errorf("order of %s", r.got[:4])
	}
}

// TestSums wants every finding to be passed, repeated or suppressed, whatever comes,
// and the same alerts each time: also when the time is told between events, as in a live
// run, and not by them only, as in a replay.
func TestSums(t *testing.T) {
	play := func(seed uint64, live bool) ([]string, uint64, Counters) {
		random := rand.New(rand.NewPCG(seed, 0))
		s := settings(time.Duration(random.IntN(20))*time.Second, random.Uint64N(4))
		s.Groups, s.Every = 1+random.IntN(8), setting.Duration(time.Duration(1+random.IntN(30))*time.Second)
		var told uint64
		var got []string
		throttle, err := New(s, factory(), func(a *alert.Alert) {
			got = append(got, brief(a)+" "+a.ID)
			switch {
			case a.Suppressed != nil:
				told += a.Suppressed.Count
			case a.Repeated != nil:
				told += a.Repeated.Count
			default:
				told++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 500 {
			if live { // no event ends earlier from now on
				throttle.Advance(begin.Add(time.Duration(i) * time.Second / 4))
			}
			throttle.Take(finding(string(rune('A'+random.IntN(3))), random.Uint32N(12), float64(i)/4+random.Float64()*3))
		}
		if live {
			throttle.Advance(begin.Add(time.Hour))
		}
		throttle.Flush()
		return got, told, throttle.Counters()
	}
	for seed := range uint64(50) {
		got, told, count := play(seed, false)
		again, _, _ := play(seed, true)
		if told != 500 {
			t.Errorf("seed %d: alerts tell of %d findings of 500: %+v", seed, told, count)
		}
		if !slices.Equal(got, again) {
			t.Errorf("seed %d: a live run gives other alerts than a replay", seed)
		}
	}
}

func TestValidate(t *testing.T) {
	s := Settings{Window: 1, Limit: 1, GroupBy: []string{"userId", "userid"}}
	_, err := New(s, factory(), nil)
	for _, part := range []string{`group_by[1]: events have no single value "userid"; the nearest is userId`, "groups: 0 is too few", "every: has to be more"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v lacks %q", err, part)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	throttle, err := New(settings(time.Second, 100), factory(), func(*alert.Alert) {})
	if err != nil {
		b.Fatal(err)
	}
	a := finding("A", 1, 0)
	b.ReportAllocs()
	for b.Loop() {
		a.Event.Timestamp += 1000
		throttle.Take(a)
	}
}
