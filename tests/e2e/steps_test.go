package e2e

import (
	"slices"
	"testing"
)

// TestPushdownSteps makes the steps of two signatures, one about a thread and one about a
// process. The kernel leaves out what only later steps are wanted for until the first one
// is there, also if that ends last; both of the twins find the same.
func TestPushdownSteps(t *testing.T) {
	anyHook(t)
	requireBPF(t)
	requireEveryCall(t)
	w := startTwins(t, "--enable", "IPCW-045", "--signatures", signatures(t, map[string]string{"end.rego": endSignature}))
	path := steps.build(t)
	const byThread, byProcess, operations = "IPCW-013", "IPCW-045", "2000"
	for act, want := range map[string][]string{
		"steps":             {byThread, byProcess},
		"taken-between":     {byThread, byProcess},
		"too-late":          nil,
		"by-another-thread": {byProcess},
		"while-it-waits":    {byProcess},
		"after-a-thread":    {byProcess},
	} {
		pid := runProgram(t, path, act, operations).pid
		var got [2][]string
		for i := range w.wardens {
			for _, a := range w.wardens[i].alertsUntil(pid) {
				if a.Signature.ID == byThread || a.Signature.ID == byProcess {
					got[i] = append(got[i], a.Signature.ID)
				}
			}
			slices.Sort(got[i])
		}
		if !slices.Equal(got[0], want) || !slices.Equal(got[1], want) {
			t.Errorf("%s: alerts of %q, and without the filter in the kernel of %q; want %q", act, got[0], got[1], want)
		}
	}
	with, without := w.wardens[0].stop(), w.wardens[1].stop()
	t.Logf("with %+v\nwithout %+v", with, without)
	// Those of the acts, and what others do on this host meanwhile.
	if left := without.Emitted - with.Emitted; left+without.dropped() < 6*2000 || with.Unmatched+with.dropped() < 6*2000 {
		t.Errorf("%d events more were sent without the filter in the kernel, want the %s operations of each act: %+v", left, operations, with)
	}
}
