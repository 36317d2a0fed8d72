package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// alert is what the tests read of an alert.
type alert struct {
	Type      string
	Signature struct{ ID string }
	Event     *document
	Evidence  map[string]any
	Gap       *struct {
		Count      uint64
		Cause      string
		Aggregated *struct {
			SignatureID   string
			HostProcessID uint32
		}
	}

	Correlation *correlation
}

// isMiss tells of an alert that the kernel did not run a program for some calls. That
// happens at fentry, where it does not run one on a CPU on which that is preempted, and,
// rarely, at any hook while a system call looks into a map there.
func (a alert) isMiss() bool {
	return a.Gap != nil && (a.Gap.Cause == "entry_missed" || a.Gap.Cause == "return_missed")
}

// endSignature finds each of the last calls of a program, so that a reader of alerts
// knows that all of them are there.
const endSignature = `# METADATA
# title: Last calls of a test program
# description: The program asks for a queue that cannot exist.
# custom:
#   id: E2E-END
#   severity: info
#   events: [msgctl]
package e2e.end

match if input.arg.msqid == ` + endID + "\n"

// signatures writes a directory with one signature a file.
func signatures(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// alertsUntil returns the alerts since the last look that a process or a child of it
// gave, or one of some others, and those that no process did, up to the first alert for
// its last calls. What says that calls were missed is counted instead.
func (w *warden) alertsUntil(pid uint32, others ...uint32) (alerts []alert) {
	w.t.Helper()
	isEnd := func(a alert) bool {
		return a.Signature.ID == "E2E-END" && a.Event != nil && a.Event.HostProcessID == pid
	}
	isForeign := func(a alert) bool {
		return a.Event != nil && a.Event.HostProcessID != pid && a.Event.HostParentProcID != pid &&
			!slices.Contains(others, a.Event.HostProcessID)
	}
	if _, ok := w.stdout.awaitAfter(w.looked, limit, func(line []byte) bool { return isEnd(decode[alert](w.t, line)) }); !ok {
		w.t.Fatalf("no alert for any of the last calls of process %d within %s\nstdout: %s\nstderr: %s",
			pid, limit, tail(w.stdout.text(), 2000), w.stderr.text())
	}
	for _, line := range w.stdout.soFar()[w.looked:] {
		w.looked++
		switch a := decode[alert](w.t, line); {
		case isEnd(a):
			return alerts
		case a.isMiss():
			w.missed += a.Gap.Count
		case a.Signature.ID != "E2E-END" && !isForeign(a):
			alerts = append(alerts, a)
		}
	}
	return alerts
}

func mustContain(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s has no %q:\n%s", what, part, text)
		}
	}
}

// TestBuiltinSignatures does what each built-in signature finds, and its benign
// twin, which it must not find.
func TestBuiltinSignatures(t *testing.T) {
	requireBPF(t)
	path := suspicious.build(t)
	ids := map[string]string{
		"msg-copy-peek":          "IPCW-001",
		"world-writable-queue":   "IPCW-002",
		"world-writable-set":     "IPCW-002",
		"world-writable-segment": "IPCW-002",
		"executable-attach":      "IPCW-003",
		"low-attach":             "IPCW-004",
		"remap-attach":           "IPCW-049",
		"open-foreign-object":    "IPCW-005",
		"attach-foreign-object":  "IPCW-005",
		"foreign-removal":        "IPCW-006",
		"foreign-change":         "IPCW-006",
		"impossible-operations":  "IPCW-030",
	}
	for _, found := range testActs(t, path, ids, func(alerts []alert) []alert { return alerts }) {
		if len(found.Evidence) == 0 {
			t.Errorf("alert without evidence: %s", dump(found))
		}
	}
}

// testActs has a program do everything that it can, and its benign twins: each act has
// to give one alert of the signature that ids names, among those that are about it, and
// its twin none. It returns these alerts.
func testActs(t *testing.T, path string, ids map[string]string, about func([]alert) []alert) (found []alert) {
	t.Helper()
	acts := strings.Fields(string(runProgram(t, path).stdout))
	if len(acts) != len(ids) {
		t.Errorf("the program has %d acts, the test %d", len(acts), len(ids))
	}
	w := start(t, "run", "--output", "json", "--signatures", signatures(t, map[string]string{"end.rego": endSignature}))
	for _, act := range acts {
		t.Run(act, func(t *testing.T) {
			want := ids[act]
			all := perform(w, path, act)
			got := about(slices.Clone(all))
			if found = append(found, got...); len(got) != 1 || got[0].Signature.ID != want {
				t.Errorf("alerts %s, want one of %s about it", describe(all), want)
			}
			if got := about(perform(w, path, "--benign", act)); len(got) != 0 {
				t.Errorf("the benign twin gave alerts %s, want none", describe(got))
			}
		})
	}
	return found
}

// perform runs one act and returns the alerts that it gave.
func perform(w *warden, path string, args ...string) []alert {
	w.t.Helper()
	return w.alertsUntil(runProgram(w.t, path, args...).pid)
}

func describe(alerts []alert) string {
	text := []string{}
	for _, a := range alerts {
		call := "no event"
		if a.Event != nil {
			call = fmt.Sprintf("%s %s = %s", a.Event.EventName, dump(a.Event.Args), a.Event.ReturnValue)
		}
		text = append(text, fmt.Sprintf("\n\t%s %s: %s", a.Type, a.Signature.ID, call))
	}
	return fmt.Sprintf("%d%s", len(alerts), strings.Join(text, ""))
}

// sendSignature is written for msgsnd, and knows nothing of ipc(2).
const sendSignature = `# METADATA
# title: Greeting
# description: A message with a greeting was sent.
# custom:
#   id: E2E-001
#   severity: low
#   events: [msgsnd]
package e2e.greeting

match if {
	input.eventName == "msgsnd"
	input.memory[_].atEntry.text == "hello, queue"
	not input.error
}

evidence["via"] := input.via
`

// TestIPCFiresDirectSignature wants a signature on msgsnd to find the message no
// matter by which way it was sent.
func TestIPCFiresDirectSignature(t *testing.T) {
	requireBPF(t)
	dir := signatures(t, map[string]string{"end.rego": endSignature, "greeting.rego": sendSignature})
	w := start(t, "run", "--output", "json", "--no-builtin", "--signatures", dir)
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			requireVariant(t, v)
			got := w.alertsUntil(runProgram(t, v.calls().build(t), "--private").pid)
			if len(got) != 1 || got[0].Signature.ID != "E2E-001" {
				t.Fatalf("alerts %s, want one of E2E-001", describe(got))
			}
			via := "syscall"
			if v.multiplex {
				via = "ipc"
			}
			if got[0].Evidence["via"] != via || got[0].Event.Via != via {
				t.Errorf("came via %v (evidence) and %v (event), want %v", got[0].Evidence["via"], got[0].Event.Via, via)
			}
		})
	}
}

// TestBrokenSignature wants start-up to fail where one signature has a mistake:
// nothing is watched by half.
func TestBrokenSignature(t *testing.T) {
	requireBPF(t)
	good := endSignature
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"syntax error":     {strings.Replace(good, "match if ", "match if if ", 1), 10},
		"misspelt field":   {strings.Replace(good, "input.arg.msqid", "input.argument.msqid", 1), 10},
		"unknown function": {good + "\nevidence[\"x\"] := nonsense(1)\n", 12},
		"network access":   {good + "\nevidence[\"x\"] := http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1/\"})\n", 12},
		"unknown event":    {strings.Replace(good, "[msgctl]", "[msgctrl]", 1), 0},
		"no id":            {strings.Replace(good, "#   id: E2E-END\n", "", 1), 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := signatures(t, map[string]string{"good.rego": sendSignature, "broken.rego": c.text})
			w := launch(t, nil, "run", "--no-builtin", "--signatures", dir)
			if code := w.exitCode(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if out := w.stdout.rest(t); len(out) != 0 {
				t.Errorf("stdout: %q, want nothing", out)
			}
			where := filepath.Join(dir, "broken.rego") + ":"
			if c.line > 0 {
				where += fmt.Sprint(c.line) + ":"
			}
			w.stderr.rest(t)
			mustContain(t, "stderr", w.stderr.text(), where)
			if strings.Contains(w.stderr.text(), `"watching"`) {
				t.Errorf("it watched with a broken signature:\n%s", w.stderr.text())
			}
		})
	}
}
