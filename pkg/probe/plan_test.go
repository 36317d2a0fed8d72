package probe

import (
	"errors"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func wholePlan() *plan {
	p := &plan{abis: [2]event.ABI{event.ARM64, event.ARM}}
	p.functions = event.Functions(p.abis[:]...)
	return p
}

func TestPlanLeavesCallsAndNotFunctions(t *testing.T) {
	p := wholePlan()
	if p.masks() != [2]uint64{} {
		t.Fatalf("a plan of all functions leaves %v", p.reasons())
	}
	// 32-bit callers reach semtimedop by a second function as well: all of it is left
	// to the tracepoints for them, and nothing of it for the others.
	p.leave("__arm64_sys_semtimedop_time32", errors.New("gone"))
	if want := [2]uint64{0, 1 << event.Semtimedop}; p.masks() != want {
		t.Errorf("masks %x, want %x", p.masks(), want)
	}
	if r := p.reasons(); len(r) != 1 || r[0] != "arm semtimedop: __arm64_sys_semtimedop_time32: gone" {
		t.Errorf("reasons %q", r)
	}
}

func TestPlanNeedsOneOfSeveralFunctions(t *testing.T) {
	p := &plan{abis: [2]event.ABI{event.AMD64, event.I386}}
	p.functions = event.Functions(p.abis[:]...)
	p.leave("__ia32_sys_ipc", errors.New("gone"))
	p.leave("__x64_sys_ipc", errors.New("gone"))
	if len(p.left) != 0 {
		t.Fatalf("left %v, though one function is there", p.reasons())
	}
	p.leave("__ia32_compat_sys_ipc", errors.New("gone"))
	if want := [2]uint64{0, 1 << event.IPC}; p.masks() != want {
		t.Errorf("masks %x, want %x", p.masks(), want)
	}
}

func TestPlanKnowsWhatIsNotServed(t *testing.T) {
	p := &plan{abis: [2]event.ABI{event.AMD64, event.I386}, unserved: [2]bool{false, true}}
	p.functions = event.Functions(p.abis[:]...)
	for _, name := range event.Functions(event.I386) {
		if strings.HasPrefix(name, "__ia32_") {
			p.leave(name, errors.New("gone"))
		}
	}
	if len(p.left) != 0 {
		t.Errorf("left %v, though no such caller is served", p.reasons())
	}
}

func TestOwnProbes(t *testing.T) {
	for line, owner := range map[string]string{
		"p:ipcwarden/enter_12_1___x64_sys_msgget __x64_sys_msgget":     "12_1_",
		"r512:ipcwarden/leave_12_34___x64_sys_msgget __x64_sys_msgget": "12_34_",
		"p:kprobes/enter_12_1_f f":                                     "",
		"p:ipcwarden/other f":                                          "",
		"":                                                             "",
	} {
		var got string
		if m := ownProbe.FindStringSubmatch(line); m != nil {
			got = m[2]
		}
		if got != owner {
			t.Errorf("%q: owner %q, want %q", line, got, owner)
		}
	}
}

func TestVerifierLog(t *testing.T) {
	m := verifierLog.FindStringSubmatch("libbpf: prog 'sys_enter': -- BEGIN PROG LOAD LOG --\nprocessed 50235 insns (limit 1000000) max_states_per_insn 6\n-- END PROG LOAD LOG --\n")
	if m == nil || m[1] != "sys_enter" || m[2] != "50235" {
		t.Errorf("%q", m)
	}
}

func TestPreempts(t *testing.T) {
	for _, c := range []struct {
		build, mode string
		want        bool
	}{
		{"#1 SMP Debian 5.10.251-4", "", false},
		{"#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-1", "", true},
		{"#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-1", "none (voluntary) full\n", false},
		{"#1 SMP PREEMPT_DYNAMIC Debian 7.2.13-1", "full (lazy)\n", true},
		{"#1 SMP PREEMPT_RT Debian 6.1.170-1", "", true},
		{"#1 SMP PREEMPT Thu Jan 1", "", true},
	} {
		if got := preemptsAs(c.build, c.mode); got != c.want {
			t.Errorf("%q in mode %q: preempts %t", c.build, c.mode, got)
		}
	}
}
