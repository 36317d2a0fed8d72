package e2e

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// twins are two ipcwarden that watch the same calls with the same signatures: the
// kernel leaves out for the first what no signature can match.
type twins struct {
	wardens   [2]*warden
	different []string // what only one of them found
}

func startTwins(t *testing.T, args ...string) *twins {
	t.Helper()
	args = append([]string{"run", "--output", "json"}, args...)
	w := [...]*warden{launch(t, nil, args...), launch(t, nil, append(args, "--no-pushdown")...)}
	for i := range w {
		if _, ok := w[i].stderr.await(limit, isMessage("watching")); !ok {
			t.Fatalf("not watching after %s\nstderr: %s", limit, w[i].stderr.text())
		}
	}
	return &twins{wardens: w}
}

// compare compares the alerts that both gave for a process, and returns how many.
func (w *twins) compare(t *testing.T, pid uint32) int {
	t.Helper()
	var keys [2][]string
	for i := range w.wardens {
		for _, a := range w.wardens[i].alertsUntil(pid) {
			key := a.Type + " " + a.Signature.ID
			if a.Event != nil {
				key += fmt.Sprintf(" %s %d %s = %s via %s", a.Event.EventName, a.Event.HostThreadID, dump(a.Event.Args), a.Event.ReturnValue, a.Event.Via)
			}
			keys[i] = append(keys[i], key)
		}
		slices.Sort(keys[i]) // threads end in any order
	}
	if !slices.Equal(keys[0], keys[1]) {
		w.different = append(w.different, fmt.Sprintf("alerts\n\t%s\nand without the filter in the kernel\n\t%s",
			strings.Join(keys[0], "\n\t"), strings.Join(keys[1], "\n\t")))
	}
	return len(keys[1])
}

// stop wants both to have given the same alerts, but for calls that one of them says it
// has missed, and the filter in the kernel to have had something to do.
func (w *twins) stop(t *testing.T) {
	t.Helper()
	with, without := w.wardens[0].stop(), w.wardens[1].stop()
	t.Logf("with %+v\nwithout %+v", with, without)
	missed := with.Dropped["entry_missed"] + with.Dropped["return_missed"] + without.Dropped["entry_missed"] + without.Dropped["return_missed"]
	if missed != with.dropped()+without.dropped() || uint64(len(w.different)) > missed {
		t.Errorf("%d processes gave different alerts, and %d calls were missed:\n%s", len(w.different), missed, strings.Join(w.different, "\n"))
	}
	if with.Unmatched == 0 || with.Emitted >= without.Emitted {
		t.Errorf("nothing was left out: %+v", with)
	}
	if without.Unmatched != 0 {
		t.Errorf("calls were left out in spite of --no-pushdown: %+v", without)
	}
}

// TestPushdownSameAlerts wants the same alerts of the built-in signatures with and
// without the filter in the kernel, for all that the test programs can do. Where two
// threads race, each of the twins sees another moment: TestRaces is about those.
func TestPushdownSameAlerts(t *testing.T) {
	anyHook(t)
	requireBPF(t)
	requireEveryCall(t)
	w := startTwins(t, "--signatures", signatures(t, map[string]string{"end.rego": endSignature}))
	alerts, rounds := 0, 3
	if testing.Short() {
		rounds = 1
	}
	path := suspicious.build(t)
	for _, act := range strings.Fields(string(runProgram(t, path).stdout)) {
		alerts += w.compare(t, runProgram(t, path, act).pid)
		w.compare(t, runProgram(t, path, "--benign", act).pid)
	}
	for _, v := range raceVariants() {
		t.Run(v.name, func(t *testing.T) {
			requireVariant(t, v)
			path := v.races().build(t)
			for _, act := range strings.Fields(string(runProgram(t, path).stdout)) {
				if racing[act].flipping {
					continue
				}
				for range rounds {
					alerts += w.compare(t, runProgram(t, path, act).pid)
					w.compare(t, runProgram(t, path, "--benign", act).pid)
				}
			}
			w.compare(t, runProgram(t, v.calls().build(t), "--private").pid)
		})
	}
	if alerts < 20 {
		t.Errorf("only %d alerts were compared", alerts)
	}
	w.stop(t)
}

// conditions are what signatures can ask, of each of which the kernel decides a part.
var conditions = map[string][]string{
	"arguments": {
		`"MSG_COPY" in input.flags`, `"IPC_EXCL" in input.flags`, `not "IPC_NOWAIT" in input.flags; input.eventName == "msgsnd"`,
		`input.command == "IPC_SET"`, `input.command in {"GETALL", "SHM_LOCK", "MSG_STAT"}`, `input.arg.semnum == 1`, `input.arg.size > 4096`,
		`input.arg.shmaddr == "0x0"; input.arg.shmid < 0`, `bits.and(input.arg.shmflg, 2) != 0`, `input.arg.msgtyp < 0`, `input.arg.nsops >= 2`,
	},
	"outcome": {
		`input.error in {"ENOENT", "EIDRM"}`, `input.error == "EINVAL"; input.eventName != "semctl"`, `input.error == "EFAULT"`, `input.returnValue > 100000; input.eventName == "shmat"`,
		`input.returnValue == 1`, `not input.error; input.eventName == "shmdt"`, `input.sleeps >= 1`,
	},
	"origin": {
		`input.via == "ipc"; input.command`, `input.contextFlags.isCompat; input.error`, `input.userId == 65534`, `input.effectiveUserId != 0`,
		`not input.contextFlags.isCompat; input.eventName == "shmdt"`, `input.via != "ipc"; input.userId == 0; input.eventName == "semget"`,
	},
	"object": {
		`input.object.created`, `input.object.nsems > 2`, `input.object.segsz >= 8192; not input.error`, `input.object.mode == 438`,
		`not input.object; input.eventName in {"msgctl", "semctl"}`, `input.object.qnum > 0`, `input.object.ownerUid != input.effectiveUserId`,
	},
	"memory": {
		`input.memory[_].changed`, `input.memory[_].mappings[_].shared`, `input.memory[_].mappings[_].segment >= 0`, `input.overlaps`,
		`input.memory[_].mappings[_].userfaultfd`, `input.memory[_].atEntry.sops[_].sem_num >= input.object.nsems`, `input.stalledSleeps >= 1`,
	},
}

// TestPushdownConditions holds what the kernel decides of each kind of condition to
// what the signatures decide.
func TestPushdownConditions(t *testing.T) {
	requireBPF(t)
	requireEveryCall(t)
	for about, list := range conditions {
		t.Run(about, func(t *testing.T) {
			if about == "object" || about == "outcome" { // the same for every ABI
				emulated(t)
			}
			anyHook(t)
			files := map[string]string{"end.rego": endSignature}
			for i, condition := range list {
				files[fmt.Sprintf("c%d.rego", i)] = fmt.Sprintf("# METADATA\n# title: %s\n# description: A condition.\n# custom:\n#   id: E2E-C%d\n"+
					"#   severity: info\n#   events: [%s]\npackage e2e.c%d\n\nmatch if { %s }\n", about, i, strings.TrimPrefix(everyEvent, "ipc,"), i, condition)
			}
			w := startTwins(t, "--no-builtin", "--signatures", signatures(t, files))
			alerts := 0
			for _, v := range variants {
				t.Run(v.name, func(t *testing.T) {
					requireVariant(t, v)
					alerts += w.compare(t, runProgram(t, v.calls().build(t), "--private").pid)
				})
			}
			for _, path := range []program{suspicious, variants[0].races()} {
				if testing.Short() && about != "memory" {
					continue
				}
				for _, act := range strings.Fields(string(runProgram(t, path.build(t)).stdout)) {
					if !racing[act].flipping {
						alerts += w.compare(t, runProgram(t, path.build(t), act).pid)
					}
				}
			}
			if alerts == 0 {
				t.Error("no alerts were compared")
			}
			t.Logf("%d alerts", alerts)
			w.stop(t)
		})
	}
}

// nobodySignature wants the messages of a user that nobody is.
const nobodySignature = `# METADATA
# title: Message of nobody
# description: A user that nobody is sends or receives a message.
# custom:
#   id: E2E-NOBODY
#   severity: info
#   events: [msgsnd, msgrcv]
package e2e.nobody

match if input.userId == 123456789
`

// TestPushdownOfFlood makes many calls that nothing can match, and meanwhile some that
// are alerted. The flood may cost no event, whether it is rejected when a call begins
// or when it ends.
func TestPushdownOfFlood(t *testing.T) {
	anyHook(t)
	requireBPF(t)
	requireEveryCall(t)
	rounds := 20_000
	if testing.Short() {
		rounds = 2000
	}
	path, bad := count.build(t), suspicious.build(t)
	for _, c := range []struct {
		name, act string // of program suspicious; "" for its last calls only
		args      []string
		threads   int
	}{
		{"at entry", "", []string{"--no-builtin", "--signatures", signatures(t, map[string]string{"end.rego": endSignature, "nobody.rego": nobodySignature})}, 1},
		{"at exit", "msg-copy-peek", []string{"--signatures", signatures(t, map[string]string{"end.rego": endSignature})}, 1},
		{"at exit, threads", "msg-copy-peek", []string{"--signatures", signatures(t, map[string]string{"end.rego": endSignature})}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, append([]string{"run", "--output", "json"}, c.args...)...)
			flood := exec.Command(path, fmt.Sprint(c.threads), fmt.Sprint(rounds))
			var out strings.Builder
			flood.Stdout = &out
			if err := flood.Start(); err != nil {
				t.Fatal(err)
			}
			acts := uint64(0)
			for range 5 {
				acts++
				act := []string{c.act}
				if c.act == "" {
					act = []string{"--benign", "msg-copy-peek"}
				}
				if got := perform(w, bad, act...); len(got) != min(len(c.act), 1) {
					t.Errorf("alerts %s", describe(got))
				}
			}
			if err := flood.Wait(); err != nil {
				t.Fatal(err)
			}
			calls := decode[counted](t, []byte(out.String())).Calls
			s := w.stop()
			t.Logf("%d calls in vain, %d acts: %+v", calls, acts, s)
			// The acts give one alert and the last calls, and correlations count the queue
			// and its first message. That a call of the flood waits for a page, or for its
			// turn, is no reason for alarm.
			most := acts * (3 + endCalls)
			if s.Emitted < acts || s.Emitted > most+calls/500 {
				t.Errorf("%d events were sent, want about %d", s.Emitted, most)
			}
			if s.Unmatched < calls-2*uint64(c.threads)-calls/500-s.dropped() {
				t.Errorf("%d calls of %d were left out", s.Unmatched, calls)
			}
		})
	}
}

// TestPushdownReload replaces what is wanted while messages flow: those of the flood
// are wanted by the second set only, and all of those that come after it.
func TestPushdownReload(t *testing.T) {
	anyHook(t)
	requireBPF(t)
	requireEveryCall(t)
	dir := signatures(t, map[string]string{"end.rego": endSignature, "load.rego": nobodySignature})
	w := start(t, "run", "--no-builtin", "--signatures", dir)
	path := count.build(t)
	runProgram(t, path, "1", "100")
	writeFile(t, dir+"/load.rego", strings.Replace(nobodySignature, "input.userId == 123456789", `input.processName == "count"`, 1))
	w.hangUp()
	w.awaitReloads(1)
	runProgram(t, path, "1", "100")
	found := 0
	isMessageAlert := func(line []byte) bool {
		if decode[alert](t, line).Signature.ID == "E2E-NOBODY" {
			found++
		}
		return found == 200
	}
	// What waits in the ring would be judged by the third set.
	if _, ok := w.stdout.await(limit, isMessageAlert); !ok {
		t.Errorf("%d alerts, want one for each of the 200 messages sent or received under the second set", found)
	}
	writeFile(t, dir+"/load.rego", nobodySignature)
	w.hangUp()
	w.awaitReloads(2)
	runProgram(t, path, "1", "100")
	s := w.stop()
	found = 0
	for _, line := range w.stdout.rest(t) {
		isMessageAlert(line)
	}
	if found != 200 {
		t.Errorf("%d alerts in all, want 200", found)
	}
	if s.Unmatched < 400 {
		t.Errorf("%d calls were left out, want the 400 messages of before and after: %+v", s.Unmatched, s)
	}
}
