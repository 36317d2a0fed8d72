package e2e

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// outcome is what programs/races.c says of an act.
type outcome struct {
	ended   `json:"-"`
	Mutated bool
	Skipped string

	TID              uint32   // the thread that slept in the call
	Receiver, Sender uint32   // the threads, or the process, with the same buffer
	Segment          int32    // where the memory lay
	Pointers         []string // behind ptr, as given and later
	Given, Later     struct {
		Mtype int64
		Text  string
	}
}

// race runs one act of programs/races.c.
func race(t *testing.T, path string, args ...string) outcome {
	t.Helper()
	p := runProgram(t, path, args...)
	o := decode[outcome](t, p.stdout)
	o.ended = p
	return o
}

// racing says what finds an act: one signature of each list. inKernel is another
// that does where the kernel's own copy is watched.
var racing = map[string]struct {
	ids      [][]string
	flipping bool // two threads have to run at the same time
	inKernel string
}{
	"change-message":     {ids: [][]string{{"IPCW-007"}}},
	"change-operations":  {ids: [][]string{{"IPCW-007"}}},
	"change-timeout":     {ids: [][]string{{"IPCW-007"}}},
	"change-tail":        {ids: [][]string{{"IPCW-007"}}},
	"change-indirect":    {ids: [][]string{{"IPCW-007"}}},
	"change-settings":    {ids: [][]string{{"IPCW-007", "IPCW-008"}}, flipping: true},
	"flip-values":        {ids: [][]string{{"IPCW-007", "IPCW-008"}}, flipping: true},
	"race-message":       {ids: [][]string{{"IPCW-007", "IPCW-008"}}, flipping: true},
	"race-operations":    {ids: [][]string{{"IPCW-007", "IPCW-008"}}, flipping: true},
	"same-buffer":        {ids: [][]string{{"IPCW-009"}}},
	"same-buffer-clone":  {ids: [][]string{{"IPCW-009"}}},
	"stalled-message":    {ids: [][]string{{"IPCW-010"}, {"IPCW-012"}}},
	"phantom-operations": {ids: [][]string{{"IPCW-010"}, {"IPCW-012"}}, inKernel: "IPCW-008"},
	"segment-message":    {ids: [][]string{{"IPCW-011"}, {"IPCW-007"}}},
	"segment-operations": {ids: [][]string{{"IPCW-011"}, {"IPCW-007"}}},
}

// detected tells whether every list of ids has one that gave an alert.
func detected(alerts []alert, ids [][]string) bool {
	for _, anyOf := range ids {
		if !slices.ContainsFunc(alerts, func(a alert) bool { return slices.Contains(anyOf, a.Signature.ID) }) {
			return false
		}
	}
	return true
}

// memories is what the events of alerts say of user memory.
func memories(alerts []alert) string {
	text := []string{}
	for _, a := range alerts {
		if a.Event != nil {
			text = append(text, dump(a.Event.Memory))
		}
	}
	return strings.Join(text, "\n")
}

// gapInterval is how often ipcwarden looks for calls that it has missed.
const gapInterval = time.Second

// indirect is the act that takes ipc(2).
const indirect = "change-indirect"

// TestRaces changes the memory of calls that are under way, in every way there is,
// again and again, and through every system call table. The built-in signatures have
// to find it wherever it happened, by what the program itself knows of it, and must
// find nothing in the benign twins.
func TestRaces(t *testing.T) {
	requireBPF(t)
	w := start(t, "run", "--output", "json", "--signatures", signatures(t, map[string]string{"end.rego": endSignature}))
	for i, v := range raceVariants() {
		rounds := 10
		if i == 0 && !testing.Short() {
			rounds = 100
		}
		t.Run(v.name, func(t *testing.T) {
			requireVariant(t, v)
			testRaces(t, w, v, rounds)
		})
	}
}

func testRaces(t *testing.T, w *warden, v variant, rounds int) {
	path := v.races().build(t)
	acts := strings.Fields(string(runProgram(t, path).stdout))
	for act := range racing {
		if slices.Contains(acts, act) != (act != indirect || v.multiplex) {
			t.Errorf("the program has the acts %v, the test %s", acts, act)
		}
	}
	for _, act := range acts {
		t.Run(act, func(t *testing.T) {
			for range max(rounds/10, 3) {
				testBenignTwin(t, w, path, act)
			}
			if racing[act].flipping && runtime.NumCPU() < 2 {
				t.Skip("on one CPU nothing changes while the kernel reads it")
			}
			testRace(t, w, path, act, rounds)
		})
	}
}

func testBenignTwin(t *testing.T, w *warden, path, act string) {
	t.Helper()
	twin := race(t, path, "--benign", act)
	if got := w.alertsUntil(twin.pid); len(got) != 0 {
		t.Errorf("the benign twin gave alerts %s, want none", describe(got))
	}
	if twin.Mutated || twin.Skipped != "" {
		t.Errorf("the benign twin is none: %s", twin.stdout)
	}
}

func testRace(t *testing.T, w *warden, path, act string, rounds int) {
	t.Helper()
	ids := racing[act].ids
	if id := racing[act].inKernel; id != "" && watchesKernel(t) {
		ids = append(slices.Clip(ids), []string{id})
	}
	mutated, found := 0, 0
	missedBefore := w.missed
	missed := ""
	for range rounds {
		o := race(t, path, act)
		got := w.alertsUntil(o.pid)
		if o.Skipped != "" {
			t.Skipf("cannot be done on this machine: %s", o.Skipped)
		}
		switch {
		case !o.Mutated:
		case detected(got, ids):
			mutated++
			found++
		default:
			mutated++
			missed = fmt.Sprintf("%salerts %s\n%s\nstderr: %s", o.stdout, describe(got), memories(got), tail(w.stderr.text(), 2000))
		}
	}
	t.Logf("the memory changed in %d of %d rounds, and %d of them were found", mutated, rounds, found)
	if mutated == 0 {
		t.Error("the memory changed in no round")
	}
	if found < mutated {
		time.Sleep(2 * gapInterval) // then all that was missed is reported
		testBenignTwin(t, w, path, act)
		unseen := w.missed - missedBefore
		t.Logf("%d calls were missed, as ipcwarden says itself", unseen)
		mutated -= min(mutated-found, int(unseen))
	}
	if found*100 < mutated*99 {
		t.Errorf("found %d of %d, want one of each of %v in 99 %%; the last one missed:\n%s", found, mutated, ids, missed)
	}
}
