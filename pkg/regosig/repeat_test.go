package regosig

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// counting is a signature that counts what rules match.
func counting(events, name, correlation, rules string) string {
	text := signatureFor(events, name, rules)
	return strings.Replace(text, "#   severity", "#   correlation: {"+correlation+"}\n#   severity", 1)
}

const manyOfProcess = "type: event_count, group_by: [hostProcessId], timespan: 1s, condition: {gte: 5}"

// TestRepeat tells of which signatures the kernel may count what repeats, and by which
// fields.
func TestRepeat(t *testing.T) {
	fields := func(list ...pushdown.Field) (set uint32) {
		for _, f := range list {
			set |= 1 << f
		}
		return set
	}
	memory := func() *pushdown.Repeat {
		r := new(pushdown.Repeat)
		r.AddMemory()
		return r
	}
	for _, c := range []struct {
		events, correlation, rules string
		want                       *pushdown.Repeat // but for the span
	}{
		{"msgsnd", manyOfProcess, `match if input.error == "EAGAIN"`, &pushdown.Repeat{Fields: fields(pushdown.Return)}},
		{"msgsnd", manyOfProcess, `match if { input.processName == "x"; startswith(input.executable.path, "/tmp") }`, &pushdown.Repeat{}},
		{"msgsnd", manyOfProcess, `match if { "IPC_NOWAIT" in input.flags; input.arg.msgsz == 8 }`, &pushdown.Repeat{Fields: fields(pushdown.Arg2, pushdown.Arg3)}},
		{"semop", manyOfProcess, `match if "SEM_UNDO" in input.flags`,
			&pushdown.Repeat{Fields: fields(pushdown.Facts), Facts: pushdown.Undoes | pushdown.NoWait}},
		{"msgctl", manyOfProcess, `match if input.command == "IPC_STAT"`, &pushdown.Repeat{Fields: fields(pushdown.Arg1)}},
		{"msgsnd", strings.Replace(manyOfProcess, "hostProcessId", "hostThreadId, object.id", 1), `match if true`,
			&pushdown.Repeat{Fields: fields(pushdown.ObjectID, pushdown.Facts), Facts: pushdown.HasObject}},
		{"msgsnd", strings.Replace(manyOfProcess, "event_count", "value_count, field: arg.msgsz", 1), `match if input.userId == 5`,
			&pushdown.Repeat{Fields: fields(pushdown.Arg2)}},
		{"msgsnd", manyOfProcess, "import data.lib\nmatch if lib.small(input.arg.msgsz)", &pushdown.Repeat{Fields: fields(pushdown.Arg2, pushdown.ObjectKey, pushdown.Facts), Facts: pushdown.HasObject}},
		{"msgsnd", manyOfProcess, "match if input.userId == 5\nevidence[\"memory\"] := input.memory", &pushdown.Repeat{}},

		{"msgsnd", "type: temporal_ordered, steps: [first, second], group_by: [hostThreadId], timespan: 1s",
			"first if { input.error == \"EAGAIN\"; input.arg.msgsz > 5 }\nsecond if input.timestamp > 5", &pushdown.Repeat{Fields: fields(pushdown.Return, pushdown.Arg2)}},
		{"msgsnd", manyOfProcess, "default match := false\nmatch if input.userId == 5\nelse := true if input.error == \"EAGAIN\"", &pushdown.Repeat{Fields: fields(pushdown.Return)}},
		{"msgsnd", manyOfProcess, `match if input.memory[_].changed`, memory()},
		{"msgsnd", manyOfProcess, `match if input.timestamp > 5`, nil},
		{"msgsnd", manyOfProcess, `match if { x := input; x.userId == 5 }`, nil},
		{"msgsnd", manyOfProcess, `match if { some name in ["userId"]; input[name] == 5 }`, nil},
		{"msgsnd", manyOfProcess, `match if { some name in ["msgsz"]; input.arg[name] == 5 }`, nil},
		{"msgsnd", manyOfProcess, `match if input.object`, nil},
		{"msgsnd", manyOfProcess, "import data.lib\nmatch if lib.changed", nil},
		{"msgsnd", strings.Replace(manyOfProcess, "hostProcessId", "timestamp", 1), `match if true`, nil},
		{"msgsnd", strings.Replace(manyOfProcess, "gte", "lte", 1), `match if input.error == "EAGAIN"`, nil},
		{"ipc", manyOfProcess, `match if input.error == "EAGAIN"`, nil},
	} {
		set, err := Load(tree("a.rego", counting(c.events, "a", c.correlation, c.rules),
			"lib.rego", "package lib\nsmall(n) if { n < 8; input.object.key == 0 }\nchanged if input.overlaps[_].writes\n"))
		if err != nil {
			t.Fatalf("%s: %v", c.rules, err)
		}
		list := set.Signatures()[0].(pushdown.Source).Wanted().Clauses
		if len(list) == 0 {
			t.Fatalf("%s: nothing wanted", c.rules)
		}
		got := list[0].Repeat
		if c.want != nil {
			c.want.Span = set.Signatures()[0].Metadata().Correlation.RepeatSpan()
		}
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s\nby %+v, want %+v", c.rules, got, c.want)
		}
	}
}

// alike makes an event that a signature cannot tell from e, as far as the BPF programs
// know, with all else as in other.
func alike(e, other *event.Event, r *pushdown.Repeat) *event.Event {
	var same event.Event
	e.CopyTo(&same)
	unread := func(f pushdown.Field) bool { return r.Fields>>f&1 == 0 }
	for i := range same.Args {
		if unread(pushdown.Field(i)) {
			same.Args[i] = other.Args[i]
		}
	}
	o := other.Object
	for _, c := range []struct {
		field pushdown.Field
		take  func()
	}{
		{pushdown.Return, func() { same.Return, same.RawReturn = other.Return, other.RawReturn }},
		{pushdown.Duration, func() { same.DurationNS = other.DurationNS }},
		{pushdown.Sleeps, func() { same.Sleeps = other.Sleeps }},
		{pushdown.ObjectID, func() { same.Object.ID = o.ID }},
		{pushdown.ObjectKey, func() { same.Object.Key = o.Key }},
		{pushdown.ObjectMode, func() { same.Object.Mode = o.Mode }},
		{pushdown.OwnerUID, func() { same.Object.OwnerUID = o.OwnerUID }},
		{pushdown.OwnerGID, func() { same.Object.OwnerGID = o.OwnerGID }},
		{pushdown.CreatorUID, func() { same.Object.CreatorUID = o.CreatorUID }},
		{pushdown.CreatorGID, func() { same.Object.CreatorGID = o.CreatorGID }},
		{pushdown.Size0, func() {
			same.Object.QueueBytes, same.Object.Semaphores, same.Object.SegmentBytes = o.QueueBytes, o.Semaphores, o.SegmentBytes
		}},
		{pushdown.Size1, func() { same.Object.CurrentBytes, same.Object.Attached = o.CurrentBytes, o.Attached }},
		{pushdown.Size2, func() { same.Object.Messages = o.Messages }},
		{pushdown.PID0, func() { same.Object.LastSendPID, same.Object.CreatorPID = o.LastSendPID, o.CreatorPID }},
		{pushdown.PID1, func() { same.Object.LastReceivePID, same.Object.LastPID = o.LastReceivePID, o.LastPID }},
	} {
		if unread(c.field) {
			c.take()
		}
	}
	if r.Facts&pushdown.Created == 0 {
		same.Object.Created = o.Created
	}
	if r.Facts&pushdown.HasObject == 0 {
		same.Object.Kind = o.Kind
	}
	if r.Facts&(pushdown.Undoes|pushdown.NoWait) == 0 && !r.ReadsMemory() {
		same.Memory = other.Memory
	}
	same.Overlaps, same.OverlapsOmitted = other.Overlaps, other.OverlapsOmitted
	same.TimeNS, same.CPU = other.TimeNS, other.CPU
	if unread(pushdown.Stalled) && unread(pushdown.StalledSleeps) {
		same.BootNS, same.CopiedNS, same.CopiedSleeps = other.BootNS, other.CopiedNS, other.CopiedSleeps
	}
	return &same
}

// TestRepeatsAreAlike changes of random events what random signatures do not read, by
// what they say: they must answer the same, and put both into one group.
func TestRepeatsAreAlike(t *testing.T) {
	g := rand.New(rand.NewPCG(7, 2))
	var files []string
	for i := range 300 {
		name := fmt.Sprintf("random_%d", i)
		text := randomSignature(g, name)
		files = append(files, name+".rego", strings.Replace(text, "#   severity", "#   correlation: {"+manyOfProcess+"}\n#   severity", 1))
	}
	set, err := Load(Builtin(), tree(files...))
	if err != nil {
		t.Fatal(err)
	}
	matches := func(s detect.Signature, e *event.Event) bool {
		var in detect.Input
		in.Reset(e)
		found, err := s.Match(t.Context(), &in, nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(found) > 0
	}
	repeats := map[detect.Signature][event.Count]*pushdown.Repeat{}
	for _, s := range set.Signatures() {
		var list [event.Count]*pushdown.Repeat
		for _, c := range s.(pushdown.Source).Wanted().Clauses {
			for _, row := range event.Rows() {
				if c.Events.Has(row.ID) {
					list[row.ID] = c.Repeat
				}
			}
		}
		repeats[s] = list
	}
	compared, matched := 0, 0
	for seed := range uint64(400) {
		e := known(randomEvent(seed))
		other := e
		for other == e || other.ID != e.ID {
			other = known(randomEvent(1_000_000 + g.Uint64N(1_000_000)))
		}
		for _, s := range set.Signatures() {
			repeat := repeats[s][e.ID]
			if repeat == nil {
				continue
			}
			same := alike(e, other, repeat)
			compared++
			is := matches(s, e)
			if is {
				matched++
			}
			if is != matches(s, same) {
				t.Fatalf("seed %d: %s matches one of two events that are alike by %+v:\n%+v\n%+v", seed, s.Metadata().ID, repeat, e, same)
			}
		}
	}
	t.Logf("%d verdicts compared, %d of them matches", compared, matched)
	if compared < 10_000 || matched < 1_000 {
		t.Error("too few: nothing was compared")
	}
}
