package regosig

import (
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestCrossProductIsSuspended is about a signature that joins by accident what has
// nothing to do with each other.
func TestCrossProductIsSuspended(t *testing.T) {
	r := &ruleSet{in: map[string]predicate{}}
	r.add("SLOW", "slow.rego", header("SLOW")+`package slow
lengths := numbers.range(1, 2000)
match if { some a in lengths; some b in lengths; some c in lengths; a + b + c == input.arg.msgsz }
`, nil)
	r.add("QUICK", "quick.rego", header("QUICK")+"package quick\nmatch if input.arg.msgsz == 2", nil)
	e := r.engine(t)
	quick := 0
	for range 4 {
		e.Evaluate(t.Context(), &event.Event{ID: event.Msgsnd, Args: [event.MaxArgs]uint64{2: 2}},
			func(*detect.Metadata, detect.Finding, *detect.Input) { quick++ })
	}
	counters := e.Counters()
	if c := counters[1]; c.ID != "SLOW" || c.Evaluations != 3 || c.Overruns != 3 || c.Errors != 0 || !c.Suspended {
		t.Errorf("%+v", c)
	}
	if quick != 4 {
		t.Errorf("the other signature found %d of 4", quick)
	}
}
