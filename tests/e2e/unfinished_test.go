package e2e

import (
	"bytes"
	"testing"
)

// TestUnfinished lets threads die inside a call, which then is reported without
// a return value.
func TestUnfinished(t *testing.T) {
	requireBPF(t)
	w := trace(t)
	p := runProgram(t, blocked.build(t))
	w.awaitEnd(p.pid)
	w.stop()
	all := w.documents()
	said := 0
	for line := range bytes.Lines(p.stdout) {
		said++
		want := decode[struct {
			Event        string
			PID, TID, ID uint32
		}](t, line)
		var found []document
		for _, d := range ofProcess(all, want.PID) {
			if d.EventName == want.Event {
				found = append(found, d)
			}
		}
		if len(found) != 1 {
			t.Errorf("%d events for %s", len(found), line)
			continue
		}
		got := found[0]
		var d differences
		d.equal("unfinished", got.Unfinished, true)
		d.equal("hostThreadId", got.HostThreadID, want.TID)
		d.equal("args[0]", number(got.Args[0].Value), int64(want.ID))
		d.equal("error", got.errorName(), "")
		d.equal("processName", got.ProcessName, "blocked")
		if got.DurationNS <= 0 {
			d.add("durationNs", got.DurationNS, "more than 0")
		}
		if len(d) > 0 {
			t.Errorf("%s:%s\n\tevent: %s", bytes.TrimSpace(line), list(d), dump(got))
		}
	}
	if said != 2 {
		t.Errorf("the program let %d threads die, want 2", said)
	}
}
