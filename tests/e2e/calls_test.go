package e2e

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
)

// report is what a variant of the calls program said, and what ipcwarden did.
type report struct {
	said    []said
	decoded []document
	raw     []document
	pid     uint32
}

var reports sync.Map // name of a variant -> *report

// watchProgram runs a program under trace to its end.
func watchProgram(t *testing.T, path string) (*warden, ended, summary) {
	t.Helper()
	w := trace(t, "--events", everyEvent, "--snapshot-bytes", fmt.Sprint(snapshotBytes))
	p := runProgram(t, path, "--private")
	w.awaitEnd(p.pid)
	return w, p, w.stop()
}

// watchCalls runs the calls of a variant under trace, once in a test run.
func watchCalls(t *testing.T, v variant) *report {
	t.Helper()
	requireBPF(t)
	requireVariant(t, v)
	if r, ok := reports.Load(v.name); ok {
		return r.(*report)
	}
	path := v.calls().build(t)
	w, p, s := watchProgram(t, path)
	// Where the kernel can preempt a program, or somebody who looks into a BPF map, it runs
	// no program on that CPU meanwhile, and counts that (kernel/bpf/syscall.c:
	// bpf_disable_instrumentation): a rare chance, but on an emulated machine not so rare
	// that it could not come twice.
	for range 4 {
		if missed := s.Dropped["entry_missed"] + s.Dropped["return_missed"]; missed == 0 || missed != s.dropped() {
			break
		}
		t.Logf("once more, for the kernel did not run the programs for all calls: %v", s.Dropped)
		w, p, s = watchProgram(t, path)
	}
	if s.dropped() != 0 {
		t.Errorf("calls were dropped from a quiet host: %v", s.Dropped)
	}
	r := &report{said: parseSaid(t, p.stdout), pid: p.pid}
	w.keepStream(v.name, p.pid)
	r.decoded, r.raw = split(ofProcess(w.documents(), p.pid))
	reports.Store(v.name, r)
	return r
}

func TestCalls(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			r := watchCalls(t, v)
			t.Run("decoded", func(t *testing.T) { compareDecoded(t, v, r) })
			t.Run("raw", func(t *testing.T) { compareMultiplexed(t, r) })
			t.Run("process", func(t *testing.T) { compareProcess(t, r) })
		})
	}
}

// compareDecoded compares each call that is one of the twelve.
func compareDecoded(t *testing.T, v variant, r *report) {
	var want []said
	for _, s := range r.said {
		if s.Event != "ipc" {
			want = append(want, s)
		}
	}
	inStep(t, want, r.decoded, func(s said, d document) differences { return compare(v, s, d) })
}

// compareMultiplexed compares the raw ipc events with the calls that went
// through ipc(2), those of operations without a name included.
func compareMultiplexed(t *testing.T, r *report) {
	var want []said
	for _, s := range r.said {
		if s.IPC != nil {
			want = append(want, s)
		}
	}
	inStep(t, want, r.raw, compareRaw)
}

// inStep compares call by call. After a call that is missing, or one too many,
// it stops: all that follows would differ.
func inStep(t *testing.T, want []said, got []document, compare func(said, document) differences) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d events for %d calls", len(got), len(want))
	}
	for i := range min(len(want), len(got)) {
		if d := compare(want[i], got[i]); len(d) > 0 {
			t.Errorf("%s:%s\n\tevent: %s", want[i], list(d), head(dump(got[i]), 1500))
		}
		if want[i].Event != got[i].EventName && got[i].EventName != "ipc" {
			t.Fatal("the events are out of step with the calls from here on")
		}
	}
}

func list(d differences) (text string) {
	for _, line := range d {
		text += "\n\t" + head(line, 600)
	}
	return text
}

func dump(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// compareProcess checks who is reported to have made the calls, and when.
func compareProcess(t *testing.T, r *report) {
	var last int64
	for i, got := range r.decoded {
		var d differences
		d.equal("hostThreadId", got.HostThreadID, r.pid)
		d.equal("processId", got.ProcessID, r.pid)
		d.equal("threadId", got.ThreadID, r.pid)
		d.equal("userId", got.UserID, uint32(0))
		d.equal("effectiveUserId", got.EffectiveUserID, uint32(0))
		if got.Timestamp <= last {
			d.add("timestamp", got.Timestamp, fmt.Sprintf("more than the previous %d", last))
		}
		if got.DurationNS <= 0 {
			d.add("durationNs", got.DurationNS, "more than 0")
		}
		if len(d) > 0 {
			t.Fatalf("event %d (%s):%s", i, got.EventName, list(d))
		}
		last = got.Timestamp
	}
}

// TestVariantsAgree compares the events of the same form in each variant with
// those of amd64: whatever does not depend on the ABI has to be equal.
func TestVariantsAgree(t *testing.T) {
	native := watchCalls(t, variants[0])
	for _, v := range variants[1:] {
		t.Run(v.name, func(t *testing.T) {
			other := watchCalls(t, v)
			want, got := native.byForm(), other.byForm()
			common := 0
			for form, w := range want {
				g, ok := got[form]
				if !ok {
					continue // i386 has no direct semop, for instance
				}
				common++
				var d differences
				d.equal("error", g.errorName(), w.errorName())
				d.equal("command", g.commandName(), w.commandName())
				if !extreme[form.name] {
					d.equal("flags", sorted(g.Flags), sorted(w.Flags))
					d.equal("args", portable(g), portable(w))
				}
				if len(d) > 0 {
					t.Errorf("%q:%s", form.name, list(d))
				}
			}
			if common < 150 {
				t.Errorf("only %d forms in common", common)
			}
		})
	}
}

// extreme names the forms whose arguments are the largest numbers of the ABI.
var extreme = map[string]bool{
	"hostile: size SIZE_MAX": true, "hostile: receive SIZE_MAX": true, "hostile: type LONG_MIN": true,
}

// form names a call: the forms of semop are also those of semtimedop, and some
// are made more than once.
type form struct {
	name, event string
	nth         int
}

func (r *report) byForm() map[form]document {
	forms := map[form]document{}
	i := 0
	for _, s := range r.said {
		if s.Event == "ipc" {
			continue
		}
		if i == len(r.decoded) {
			break
		}
		f := form{name: s.Form, event: s.Event}
		for ; ; f.nth++ {
			if _, taken := forms[f]; !taken {
				break
			}
		}
		forms[f] = r.decoded[i]
		i++
	}
	return forms
}

// portable keeps the arguments that are neither ids nor addresses.
func portable(d document) map[string]any {
	args := map[string]any{}
	for _, arg := range d.Args {
		switch arg.Name {
		case "msqid", "semid", "shmid":
		case "arg":
			if d.commandName() == "SETVAL" {
				args[arg.Name] = fmt.Sprint(uint32(number(arg.Value)))
			}
		default:
			if _, pointer := arg.Value.(string); !pointer {
				args[arg.Name] = arg.Value
			}
		}
	}
	return args
}
