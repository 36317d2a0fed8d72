package enrich

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func TestAncestors(t *testing.T) {
	proc := newFakeProc(t)
	proc.fork(0, 1, 0)
	proc.fork(1, 20, 1)
	proc.fork(20, 21, 1)
	proc.fork(99, 22, 1) // whose parent has ended
	for i := range uint32(20) {
		proc.fork(30+i, 31+i, 1)
	}
	ancestor := func(pid uint32) event.Ancestor { return event.Ancestor{HostPID: pid, Comm: "a ) S 9 (x"} }
	var deep []event.Ancestor
	for i := range uint32(event.MaxAncestors) {
		deep = append(deep, ancestor(50-i))
	}
	for i, tt := range []struct {
		parent  uint32
		started uint64 // seconds after boot
		want    []event.Ancestor
	}{
		{1, 0, []event.Ancestor{ancestor(1)}},
		{20, 1, []event.Ancestor{ancestor(20), ancestor(1)}},
		{21, 1, []event.Ancestor{ancestor(21), ancestor(20), ancestor(1)}},
		{21, 2, nil}, // the parent was an earlier process with the same id
		{22, 1, []event.Ancestor{ancestor(22)}},
		{50, 1, deep},
		{99, 1, nil},
		{0, 0, nil},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			e := eventOf(7, "a", 3*second)
			e.Process.HostParentPID, e.Process.ParentStartNS = tt.parent, tt.started*second
			if New("host", proc.dir).Enrich(e); !slices.Equal(e.Process.Ancestors, tt.want) {
				t.Errorf("got %+v, want %+v", e.Process.Ancestors, tt.want)
			}
		})
	}
}

// TestAncestorsAreRemembered has threads of one process, and children of one parent, look
// once a second.
func TestAncestorsAreRemembered(t *testing.T) {
	proc := newFakeProc(t)
	proc.fork(10, 20, 1)
	proc.fork(0, 10, 1)
	proc.fork(0, 11, 1)
	r := New("host", proc.dir)
	look := func(pid uint32, atNS uint64) uint32 {
		e := eventOf(pid, "a", atNS)
		e.Process.HostParentPID, e.Process.ParentStartNS = 20, second
		r.Enrich(e)
		if len(e.Process.Ancestors) != 2 {
			t.Fatalf("ancestors %+v", e.Process.Ancestors)
		}
		return e.Process.Ancestors[1].HostPID
	}
	first := look(7, 3*second)
	proc.fork(11, 20, 1) // another one takes its children
	if again, sibling, later := look(7, 3*second), look(8, 3*second), look(7, 5*second); first != 10 || again != first || sibling != first || later != 11 {
		t.Errorf("saw %d, %d, %d, %d", first, again, sibling, later)
	}
}
