package regosig

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// everyEvent selects them in metadata.
var everyEvent = strings.Join(event.All.Names(), ", ")

// signatureFor is a signature for some events, of which rules decides.
func signatureFor(events, name, rules string) string {
	return "# METADATA\n# title: A title\n# custom:\n#   id: " + name + "\n#   severity: low\n#   events: [" + events + "]\npackage " + name + "\n" + rules
}

// wantedOf loads one signature, and returns what it wants.
func wantedOf(t *testing.T, events, rules string) pushdown.Set {
	t.Helper()
	set, err := Load(tree("a.rego", signatureFor(events, "a", rules)))
	if err != nil {
		t.Fatal(err)
	}
	return set.Signatures()[0].(pushdown.Source).Wanted()
}

// TestWanted is the translation from Rego to what the BPF programs decide.
func TestWanted(t *testing.T) {
	for _, c := range []struct {
		events, rules string
		want          []string
	}{
		{"msgrcv", `match if { "MSG_COPY" in input.flags; not "MSG_EXCEPT" in input.flags }`, []string{"msgrcv: not MSG_EXCEPT and MSG_COPY"}},
		{"msgsnd, msgget", `match if "IPC_CREAT" in input.flags`, []string{"msgget: IPC_CREAT"}},
		{"semop, msgget", `match if "SEM_UNDO" in input.flags`, []string{"semop: operation with SEM_UNDO"}},
		{"semop", `match if not "IPC_NOWAIT" in input.flags`, []string{"semop: no operation with IPC_NOWAIT"}},
		{"semop, msgrcv", `match if "MSG_COPY" in input.flags`, []string{"msgrcv: MSG_COPY"}},
		{"msgget, msgsnd", `match if not "IPC_CREAT" in input.flags`, []string{"msgget: not IPC_CREAT", "msgsnd: any"}},
		{"msgctl, semctl, msgsnd", `match if input.command in {"IPC_SET", "GETALL"}`, []string{"msgctl, semctl: IPC_SET", "semctl: GETALL"}},
		{"msgctl", `match if not input.command in {"IPC_SET", "IPC_RMID"}`, []string{"msgctl: not IPC_RMID and not IPC_SET"}},
		{"msgctl", `match if input.arg.cmd == 2`, []string{"msgctl: IPC_STAT"}},
		{"msgctl", `match if input.error == "EPERM"`, []string{"msgctl: error EPERM and not unfinished"}},
		{"msgctl", `match if input.error`, []string{"msgctl: error and not unfinished"}},
		{"msgctl", `match if not input.error`, []string{"msgctl: no error", "msgctl: unfinished"}},
		{"msgctl", `match if { not input.error; not input.unfinished; input.returnValue >= 0; input.returnValue < 9 }`,
			[]string{"msgctl: not unfinished and returnValue from 0 to 8"}},
		{"msgctl", `match if { input.returnValue > 5; input.returnValue < 5 }`, nil},
		{"msgctl", `match if input.userId == 1000`, []string{"msgctl: userId = 1000"}},
		{"msgctl", `match if input.effectiveUserId != 0`, []string{"msgctl: effectiveUserId != 0"}},
		{"msgctl", `match if input.via == "ipc"`, []string{"msgctl: through ipc"}},
		{"msgctl", `match if { input.via != "ipc"; input.userId == 5 }`, []string{"msgctl: userId = 5"}},
		{"msgctl", `match if not input.contextFlags.isCompat`, []string{"msgctl: native caller"}},
		{"msgctl, shmctl", `match if input.eventName == "shmctl"`, []string{"shmctl: any"}},
		{"shmget", `match if { input.object.created; bits.and(input.object.mode, 2) != 0 }`,
			[]string{"shmget: (object.mode & 0x2) != 0 and object found and object created"}},
		{"shmat", `match if bits.and(input.arg.shmflg, 4096) == 4096`, []string{"shmat: SHM_RDONLY"}},
		{"shmat", `match if { n := bits.and(input.arg.shmflg, 28672); n == 4096 }`, []string{"shmat: SHM_RDONLY and not SHM_RND and not SHM_REMAP"}},
		{"shmat", `match if count(input.arg.shmaddr) == 3`, []string{"shmat: shmaddr from 0 to 15"}},
		{"shmget, semget", `match if input.object.segsz > 4096`, []string{"shmget: object.segsz >= 4097 and object found"}},
		{"shmget", `match if input.arg.size > 4096`, []string{"shmget: size >= 4097"}},
		{"shmget", `match if input.arg.key == 7`, []string{"shmget: key = 7"}},
		{"shmat, msgsnd", `match if input.arg.shmaddr == "0x0"`, []string{"shmat: shmaddr = 0"}},
		{"shmat", `match if count(input.arg.shmaddr) <= 6`, []string{"shmat: shmaddr from 0 to 65535"}},
		{"msgsnd", `match if input.memory[_].changed`, []string{"msgsnd: looks at memory differ"}},
		{"msgsnd", `match if "inKernel-atExit" in input.memory[_].differing`, []string{"msgsnd: looks at memory differ"}},
		{"msgsnd", `match if input.memory[_].mappings[_].fileSystem == "tmpfs"`, []string{"msgsnd: mapped file"}},
		{"msgsnd", `match if input.overlaps[_].writes`, []string{"msgsnd: overlaps another call"}},
		{"msgsnd", `match if { input.userId == 5; x := input; x.overlaps }`, []string{"msgsnd: overlaps another call"}},
		{"semop", `match if input.memory[_].atEntry.sops[_].sem_num >= input.object.nsems`, []string{"semop: operation beyond the set"}},
		{"msgsnd", `match if { input.stalledNs > 5; input.sleeps > 0 }`, []string{"msgsnd: stalledNs >= 6 and time of the kernel's copy known and sleeps >= 1"}},
		{"ipc, msgsnd", `match if { input.eventName == "msgsnd"; input.userId == 1 }`, []string{"ipc: any", "msgsnd: userId = 1"}},
		{"msgsnd", `match if input.processName == "x"`, []string{"msgsnd: any"}},
		{"msgsnd", `match if { input.processName == "x"; input.userId == 1 }`, []string{"msgsnd: userId = 1"}},
		// A wider clause makes a narrower one superfluous.
		{"msgsnd", "match if { input.userId == 1; input.error }\nmatch if input.userId == 1", []string{"msgsnd: userId = 1"}},
		{"msgsnd", "findings contains {\"a\": 1} if input.userId == 1", []string{"msgsnd: userId = 1"}},
	} {
		if got := wantedOf(t, c.events, c.rules).Words(); !slices.Equal(got, c.want) {
			t.Errorf("%s\nis  %q\nnot %q", c.rules, got, c.want)
		}
	}
}

// TestWantedOfTracee is of signatures in Tracee's contract.
func TestWantedOfTracee(t *testing.T) {
	set, err := Load(Path("testdata/tracee"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"TRC-IPC-1": nil, // of no event that is there
		"TRC-IPC-2": {"msgsnd: msgflg = 2048", "shmat: shmflg = 4096"},
	}
	for _, s := range set.Signatures() {
		if got := s.(pushdown.Source).Wanted().Words(); !slices.Equal(got, want[s.Metadata().ID]) {
			t.Errorf("%s: %q, want %q", s.Metadata().ID, got, want[s.Metadata().ID])
		}
	}
}

// TestWantedOfInterpreted is of a signature that OPA's interpreter evaluates.
func TestWantedOfInterpreted(t *testing.T) {
	got := wantedOf(t, "msgsnd", "match if { input.userId == 1; q.b.c == \"msgsnd\" }\nq[x].a := input.eventName if some x in [\"b\"]\nq.b.c := q.b.a").Words()
	if want := []string{"msgsnd: any"}; !slices.Equal(got, want) {
		t.Errorf("interpreted: %q, want %q", got, want)
	}
}

// TestReadsOverlaps finds the overlaps through libraries and other names.
func TestReadsOverlaps(t *testing.T) {
	for rules, want := range map[string]bool{
		"match if input.userId == 1":                                                      false,
		"match if input.memory[_].changed\nevidence[\"x\"] := input.memory":               false,
		"match if input.userId == 1\nevidence[\"calls\"] := input.overlaps":               true,
		"match if input.userId == 1\nevidence[\"omitted\"] := input.overlapsOmitted":      true,
		"match if input.userId == 1\nevidence[\"all\"] := input":                          true,
		"match if input.userId == 1\nevidence[k] := v if some k, v in input":              true,
		"import data.lib\nmatch if { input.userId == 1; lib.many }":                       true,
		"import data.lib\nmatch if { input.userId == 1; lib.none }":                       false,
		"match if input.userId == 1\nevidence[\"x\"] := object.get(input, \"via\", null)": true,
	} {
		set, err := Load(tree("a.rego", signatureFor("msgsnd", "a", rules),
			"lib.rego", "package lib\nmany if count(input.overlaps) > 3\nnone if input.groupId == 1\n"))
		if err != nil {
			t.Fatalf("%s: %v", rules, err)
		}
		if got := set.Signatures()[0].(pushdown.Source).Wanted().Overlaps; got != want {
			t.Errorf("%s\nreads overlaps: %t, want %t", rules, got, want)
		}
	}
}

// known makes of a random event one whose fields are as the probe gives them, and of
// which a filter knows all.
func known(e *event.Event) *event.Event {
	e.Compat = e.ABI.Is32Bit()
	for i, arg := range e.Row().Args {
		v := &e.Args[i]
		switch {
		case arg.Type == event.Int, arg.Type == event.Long && e.Compat:
			*v = uint64(int64(int32(*v)))
		case arg.Type == event.UInt, (arg.Type == event.Size || arg.Type == event.Pointer) && e.Compat:
			*v = uint64(uint32(*v))
		}
		if arg.Decode.IsCommand() {
			*v &^= event.IPC64
		}
	}
	if e.Failed() && event.KnownErrno(e.Return) == "" {
		e.Return = -22
	}
	for i := range e.Memory {
		for j := range e.Memory[i].Mappings {
			if m := &e.Memory[i].Mappings[j]; m.KnownFileSystem() == "" {
				m.Magic = 0
			}
		}
	}
	return e
}

// factsOf is find_facts of ebpf/pushdown.h.
func factsOf(e *event.Event) (facts pushdown.Fact) {
	set := func(f pushdown.Fact, is bool) {
		if is {
			facts |= f
		}
	}
	o := &e.Object
	set(pushdown.HasObject, o.Kind != event.NoKind)
	set(pushdown.Created, o.Kind != event.NoKind && o.Created)
	set(pushdown.OwnerDiffers, o.Kind != event.NoKind && o.OwnerUID != e.Process.EUID)
	set(pushdown.CreatorDiffers, o.Kind != event.NoKind && o.CreatorUID != e.Process.EUID)
	set(pushdown.Unfinished, e.Unfinished)
	set(pushdown.Copied, e.CopiedNS != 0)
	set(pushdown.Overlaps, len(e.Overlaps) > 0)
	for i := range e.Memory {
		m := &e.Memory[i]
		if m.Arg == "" {
			continue
		}
		if m.Pointee == event.Sembufs {
			for op := range event.EachSembuf(m.Best().Bytes) {
				set(pushdown.Undoes, uint32(op.Flags)&event.SemUndo != 0)
				set(pushdown.NoWait, uint32(op.Flags)&event.IPCNowait != 0)
			}
		}
		outcomes := e.Compare(m)
		set(pushdown.Differs, slices.Contains(outcomes[:], event.Differs))
		if m.Pointee == event.Sembufs && o.Kind != event.NoKind {
			for op := range event.EachSembuf(m.Entry.Bytes) {
				set(pushdown.BeyondSet, uint64(op.Number) >= o.Semaphores)
			}
		}
		for _, mapping := range m.Mappings {
			mapped := mapping.State == event.Mapped
			set(pushdown.MapsShared, mapped && mapping.Shared)
			set(pushdown.MapsUserfaultfd, mapped && mapping.Userfaultfd)
			set(pushdown.MapsFile, mapped && mapping.Magic != 0)
			set(pushdown.MapsFuse, mapped && mapping.KnownFileSystem() == "fuse")
			set(pushdown.MapsSegment, mapping.State != event.MappingAbsent && mapping.IsSegment)
		}
	}
	return facts
}

// fieldsOf is fill_fields of ebpf/pushdown.h.
func fieldsOf(e *event.Event) map[pushdown.Field]int64 {
	p, o := &e.Process, &e.Object
	origin := int64(0)
	if e.Compat {
		origin |= pushdown.Compat
	}
	if e.Multiplexed {
		origin |= pushdown.Multiplexed
	}
	fields := map[pushdown.Field]int64{
		pushdown.UID: int64(p.UID), pushdown.GID: int64(p.GID), pushdown.EUID: int64(p.EUID), pushdown.EGID: int64(p.EGID),
		pushdown.Origin: origin, pushdown.Return: e.Return, pushdown.Facts: int64(factsOf(e)), pushdown.Duration: int64(e.DurationNS),
		pushdown.Sleeps: int64(e.Sleeps), pushdown.Stalled: int64(e.CopiedNS - e.BootNS), pushdown.StalledSleeps: int64(e.CopiedSleeps),
		pushdown.ObjectID: int64(o.ID), pushdown.ObjectKey: int64(o.Key), pushdown.ObjectMode: int64(o.Mode),
		pushdown.OwnerUID: int64(o.OwnerUID), pushdown.OwnerGID: int64(o.OwnerGID),
		pushdown.CreatorUID: int64(o.CreatorUID), pushdown.CreatorGID: int64(o.CreatorGID),
	}
	switch e.Row().Kind {
	case event.MessageQueue:
		fields[pushdown.Size0], fields[pushdown.Size1], fields[pushdown.Size2] = int64(o.QueueBytes), int64(o.CurrentBytes), int64(o.Messages)
		fields[pushdown.PID0], fields[pushdown.PID1] = int64(o.LastSendPID), int64(o.LastReceivePID)
	case event.Semaphore:
		fields[pushdown.Size0] = int64(o.Semaphores)
	case event.SharedMemory:
		fields[pushdown.Size0], fields[pushdown.Size1] = int64(o.SegmentBytes), int64(o.Attached)
		fields[pushdown.PID0], fields[pushdown.PID1] = int64(o.CreatorPID), int64(o.LastPID)
	}
	for i, arg := range e.Args {
		fields[pushdown.Field(i)] = int64(arg)
	}
	return fields
}

// passes is passes of ebpf/pushdown.h.
func passes(t pushdown.Test, e *event.Event, fields map[pushdown.Field]int64) bool {
	v := fields[t.Field]
	if t.Kind == pushdown.Int || t.Kind == pushdown.Long && e.Compat {
		v = int64(int32(v))
	}
	if t.Kind == pushdown.Unsigned && v < 0 {
		return true
	}
	v &= int64(t.Mask)
	return (t.Low <= v && v <= t.High) != t.Outside
}

// sent is may_match of ebpf/pushdown.h, at entry and at exit.
func sent(r *pushdown.Rule, e *event.Event) bool {
	fields := fieldsOf(e)
	for _, held := range []uint64{^r.Early, 0} {
		for i, t := range r.Tests[:r.TestN] {
			if held>>i&1 == 0 && passes(t, e, fields) {
				held |= 1 << i
			}
		}
		if !slices.ContainsFunc(r.Clauses[:r.ClauseN], func(c uint64) bool { return c&^held == 0 }) {
			return false
		}
	}
	return true
}

// expressions are what random rules are made of; each can stand behind "not".
var expressions = []string{
	`input.error`, `input.unfinished`, `input.error == "EAGAIN"`, `input.error != "EFBIG"`, `input.error in {"EINTR", "EINVAL", "ENOSYS"}`,
	`input.returnValue == 7`, `input.returnValue != 0`, `input.returnValue < 0`, `input.returnValue >= 4096`, `input.returnValue in {0, 7}`,
	`"IPC_NOWAIT" in input.flags`, `"MSG_COPY" in input.flags`, `"SHM_EXEC" in input.flags`, `"SEM_UNDO" in input.flags`, `"IPC_CREAT" in input.flags`,
	`input.command == "IPC_RMID"`, `input.command != "IPC_RMID"`, `input.command in {"IPC_SET", "GETALL", "SHM_LOCK"}`, `input.command`,
	`input.eventName == "semop"`, `input.eventName in {"msgsnd", "shmat", "msgctl"}`, `input.via == "ipc"`, `input.via == "syscall"`,
	`input.contextFlags.isCompat`, `input.contextFlags.isCompat == false`, `input.userId == 1000`, `input.effectiveUserId != 0`, `input.effectiveGroupId < 5`,
	`input.object`, `input.object.created`, `input.object.created == true`, `input.object.created == false`, `input.object.mode == 438`,
	`bits.and(input.object.mode, 18) != 0`, `bits.and(input.object.mode, 2) == 0`, `input.object.ownerUid != input.effectiveUserId`,
	`input.effectiveUserId != input.object.creatorUid`, `input.object.creatorUid == input.effectiveUserId`, `input.object.key == 7`, `input.object.id > 4`,
	`input.object.nsems > 1`, `input.object.qbytes < 100000`, `input.object.segsz >= 4096`, `input.object.lrpid == 0`, `input.object.lspid > 7`, `input.object.cpid != 0`, `input.object.lpid in {0, 5}`, `input.object.nattch in {0, 1}`,
	`input.arg.key == 7`, `input.arg.msgsz > 4096`, `input.arg.size <= 7`, `input.arg.msgtyp < 0`, `input.arg.msgtyp == 4`, `input.arg.cmd == 1`, `input.arg.semnum in {1, 4}`,
	`bits.and(input.arg.msgflg, 2048) != 0`, `bits.and(input.arg.shmflg, 511) == 438`, `input.arg.shmaddr == "0x0"`, `input.arg.timeout != "0x0"`,
	`count(input.arg.shmaddr) <= 6`, `count(input.arg.shmaddr) < 14`, `count(input.arg.msgp) == 3`,
	`input.durationNs > 50000000`, `input.durationNs <= 7`, `input.sleeps >= 1`, `input.sleeps == 0`, `input.stalledNs`, `input.stalledNs > 100000`, `input.stalledSleeps >= 1`,
	`input.memory[_].changed`, `input.memory[_].changed == false`, `"atEntry-atExit" in input.memory[_].differing`, `input.memory[_].written`,
	`input.memory[_].mappings[_].shared`, `input.memory[_].mappings[_].userfaultfd`, `input.memory[_].mappings[_].userfaultfd == false`,
	`input.memory[_].mappings[_].fileSystem == "fuse"`, `input.memory[_].mappings[_].fileSystem != "fuse"`, `input.memory[_].mappings[_].segment >= 0`,
	`input.memory[_].mappings[_].segment != 9`, `input.overlaps`, `input.overlaps[_].writes`, `input.overlaps[_].writes == false`,
	`input.memory[_].atEntry.sops[_].sem_num >= input.object.nsems`, `input.object.nsems <= input.memory[_].atEntry.sops[_].sem_num`,
}

// randomSignature has rules of some of the expressions.
func randomSignature(g *rand.Rand, name string) string {
	var rules strings.Builder
	for range 1 + g.IntN(3) {
		rules.WriteString("match if {\n")
		for range 1 + g.IntN(4) {
			if x := expressions[g.IntN(len(expressions))]; g.IntN(3) == 0 && !strings.Contains(x, "[_]") {
				rules.WriteString("\tnot " + x + "\n")
			} else {
				rules.WriteString("\t" + x + "\n")
			}
		}
		rules.WriteString("}\n")
	}
	return signatureFor(everyEvent, name, rules.String())
}

// argumentOfCall is an argument as ipcwarden's own signatures read it.
var argumentOfCall = regexp.MustCompile(`input\.arg\.(\w+)`)

// asTracee is a random signature in Tracee's contract, which reads arguments by its helper.
func asTracee(text, name string) string {
	_, rules, _ := strings.Cut(text, "match if")
	rules = strings.ReplaceAll("match if"+rules, "match if", "tracee_match := {\"by\": input.processName} if")
	return "package tracee." + name + "\nimport data.tracee.helpers\n__rego_metadoc__ := {\"id\": \"" + name + "\", \"properties\": {\"Severity\": 1}}\n" +
		"tracee_selected_events contains {\"source\": \"tracee\", \"name\": \"*\"}\n" +
		argumentOfCall.ReplaceAllString(rules, `helpers.get_tracee_argument("$1")`)
}

// TestWantedIsNecessary holds the clauses to the filters that they come from, and to
// the signatures themselves, for random rules and random events: what may match is
// sent. It does so for each signature, and for all of them together.
func TestWantedIsNecessary(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	var files []string
	for i := range 300 {
		name := fmt.Sprintf("random_%d", i)
		text := randomSignature(g, name)
		if i%3 == 0 {
			text = asTracee(text, name)
		}
		files = append(files, name+".rego", text)
	}
	set, err := Load(Builtin(), tree(files...))
	if err != nil {
		t.Fatal(err)
	}
	var all pushdown.Set
	rules := map[detect.Signature][]pushdown.Rule{}
	for _, s := range set.Signatures() {
		wanted := s.(pushdown.Source).Wanted()
		if strings.HasPrefix(s.Metadata().ID, "IPCW") {
			all = all.Or(wanted)
		}
		list := make([]pushdown.Rule, event.Count)
		for _, row := range event.Rows() {
			list[row.ID] = wanted.Rule(row.ID)
		}
		rules[s] = list
	}
	events := uint64(1000)
	var may, rejected, matches, unsent int
	for seed := range events {
		e := known(randomEvent(seed))
		together := all.Rule(e.ID)
		one := false
		var in detect.Input
		in.Reset(e)
		for _, s := range set.Signatures() {
			if !s.Metadata().Events.Has(e.ID) {
				continue
			}
			verdict, filter := filterAndVerdict(s)
			is := sent(&rules[s][e.ID], e)
			if strings.HasPrefix(s.Metadata().ID, "IPCW") {
				one = one || is
			}
			if !is {
				rejected++
			}
			if !filter.MayMatch(e) {
				continue
			}
			// A filter knows no address but 0; the verdict does.
			if may++; !is {
				if !strings.Contains(strings.Join(filter.Words(), " "), "0x0") {
					t.Fatalf("seed %d: %s may match what is not sent: %+v\nfilter:\n%s\nwanted:\n%s", seed, s.Metadata().ID, in.Document(),
						strings.Join(filter.Words(), "\n"), strings.Join(s.(pushdown.Source).Wanted().Words(), "\n"))
				}
			}
			if value, defined, err := verdict.onEvent(t.Context(), &in); finds(value, defined, err) {
				if matches++; !is {
					t.Fatalf("seed %d: %s matches what is not sent", seed, s.Metadata().ID)
				}
			}
		}
		if one && !sent(&together, e) {
			t.Fatalf("seed %d: what one of the built-in signatures wants is not sent for all together", seed)
		}
		if !sent(&together, e) {
			unsent++
		}
	}
	t.Logf("%d verdicts may match, %d do, %d were rejected; %d of %d events are not sent for the built-in signatures", may, matches, rejected, unsent, events)
	if matches < 10_000 || rejected < 10_000 || unsent == 0 {
		t.Error("too few: nothing was compared")
	}
}
