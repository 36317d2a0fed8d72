package probe

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// repeatable wants every msgctl that failed, of which the return value and the id are
// read.
func repeatable(span time.Duration) *pushdown.Set {
	failed := pushdown.Test{Field: pushdown.Return, Mask: ^uint64(0), Low: -4095, High: -1}
	r := &pushdown.Repeat{Span: span}
	r.Add(pushdown.Return)
	r.Add(pushdown.Arg0)
	return &pushdown.Set{Clauses: []pushdown.Clause{{Events: event.Of(event.Msgctl), Tests: []pushdown.Test{failed}, Repeat: r}}}
}

// TestRepeats makes many calls while nobody reads. Then there are as many events and
// repeats as there were calls, one for one, by each id.
func TestRepeats(t *testing.T) {
	const ids, times = 600, 3 + 2
	const shortly = 10 * time.Millisecond
	for name, span := range map[string]time.Duration{"by the next record": shortly, "alone": time.Hour} {
		t.Run(name, func(t *testing.T) {
			p := openWith(t, Options{Filter: Filter{Events: event.Of(event.Msgctl), PIDs: []uint32{uint32(os.Getpid())}}, Wanted: repeatable(span)})
			callUntil(t, p, aggregated)
			onThread(func() {
				for i := range 3 * ids {
					askFor(1<<20 + i/3)
				}
				time.Sleep(2 * min(span, shortly))
				for i := range 2 * ids {
					askFor(1<<20 + i/2)
				}
			})
			before, err := p.Counts()
			if err != nil {
				t.Fatal(err)
			}
			var events, alone, carried uint64
			byID := map[uint64]uint64{}
			take := func(e *event.Event) {
				byID[e.Args[0]] += e.Repeats.Count
				if e.Repeats.Count > 0 && (e.Repeats.FirstNS > e.Repeats.LastNS || e.Repeats.LastNS-e.Repeats.FirstNS > uint64(span)) {
					t.Errorf("repeats %+v of an event, in %s at most", e.Repeats, span)
				}
				if e.Repeats.Alone {
					alone += e.Repeats.Count
					return
				}
				carried += e.Repeats.Count
				events++
				byID[e.Args[0]]++
			}
			var e event.Event
			for end := time.Now().Add(10 * time.Second); alone+carried < before.Aggregated && time.Now().Before(end); {
				for p.Next(&e) == nil {
					take(&e)
					if e.Args[0] >= 1<<20 && e.Args[0] < 1<<20+ids {
						time.Sleep(time.Millisecond) // so that more is taken while much is not read
					}
				}
			}
			counts, err := p.Counts()
			if err != nil {
				t.Fatal(err)
			}
			if counts.Aggregated == 0 || alone+carried != counts.Aggregated || events != counts.Emitted || counts.Lost[RingFull] != 0 {
				t.Errorf("%d events, %d repeats with one and %d alone; counted %+v", events, carried, alone, counts)
			}
			if span < time.Minute && carried == 0 || alone == 0 {
				t.Errorf("%d repeats with an event and %d alone", carried, alone)
			}
			for i := range uint64(ids) {
				if n := byID[1<<20+i]; n+counts.Lost[EntryMissed]+counts.Lost[ReturnMissed] < times || n > times {
					t.Errorf("%d calls for id %d, want %d: %+v", n, i, times, counts)
				}
			}
		})
	}
}

// TestRepeatsOfFirstSteps has a call repeated that is the first step of a sequence: after
// another step it is sent again, as the sequence may begin anew.
func TestRepeatsOfFirstSteps(t *testing.T) {
	const first, later = 1<<20 + 1, 1<<20 + 2
	wanted := repeatable(time.Hour)
	id := func(n int64) pushdown.Clause {
		return pushdown.Clause{Events: event.Of(event.Msgctl), Tests: []pushdown.Test{{Field: pushdown.Arg0, Kind: pushdown.Int, Mask: ^uint64(0), Low: n, High: n}}}
	}
	of := pushdown.Gate{Signature: "A", Step: "first", Timespan: time.Minute}
	opener, guarded := id(first), id(later)
	opener.Opens, opener.Repeat, guarded.Behind = []pushdown.Gate{of}, wanted.Clauses[0].Repeat, []pushdown.Gate{of}
	// The others fill the ring.
	wanted.Clauses[0].Tests = append(wanted.Clauses[0].Tests, pushdown.Test{Field: pushdown.Arg0, Kind: pushdown.Int, Mask: ^uint64(0), Low: -1, High: -1})
	wanted.Clauses = append(wanted.Clauses, opener, guarded)
	p := openWith(t, Options{Filter: Filter{Events: event.Of(event.Msgctl)}, Wanted: wanted})
	callUntil(t, p, aggregated)
	onThread(func() {
		for _, n := range []int{first, first, first, later, first, first, later, later} {
			askFor(n)
		}
	})
	var got []string
	drain(t, p, func(e *event.Event) {
		if id := int32(e.Args[0]); id == first || id == later {
			name := map[int32]string{first: "first", later: "later"}[id]
			if e.Repeats.Alone {
				name = fmt.Sprintf("%s %d more", name, e.Repeats.Count)
			}
			got = append(got, name)
		}
	})
	slices.Sort(got[min(len(got), 5):])
	if want := []string{"first", "later", "first", "later", "later", "first 1 more", "first 2 more"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
