package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// correlation is what the tests read of an alert that rests on many events.
type correlation struct {
	Type     string
	Group    map[string]any
	Count    int
	From, To time.Time
	First    *document
	Samples  []document
	Steps    []struct {
		Name  string
		Event *document
	}
}

// correlated are those of some alerts that rest on many events.
func correlated(alerts []alert) []alert {
	return slices.DeleteFunc(alerts, func(a alert) bool { return a.Correlation == nil })
}

// TestBuiltinCorrelations does with many calls what each built-in signature about
// many finds, and its benign twin.
func TestBuiltinCorrelations(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	anyHook(t)
	ids := map[string]string{
		"acted-without-lock": "IPCW-013",
		"nowait-spin":        "IPCW-014",
		"message-spray":      "IPCW-015",
		"spray-peek":         "IPCW-016",
		"object-enumeration": "IPCW-017",
		"mass-removal":       "IPCW-018",
	}
	testActs(t, many.build(t), ids, correlated)
}

// countSignature counts messages by process, over any queues.
const countSignature = `# METADATA
# title: Many messages
# description: A process has sent many messages within some seconds.
# custom:
#   id: E2E-COUNT
#   severity: medium
#   events: [msgsnd]
#   correlation:
#     type: event_count
#     group_by: [hostProcessId]
#     timespan: 10s
#     condition: {gte: 100}
package e2e.count

match if not input.error

evidence["size"] := input.arg.msgsz
`

// orderSignature is about a thread that sends although a lock was refused.
const orderSignature = `# METADATA
# title: Lock refused, segment attached
# description: A thread attaches a segment after a semaphore was refused.
# custom:
#   id: E2E-ORDER
#   severity: medium
#   events: [semop, semtimedop, shmat]
#   correlation:
#     type: temporal_ordered
#     group_by: [hostThreadId]
#     timespan: 10s
#     steps: [refused, attached]
package e2e.order

refused if {
	input.error == "EAGAIN"
	"IPC_NOWAIT" in input.flags
}

attached if {
	input.eventName == "shmat"
	not input.error
}
`

// TestCorrelation wants one alert that says how many calls it rests on, and which.
func TestCorrelation(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	anyHook(t)
	dir := signatures(t, map[string]string{"end.rego": endSignature, "count.rego": countSignature, "order.rego": orderSignature})
	w := start(t, "run", "--output", "json", "--no-builtin", "--signatures", dir)
	path := many.build(t)

	sent := runProgram(t, path, "message-spray") // 128 messages
	got := w.alertsUntil(sent.pid)
	if len(got) != 1 || got[0].Signature.ID != "E2E-COUNT" || got[0].Correlation == nil {
		t.Fatalf("alerts %s, want one of E2E-COUNT", describe(got))
	}
	c := got[0].Correlation
	if c.Type != "event_count" || c.Count != 100 || len(c.Group) != 1 || c.Group["hostProcessId"] != json.Number(fmt.Sprint(sent.pid)) {
		t.Errorf("correlation %s", dump(c))
	}
	if c.First == nil || len(c.Samples) != 5 || got[0].Event == nil || got[0].Evidence["size"] != json.Number("1024") {
		t.Errorf("events and evidence: %s", dump(got[0]))
	}
	for _, d := range append(slices.Clone(c.Samples), *c.First, *got[0].Event) {
		if d.EventName != "msgsnd" || d.HostProcessID != sent.pid {
			t.Errorf("shows %s of process %d", d.EventName, d.HostProcessID)
		}
	}
	if d := c.To.Sub(c.From); d <= 0 || d > 10*time.Second {
		t.Errorf("100 messages took %s", d)
	}

	got = w.alertsUntil(runProgram(t, path, "acted-without-lock").pid)
	if len(got) != 1 || got[0].Signature.ID != "E2E-ORDER" || got[0].Correlation == nil {
		t.Fatalf("alerts %s, want one of E2E-ORDER", describe(got))
	}
	c = got[0].Correlation
	if len(c.Steps) != 2 || c.Count != 2 || c.Steps[0].Name != "refused" || c.Steps[1].Name != "attached" {
		t.Fatalf("correlation %s", dump(c))
	}
	if first, second := c.Steps[0].Event, c.Steps[1].Event; first == nil || second == nil ||
		first.Error == nil || *first.Error != "EAGAIN" || second.EventName != "shmat" || got[0].Event.EventName != "shmat" {
		t.Errorf("steps %s", dump(c.Steps))
	}
	if got := correlated(perform(w, path, "nowait-spin")); len(got) != 0 {
		t.Errorf("refused 4000 times, and nothing done: alerts %s", describe(got))
	}
	if w.stop(); !strings.Contains(w.stderr.text(), `"correlated"`) {
		t.Errorf("the log does not say what became of matches:\n%s", w.stderr.text())
	}
}
