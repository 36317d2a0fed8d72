package probe

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// askFor makes a call for a queue that there is not, by which events are told apart.
func askFor(queue int) { unix.Syscall(unix.SYS_MSGCTL, uintptr(queue), event.IPCRmid, 0) }

// onThread runs what a thread of its own does.
func onThread(does func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // for good: the thread ends with this
		does()
	}()
	<-ended
}

// TestGate makes a call that is only wanted after another one: before that one, after
// it, too long after it, in another thread, and when the rules have changed.
func TestGate(t *testing.T) {
	const first, later = 1_000_000_001, 1_100_000_000 // and the following
	const span = 300 * time.Millisecond
	byThread := pushdown.Gate{Signature: "THREAD", Step: "first", Timespan: span}
	byProcess := pushdown.Gate{Signature: "PROCESS", Step: "first", Timespan: span, Process: true}
	clause := func(low, high int64) pushdown.Clause {
		return pushdown.Clause{Events: event.Of(event.Msgctl), Tests: []pushdown.Test{
			{Field: pushdown.Arg0, Kind: pushdown.Int, Mask: ^uint64(0), Low: low, High: high},
		}}
	}
	for _, c := range []struct {
		name string
		gate pushdown.Gate
		want []int32
	}{
		{"thread", byThread, []int32{first, later + 1, first, later + 5}},
		// In a process of several threads a first step may be under way: nothing is left out.
		{"process", byProcess, []int32{later, first, later + 1, later + 2, first, later + 3, later + 4, later + 5, later + 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			opener, guarded := clause(first, first), clause(later, later+100)
			opener.Opens, guarded.Behind = []pushdown.Gate{c.gate}, []pushdown.Gate{c.gate}
			wanted := pushdown.Set{Clauses: []pushdown.Clause{opener, guarded}}
			p := openWith(t, Options{Filter: Filter{Events: event.Of(event.Msgctl)}, Wanted: &wanted})
			onThread(func() {
				askFor(later)
				askFor(first)
				askFor(later + 1)
				time.Sleep(span + span/2)
				askFor(later + 2)
				askFor(first)
				onThread(func() { askFor(later + 3) })
				time.Sleep(span + span/2)
				askFor(later + 4)
				if err := p.SetWanted(wanted); err != nil {
					t.Error(err)
				}
				askFor(later + 5) // the old rules may have missed the first step
				time.Sleep(time.Second + span + span/2)
				askFor(later + 6)
			})
			var got []int32
			drain(t, p, func(e *event.Event) { got = append(got, int32(e.Args[0])) })
			if !slices.Equal(got, c.want) {
				t.Errorf("events %v, want %v", got, c.want)
			}
		})
	}
}
