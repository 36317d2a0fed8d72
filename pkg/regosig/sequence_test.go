package regosig

import (
	"slices"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// TestWantedOfSteps is about what the kernel need not send until the first step is there.
func TestWantedOfSteps(t *testing.T) {
	const steps = "first if { input.error == \"EPERM\"; input.processName != \"x\" }\nsecond if input.userId == 1\n"
	const first, second = "msgctl: error EPERM and not unfinished", "msgctl: userId = 1"
	const repeated = ", in a flood one for 20ms of the same"
	for _, c := range []struct {
		correlation, rules string
		want               []string
	}{
		{"type: temporal_ordered, steps: [first, second], group_by: [hostThreadId]", steps,
			[]string{first + repeated, second + ", up to 2s after first in the same thread"}},
		{"type: temporal_ordered, steps: [second, first], group_by: [object.id, hostProcessId]", steps,
			[]string{second + repeated, first + ", up to 2s after second in the same process"}},
		{"type: temporal_ordered, steps: [first, second], group_by: [hostProcessId, hostThreadId], until: third", steps + "third if input.command == \"IPC_SET\"",
			[]string{first + repeated, second + ", up to 2s after first in the same thread", "msgctl: IPC_SET, up to 2s after first in the same thread"}},
		{"type: temporal_ordered, steps: [first, second], group_by: [hostThreadId], until: third", steps + "third if input.processName == \"y\"",
			[]string{first + repeated, "msgctl: any, up to 2s after first in the same thread"}},
		{"type: temporal_ordered, steps: [third, second], group_by: [hostThreadId]", steps + "third if input.processName == \"y\"",
			[]string{"msgctl: any" + repeated, second + ", up to 2s after third in the same thread"}},
		{"type: temporal_ordered, steps: [first, second], group_by: [object.id]", steps, []string{first, second}},
		{"type: temporal_ordered, steps: [first, second]", steps, []string{first, second}},
		{"type: temporal, steps: [first, second], group_by: [hostThreadId]", steps, []string{first, second}},
	} {
		set, err := Load(tree("a.rego", "# METADATA\n# title: A title\n# custom:\n#   id: A\n#   severity: low\n#   events: [msgctl]\n"+
			"#   correlation: {"+c.correlation+", timespan: 2s}\npackage a\n"+c.rules))
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Signatures()[0].(pushdown.Source).Wanted().Words(); !slices.Equal(got, c.want) {
			t.Errorf("%s\nis  %q\nnot %q", c.correlation, got, c.want)
		}
	}
}

// TestWantedOfStepsOnIPC has steps that are calls of ipc(2) itself, which the kernel
// sends without a look at them.
func TestWantedOfStepsOnIPC(t *testing.T) {
	set, err := Load(tree("a.rego", "# METADATA\n# title: A title\n# custom:\n#   id: A\n#   severity: low\n#   events: [ipc, msgctl]\n"+
		"#   correlation: {type: temporal_ordered, steps: [first, second], group_by: [hostThreadId], timespan: 2s}\npackage a\n"+
		"first if input.userId == 1\nsecond if input.userId == 2"))
	if err != nil {
		t.Fatal(err)
	}
	got := set.Signatures()[0].(pushdown.Source).Wanted().Words()
	want := []string{"msgctl: userId = 1, in a flood one for 20ms of the same", "msgctl: userId = 2, up to 2s after first in the same thread", "ipc: any"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
