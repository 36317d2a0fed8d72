package enrich

import (
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestLearned has programs of which only the kernel tells.
func TestLearned(t *testing.T) {
	proc := newFakeProc(t)
	r := New("host", proc.dir)
	learn := func(pid uint32, path string, bits uint8) {
		r.Learn(event.Program{HostPID: pid, ProcessStartNS: second, Path: path, Bits: bits})
	}
	learn(7, "/bin/a", 64)
	expect(t, r, eventOf(7, "a", 2*second), "/bin/a", "")
	learn(7, "/bin/b", 32) // at once, and with the same comm
	expect(t, r, eventOf(7, "a", 2*second+1), "/bin/b", "")
	expect(t, r, eventOf(8, "a", 2*second), "", "") // another process
	later := eventOf(7, "a", 9*second)
	later.Process.ProcessStartNS, later.Process.ThreadStartNS = 8*second, 8*second
	expect(t, r, later, "", "") // one with the same id
	thread := eventOf(7, "thread", 2*second)
	thread.Process.HostTID = 9
	expect(t, r, thread, "/bin/b", "")

	proc.start(9, 1, "/a/path/that/is/too/long", "0::/\n")
	learn(9, "", 64)
	expect(t, r, eventOf(9, "a", 2*second), "/a/path/that/is/too/long", "")

	for _, compat := range []bool{false, true} {
		e := eventOf(7, "a", 3*second)
		e.Compat, e.Process.ProgramBits = compat, 99 // of the event before, whose memory it is
		want := map[bool]uint8{true: 32}[compat]
		if r.Enrich(e); e.Process.ProgramBits != want {
			t.Errorf("32-bit call %t: %d bits, want %d", compat, e.Process.ProgramBits, want)
		}
	}
}

func TestCreatorGone(t *testing.T) {
	proc := newFakeProc(t)
	proc.start(7, 1, "/bin/a", "")
	proc.start(8, 1, "/bin/b", "")
	r := New("host", proc.dir)
	for name, c := range map[string]struct {
		id      event.ID
		mode    uint16
		creator uint32
		want    bool
	}{
		"gone":              {event.Shmat, 0o1600, 9, true},
		"there":             {event.Shmat, 0o1600, 8, false},
		"itself":            {event.Shmat, 0o1600, 7, false},
		"not to be removed": {event.Shmat, 0o600, 9, false},
		"another call":      {event.Shmctl, 0o1600, 9, false},
		"ended parent":      {event.Shmat, 0o1600, 10, false},
		"creator not known": {event.Shmat, 0o1600, 0, false},
	} {
		e := eventOf(7, "test", 2*second)
		e.ID, e.Process.HostParentPID = c.id, 10
		e.Object = event.Object{Kind: event.SharedMemory, Mode: c.mode, CreatorPID: c.creator, CreatorGone: !c.want}
		if r.Enrich(e); e.Object.CreatorGone != c.want {
			t.Errorf("%s: gone %t", name, e.Object.CreatorGone)
		}
	}
}
