package probe

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// callsOnce has the test program, run again by TestShare, make one call and end.
const callsOnce = "IPCWARDEN_PROBE_CALLS_ONCE"

func TestMain(m *testing.M) {
	if os.Getenv(callsOnce) != "" {
		removeNothing()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// removals wants every msgctl, for two signatures: one what failed, one what a signature
// finds for itself if there are removals of id 0.
func removals() pushdown.Set {
	failed := pushdown.Test{Field: pushdown.Return, Mask: ^uint64(0), Low: -4095, High: -1}
	zero := pushdown.Is(pushdown.Arg0, ^uint64(0), 0)
	clause := func(t pushdown.Test) pushdown.Set {
		return pushdown.Set{Clauses: []pushdown.Clause{{Events: event.Of(event.Msgctl), Tests: []pushdown.Test{t}}}}
	}
	return clause(failed).OwnedBy("FAILED").Or(clause(zero).OwnedBy("ZERO"))
}

// callUntil makes calls that fail until a counter is there, and returns how many.
func callUntil(t *testing.T, p *Probe, counted func(Counts) uint64) (calls int) {
	t.Helper()
	for calls < 1_000_000 {
		for range 100 {
			removeNothing()
		}
		calls += 100
		counts, err := p.Counts()
		if err != nil {
			t.Fatal(err)
		}
		if counted(counts) > 0 {
			return calls
		}
	}
	t.Fatalf("nothing counted after %d calls", calls)
	return 0
}

func aggregated(c Counts) uint64 { return c.Aggregated }

// TestMute mutes this process, which then makes many calls while nobody reads.
func TestMute(t *testing.T) {
	wanted := removals()
	p := openWith(t, Options{Filter: Filter{Events: event.Of(event.Msgctl)}, Wanted: &wanted})
	me := uint32(os.Getpid())
	begin := time.Now()
	for range 2 { // the second changes nothing
		if err := p.Mute("FAILED", me, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Mute("NOBODY", me+1, time.Hour); err != nil || len(p.muter.active) != 1 {
		t.Fatalf("muted %v, want failed calls of this process: %v", p.muter.active, err)
	}
	calls := callUntil(t, p, aggregated)
	if early, err := p.Unmute(time.Now()); err != nil || len(early) > 0 {
		t.Errorf("ended early: %v, %v", early, err)
	}
	counts, err := p.Counts()
	if err != nil {
		t.Fatal(err)
	}
	missed := counts.Lost[EntryMissed] + counts.Lost[ReturnMissed]
	if counts.Entered < uint64(calls) || counts.Emitted+counts.Aggregated+missed != counts.Entered || counts.Emitted < counts.Aggregated {
		t.Errorf("%d calls, most of them before the ring filled up: %+v", calls, counts)
	}
	events := uint64(0)
	drained := func() uint64 {
		var e event.Event
		n := uint64(0)
		for p.Next(&e) == nil {
			n++
		}
		events += n
		return n
	}
	drained()
	removeNothing() // there is room again
	if n := drained(); n != 1 || events != counts.Emitted+1 {
		t.Errorf("%d events, the last %d while there was room, want %d and 1", events, n, counts.Emitted+1)
	}

	list, err := p.Unmute(begin.Add(2 * time.Hour))
	if err != nil || len(list) != 1 {
		t.Fatalf("ended %v, %v", list, err)
	}
	m := list[0]
	if m.Signature != "FAILED" || m.HostPID != me || m.Event != event.Msgctl || m.Count != counts.Aggregated || m.From.Before(begin) || m.To.Before(m.From) || m.To.After(time.Now()) {
		t.Errorf("ended %+v, want %d calls", m, counts.Aggregated)
	}
	if again, err := p.Unmute(begin.Add(2 * time.Hour)); err != nil || len(again) > 0 {
		t.Errorf("ended again: %v, %v", again, err)
	}
}

// TestMuteIsForOneSignature has a call that another signature wants too, and new rules,
// in which the clauses are others.
func TestMuteIsForOneSignature(t *testing.T) {
	wanted := removals()
	p := openWith(t, Options{Filter: Filter{Events: event.Of(event.Msgctl)}, Wanted: &wanted})
	if err := p.Mute("ZERO", uint32(os.Getpid()), time.Hour); err != nil || len(p.muter.active) != 1 {
		t.Fatalf("muted %v, %v", p.muter.active, err)
	}
	for range 8000 {
		removeNothing() // failed, as the other wants
	}
	if counts, err := p.Counts(); err != nil || counts.Aggregated != 0 {
		t.Errorf("%d calls were counted that another signature wants: %v", counts.Aggregated, err)
	}
	if _, err := p.Unmute(time.Now().Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := p.Mute("FAILED", uint32(os.Getpid()), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := p.SetWanted(wanted); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		removeNothing()
	}
	if counts, err := p.Counts(); err != nil || counts.Aggregated != 0 {
		t.Errorf("%d calls were counted by clauses of old rules: %v", counts.Aggregated, err)
	}
}

// TestShare fills the ring, in which there must be room for others all the same.
func TestShare(t *testing.T) {
	p := openFor(t, Options{Filter: Filter{Events: event.Of(event.Msgctl)}})
	full := func(c Counts) uint64 { return c.Lost[RingFull] }
	calls := callUntil(t, p, full)
	others := map[uint32]bool{}
	for len(others) < 20 {
		other := exec.Command(os.Args[0])
		other.Env = append(os.Environ(), callsOnce+"=1")
		if err := other.Run(); err != nil {
			t.Fatal(err)
		}
		others[uint32(other.Process.Pid)] = true
		for range 100 {
			removeNothing()
		}
	}
	mine, theirs := 0, 0
	drain(t, p, func(e *event.Event) {
		switch pid := e.Process.HostPID; {
		case pid == uint32(os.Getpid()):
			mine++
		case others[pid]:
			theirs++
		}
	})
	counts, err := p.Counts()
	if err != nil {
		t.Fatal(err)
	}
	if missed := int(counts.Lost[EntryMissed]); theirs > len(others) || theirs+missed < len(others) {
		t.Errorf("%d events of other processes, want %d; %d entries missed", theirs, len(others), missed)
	}
	if mine < calls/2 || mine > calls+100*len(others) {
		t.Errorf("%d events of %d calls until the ring was filling up", mine, calls)
	}
}
