package e2e

import (
	"syscall"
	"testing"
)

// TestSignals ends trace right after a program has ended: every call that was
// made before the signal has to be printed.
func TestSignals(t *testing.T) {
	anyHook(t)
	requireBPF(t)
	path := count.build(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			w := trace(t, "--comm", "count")
			p := runProgram(t, path, "2", "200")
			s := w.stopBy(sig)
			calls := decode[counted](t, p.stdout).Calls
			if n := uint64(len(ofProcess(w.documents(), p.pid))); n != calls && n+s.dropped() != calls {
				t.Errorf("%d events, want all %d calls: %+v", n, calls, s)
			} else if s.dropped() > 0 && hook() != "fentry" { // which misses calls where the kernel preempts it
				t.Errorf("calls were dropped: %+v", s)
			}
		})
	}
}
