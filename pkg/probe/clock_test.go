package probe

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestTimesUnderLoad has calls wait when the ring is first looked at, and wants their
// times, also where the clocks have changed and the ring is never empty.
func TestTimesUnderLoad(t *testing.T) {
	p := openOrSkip(t, Filter{Events: event.Set(0).With(event.Semget)})
	began := time.Now()
	call := func(times int) {
		for range times {
			_, _, _ = unix.Syscall(unix.SYS_SEMGET, 0x7ead1e55, 1, 0) // which is not there
		}
	}
	var e event.Event
	isNow := func(what string) {
		t.Helper()
		if at := time.Unix(0, e.TimeNS); at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("%s was at %s, and not since %s", what, at, began)
		}
	}
	call(2 * untimedRecords)
	if err := p.Next(&e); err != nil {
		t.Fatal(err)
	}
	isNow("the first call")
	p.clock = clock{} // as if a wrong time had been set right
	if events := drain(t, p, func(next *event.Event) { e.TimeNS = next.TimeNS }); events < untimedRecords {
		t.Fatalf("%d events", events)
	}
	isNow("the last call")
}
