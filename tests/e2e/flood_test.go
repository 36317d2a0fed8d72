package e2e

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// floodSignature finds the process that sends very many messages.
const floodSignature = `# METADATA
# title: Flood of messages
# custom:
#   id: E2E-FLOOD
#   severity: low
#   events: [msgsnd]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId]
#     timespan: 5m
#     condition: {gte: 1000}
package e2e.flood

match if input.arg.msgsz == 16 # as program count sends
`

// askingSignature asks of each message received what the kernel cannot tell, so that all
// are sent.
const askingSignature = `# METADATA
# title: Received by a program that there is not
# custom:
#   id: E2E-ASKING
#   severity: low
#   events: [msgrcv]
package e2e.asking

match if {
	input.arg.msgsz == 16
	input.executable.path == "/there/is/none"
}
`

// spins is how often act nowait-spin asks.
const spins = 4000

// spinSignature finds the thread that asks as often as that, and not once less.
var spinSignature = fmt.Sprintf(`# METADATA
# title: Busy loop
# custom:
#   id: E2E-SPIN
#   severity: low
#   events: [semop, semtimedop]
#   correlation:
#     type: event_count
#     group_by: [hostThreadId]
#     timespan: 5m
#     condition: {gte: %d}
package e2e.spin

match if input.error == "EAGAIN"
`, spins)

// TestSprayInFlood stops ipcwarden, so that the ring fills up, while two processes call
// as fast as they can: one that a signature has found, whose calls the kernel counts
// then, and one that none has. A third sprays meanwhile, and there is room for it. A
// fourth repeats one call, which the kernel counts for a signature that has not found it
// yet.
func TestSprayInFlood(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	anyHook(t)
	dir := signatures(t, map[string]string{"end.rego": endSignature, "flood.rego": floodSignature, "asking.rego": askingSignature, "spin.rego": spinSignature})
	flood, spray := count.build(t), many.build(t)
	w := start(t, "run", "--output", "json", "--signatures", dir)

	found := exec.Command(flood, "1", fmt.Sprint(1<<30))
	if err := found.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() {
		_ = found.Process.Kill() // nothing to do if it has ended
		_ = found.Wait()         // killed
	}
	defer end()
	isFound := func(line []byte) bool {
		a := decode[alert](t, line)
		return a.Signature.ID == "E2E-FLOOD" && a.Event != nil && int(a.Event.HostProcessID) == found.Process.Pid
	}
	if _, ok := w.stdout.await(limit, isFound); !ok {
		t.Fatalf("the flood was not found\nstderr: %s", w.stderr.text())
	}
	time.Sleep(time.Second) // to tell the kernel
	if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	runProgram(t, flood, "2", "20000") // more than there is room for
	sprayed := []uint32{runProgram(t, spray, "message-spray").pid}
	for _, v := range multiplexed() {
		t.Run(v.name, func(t *testing.T) {
			requireVariant(t, v)
			sprayed = append(sprayed, runProgram(t, v.many().build(t), "message-spray").pid)
		})
	}
	spinning := runProgram(t, spray, "nowait-spin").pid
	end()
	if err := w.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}

	for i, pid := range sprayed { // the second one through ipc
		isSpray := func(line []byte) bool {
			a := decode[alert](t, line)
			return a.Signature.ID == "IPCW-015" && a.Event != nil && a.Event.HostProcessID == pid
		}
		if _, ok := w.stdout.await(limit, isSpray); !ok {
			t.Errorf("no alert of IPCW-015 for spray %d\nstderr: %s", i, w.stderr.text())
		}
	}
	isSpin := func(line []byte) bool {
		a := decode[alert](t, line)
		return a.Signature.ID == "E2E-SPIN" && a.Event.HostProcessID == spinning && a.Correlation.Count == spins
	}
	if _, ok := w.stdout.await(limit, isSpin); !ok {
		t.Errorf("no alert for a busy loop of %d calls\nstderr: %s", spins, w.stderr.text())
	}
	s := w.stop()
	t.Logf("%+v", s)
	if s.Aggregated == 0 || s.Dropped["ring_full"] == 0 {
		t.Errorf("the ring was never full, or nothing was counted in the kernel: %+v", s)
	}
	told := uint64(0)
	for _, line := range w.stdout.rest(t) {
		a := decode[alert](t, line)
		if a.Gap == nil || a.Gap.Cause != "aggregated" {
			continue
		}
		told += a.Gap.Count
		if g := a.Gap.Aggregated; g == nil || g.SignatureID != "E2E-FLOOD" || int(g.HostProcessID) != found.Process.Pid {
			t.Errorf("counted %+v, want what E2E-FLOOD found of %d", g, found.Process.Pid)
		}
	}
	if told+s.Repeated != s.Aggregated || s.Repeated < spins/2 {
		t.Errorf("alerts tell of %d calls that were counted, and events of %d, of %d", told, s.Repeated, s.Aggregated)
	}
}
