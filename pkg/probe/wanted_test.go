package probe

import (
	"math"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// TestSetWanted replaces what is wanted again and again while a thread calls: each
// call is judged by one of the sets, and by no mixture.
func TestSetWanted(t *testing.T) {
	me := pushdown.Is(pushdown.EUID, math.MaxUint64, int64(os.Geteuid()))
	failed := pushdown.Test{Field: pushdown.Return, Mask: math.MaxUint64, Low: -4095, High: -1}
	clause := func(tests ...pushdown.Test) pushdown.Clause {
		return pushdown.Clause{Events: event.Of(event.Msgctl), Tests: tests}
	}
	// Every set wants the call, by other tests at other places.
	sets := []pushdown.Set{
		{Clauses: []pushdown.Clause{clause(nobody), clause(me)}},
		{Clauses: []pushdown.Clause{clause(failed, me)}},
		{Clauses: []pushdown.Clause{clause(pushdown.Differs.Test(true)), clause(nobody, me), clause(pushdown.Unfinished.Test(false), failed)}},
		{Clauses: []pushdown.Clause{clause()}},
	}
	p := openWith(t, Options{Filter: Filter{Events: event.All}, Wanted: &sets[0]})
	stop, ended := make(chan struct{}), make(chan struct{})
	var calls atomic.Uint64
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				removeNothing()
				calls.Add(1)
			}
		}
	}()
	var e event.Event
	events := uint64(0)
	for i := range 200 {
		if err := p.SetWanted(sets[i%len(sets)]); err != nil {
			t.Fatal(err)
		}
		for p.Next(&e) == nil {
			events++
			if e.ID != event.Msgctl {
				t.Errorf("an event of %s", e.ID)
			}
			if events%1000 == 0 {
				break
			}
		}
	}
	wanted := calls.Load()
	if err := p.SetWanted(pushdown.Set{}); err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-ended
	removeNothing()
	events += drain(t, p, func(*event.Event) {})
	counts, err := p.Counts()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d calls, the first %d of them wanted, %d events: %+v", calls.Load(), wanted, events, counts)
	lost := uint64(0)
	for _, n := range counts.Lost {
		lost += n
	}
	if counts.Entered != counts.Filtered+counts.Unmatched+counts.Emitted+lost {
		t.Errorf("counts %+v do not add up", counts)
	}
	if events+lost < wanted {
		t.Errorf("%d events and %d losses of %d calls that were wanted", events, lost, wanted)
	}
	if counts.Unmatched == 0 {
		t.Error("the last call came when nothing was wanted, and was not left out")
	}
}

func semop(set uintptr, operations [][3]uint16) {
	unix.Syscall(unix.SYS_SEMOP, set, uintptr(unsafe.Pointer(&operations[0])), uintptr(len(operations)))
}

// TestWantedTellsLongInputs looks at operations that lie in the call's own entry and
// at ones in a large record. None changes, and the last of some is not for the set.
func TestWantedTellsLongInputs(t *testing.T) {
	beyond := pushdown.Clause{Events: event.All, Tests: []pushdown.Test{pushdown.BeyondSet.Test(true)}}
	differs := pushdown.Clause{Events: event.All, Tests: []pushdown.Test{pushdown.Differs.Test(true)}}
	p := openWith(t, Options{
		Filter: Filter{Events: event.Of(event.Semop)}, SnapshotBytes: 64, DigestBytes: MaxDigestBytes,
		Wanted: &pushdown.Set{Clauses: []pushdown.Clause{beyond, differs}},
	})
	set, _, errno := unix.Syscall(unix.SYS_SEMGET, event.IPCPrivate, 2, 0o600)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer unix.Syscall(unix.SYS_SEMCTL, set, 0, event.IPCRmid)
	for _, n := range []int{1, 2, 53, 54, 400} {
		operations := make([][3]uint16, n) // each waits for zero
		semop(set, operations)             // nothing of it is wanted
		operations[n-1][0] = 2             // is not in the set
		semop(set, operations)
	}
	var got []int
	drain(t, p, func(e *event.Event) { got = append(got, int(e.Args[2])) })
	if want := []int{1, 2, 53, 54, 400}; !slices.Equal(got, want) {
		t.Errorf("events with %v operations, want %v: those beyond the set", got, want)
	}
	counts, err := p.Counts()
	if err != nil {
		t.Fatal(err)
	}
	if counts.Unmatched != 5 {
		t.Errorf("%d calls were left out, want 5", counts.Unmatched)
	}
}
