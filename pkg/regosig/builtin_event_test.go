package regosig

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestBuiltinsOnEvents evaluates the built-in signatures on events as they are
// decoded, where the tests beside the signatures have documents that somebody
// wrote down.
func TestBuiltinsOnEvents(t *testing.T) { testOnEvents(t, eventsOfCalls()) }

// TestBuiltinsOnMemory is about what the memory of an event gives away: when it
// was looked at, what is mapped there, and who else is using it.
func TestBuiltinsOnMemory(t *testing.T) { testOnEvents(t, eventsOfMemory()) }

// onEvent is an event, and what the built-in signatures find in it.
type onEvent struct {
	name string
	e    *event.Event
	want string
}

func testOnEvents(t *testing.T, tests []onEvent) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(fired(t, set, tt.e), " "); got != tt.want {
				t.Errorf("fired %q, want %q", got, tt.want)
			}
		})
	}
}

// eventsOfCalls are told apart by arguments, result and object.
func eventsOfCalls() (events []onEvent) {
	object := func(mode uint16, owner, creator uint32, created bool) event.Object {
		return event.Object{ID: 7, Mode: mode, OwnerUID: owner, CreatorUID: creator, Created: created}
	}
	keyed := func(o event.Object) event.Object {
		o.Key = 1
		return o
	}
	own := object(0o600, 1000, 1000, false)
	args := func(values ...uint64) (a [event.MaxArgs]uint64) {
		copy(a[:], values)
		return a
	}
	tests := []struct {
		name        string
		id          event.ID
		args        [event.MaxArgs]uint64
		ret         int64
		object      event.Object
		multiplexed bool
		want        string
	}{
		{"peek", event.Msgrcv, args(7, 0x1000, 4096, 2, 0o44000), 4096, own, false, "IPCW-001"},
		{"peek through ipc", event.Msgrcv, args(7, 0x1000, 4096, 2, 0o44000), 4096, own, true, "IPCW-001"},
		{"receive without waiting", event.Msgrcv, args(7, 0x1000, 4096, 0, 0o4000), 4096, own, false, ""},
		{"send without waiting", event.Msgsnd, args(7, 0x1000, 4096, 0o4000), -11, own, false, ""},
		{"world-writable", event.Shmget, args(1, 4096, 0o3666), 7, keyed(object(0o666, 1000, 1000, true)), false, "IPCW-002"},
		{"world-writable, without a key", event.Shmget, args(0, 4096, 0o3666), 7, object(0o666, 1000, 1000, true), false, "IPCW-046"},
		{"world-writable queue through ipc", event.Msgget, args(1, 0o3666), 7, object(0o666, 1000, 1000, true), true, "IPCW-002"},
		{"open or create", event.Shmget, args(1, 4096, 0o1666), 7, object(0o666, 1000, 1000, false), false, ""},
		{"private", event.Semget, args(0, 1, 0o3600), 7, object(0o600, 1000, 1000, true), false, ""},
		{"executable", event.Shmat, args(7, 0, 0o100000), 0x7f0000000000, own, false, "IPCW-003"},
		{"low", event.Shmat, args(7, 1, 0o20000), -1, own, false, "IPCW-004"},
		{"null page", event.Shmat, args(7, 1, 0o20000), 0, own, false, "IPCW-004"},
		{"replacing", event.Shmat, args(7, 0x7f0000000000, 0o40000), 0x7f0000000000, own, false, "IPCW-049"},
		{"highest address", event.Shmat, args(7, math.MaxUint64, 0o20000), -22, own, false, ""},
		{"plain", event.Shmat, args(7, 0, 0), 0x7f0000000000, own, false, ""},
		{"unread address through ipc", event.Shmat, args(7, 0, 0), 0, own, true, ""},
		{"foreign segment", event.Shmat, args(7, 0, 0), 0x7f0000000000, object(0o666, 0, 0, false), false, "IPCW-005"},
		{"foreign queue", event.Msgget, args(1, 0), 7, object(0o666, 0, 0, false), false, "IPCW-005"},
		{"foreign queue refused", event.Msgget, args(1, 0o666), -13, object(0o600, 0, 0, false), false, ""},
		{"foreign removal", event.Semctl, args(7, 0, 0), 0, object(0o600, 0, 0, false), false, "IPCW-006"},
		{"foreign change, 64-bit structures", event.Shmctl, args(7, 0x101, 0x1000), 0, object(0o600, 0, 0, false), true, "IPCW-006"},
		{"own removal", event.Msgctl, args(7, 0), 0, own, false, ""},
		{"operation", event.Semop, args(7, 0x1000, 1), 0, object(0o666, 0, 0, false), false, ""},
	}
	for _, tt := range tests {
		e := &event.Event{ID: tt.id, Args: tt.args, Return: tt.ret, Object: tt.object, Multiplexed: tt.multiplexed}
		e.Object.Kind = e.Row().Kind
		e.Process.EUID = 1000
		events = append(events, onEvent{tt.name, e, tt.want})
	}
	return events
}

// eventsOfMemory are told apart by what is in memory, and by what else uses it.
func eventsOfMemory() []onEvent {
	const ms = 1_000_000
	view := func(parts ...[]byte) event.View {
		return event.View{State: event.Whole, Bytes: slices.Concat(parts...)}
	}
	// numbers are words of a structure: little-endian, of the given width.
	numbers := func(width int, values ...int64) (b []byte) {
		for _, v := range values {
			b = append(b, binary.LittleEndian.AppendUint64(nil, uint64(v))[:width]...)
		}
		return b
	}
	message := func(mtype int64, text string) event.View { return view(numbers(8, mtype), []byte(text)) }
	operation := func(number, flags int64) []byte { return numbers(2, number, -1, flags) }
	main := func(pointee event.Pointee, arg string, entry, kernel, exit event.View) event.Memory {
		m := event.Memory{Pointee: pointee, Arg: arg, Address: 0x7f0000001000, Entry: entry, Kernel: kernel, Exit: exit}
		m.Length = uint64(max(len(entry.Bytes), len(exit.Bytes)))
		if kernel.State != event.Absent {
			m.KernelLength, m.KernelSource = m.Length, event.AtFunction
		}
		return m
	}
	sent := func(entry, kernel, exit event.View) event.Event {
		return event.Event{
			ID: event.Msgsnd, Args: [event.MaxArgs]uint64{7, 0x7f0000001000, 4, 0}, DurationNS: 2000,
			Object: event.Object{ID: 7, Mode: 0o600, QueueBytes: 16384, OwnerUID: 1000, CreatorUID: 1000},
			Memory: [event.MaxMemory]event.Memory{main(event.MsgbufIn, "msgp", entry, kernel, exit)},
		}
	}
	operated := func(result int64, entry, kernel, exit event.View) event.Event {
		return event.Event{
			ID: event.Semtimedop, Args: [event.MaxArgs]uint64{3, 0x7f0000001000, uint64(len(entry.Bytes) / event.SembufSize), 0},
			Return: result, DurationNS: 2000,
			Object: event.Object{ID: 3, Mode: 0o600, Semaphores: 4, OwnerUID: 1000, CreatorUID: 1000},
			Memory: [event.MaxMemory]event.Memory{main(event.Sembufs, "sops", entry, kernel, exit)},
		}
	}
	received := func() event.Event {
		e := sent(event.View{}, event.View{}, message(1, "text"))
		e.ID, e.Args = event.Msgrcv, [event.MaxArgs]uint64{7, 0x7f0000001000, 4, 0, 0}
		e.Memory[event.MainMemory].Pointee = event.MsgbufOut
		return e
	}
	controlled := func(pointee event.Pointee, cmd uint64, entry, exit event.View) event.Event {
		return event.Event{
			ID: event.Msgctl, Args: [event.MaxArgs]uint64{7, cmd, 0x7f0000001000}, DurationNS: 2000,
			Object: event.Object{ID: 7, Mode: 0o600, QueueBytes: 16384, OwnerUID: 1000, CreatorUID: 1000},
			Memory: [event.MaxMemory]event.Memory{main(pointee, "buf", entry, event.View{}, exit)},
		}
	}
	// with changes an event.
	with := func(e event.Event, changes ...func(*event.Event)) *event.Event {
		for _, change := range changes {
			change(&e)
		}
		return &e
	}
	took := func(duration uint64, sleeps uint32) func(*event.Event) {
		return func(e *event.Event) { e.DurationNS, e.Sleeps = duration, sleeps }
	}
	copiedAfter := func(ns uint64) func(*event.Event) {
		return func(e *event.Event) { e.BootNS, e.CopiedNS, e.CopiedSleeps = 5_000, 5_000+ns, 1 }
	}
	failed := func(errno int64) func(*event.Event) { return func(e *event.Event) { e.Return = -errno } }
	argument := func(i int, value uint64) func(*event.Event) { return func(e *event.Event) { e.Args[i] = value } }
	meets := func(id event.ID, writes bool) func(*event.Event) {
		return func(e *event.Event) {
			e.Overlaps = append(e.Overlaps, event.Overlap{HostPID: 100, HostTID: 102, ID: id, Writes: writes, Address: 0x7f0000001000, Length: 12})
		}
	}
	lies := func(first, last event.Mapping) func(*event.Event) {
		return func(e *event.Event) { e.Memory[event.MainMemory].Mappings = [2]event.Mapping{first, last} }
	}
	var (
		none      event.View
		a, b      = message(1, "text"), message(99, "text")
		secret    = message(1, "password=hunter22x")
		other     = message(1, "TEXT")
		wait      = view(operation(0, 0))
		hasty     = view(operation(0, event.IPCNowait))
		hastyPair = view(operation(0, event.IPCNowait), operation(1, event.IPCNowait))
		mixed     = view(operation(0, event.IPCNowait), operation(1, 0))
		beyond    = view(operation(99, 0))
		private   = event.Mapping{State: event.Mapped}
		tmpfs     = event.Mapping{State: event.Mapped, Shared: true, Magic: 0x01021994}
		faulting  = event.Mapping{State: event.Mapped, Userfaultfd: true}
		fuse      = event.Mapping{State: event.Mapped, Shared: true, Magic: 0x65735546}
		segment   = event.Mapping{State: event.Mapped, Shared: true, Magic: 0x01021994, IsSegment: true, Attached: 2}
		settings  = view(make([]byte, 120))
		filled    = view(slices.Repeat([]byte{1}, 120))
	)
	events := []onEvent{
		{"password", with(sent(secret, secret, secret), argument(2, 18)), "IPCW-033"},
		{"ordinary message", with(sent(a, a, a)), ""},
		{"message changed afterwards", with(sent(a, a, b)), "IPCW-007"},
		{"message changed, no copy of the kernel", with(sent(a, none, other)), "IPCW-007"},
		{"message exchanged before the copy", with(sent(a, b, b)), "IPCW-007 IPCW-008"},
		{"message exchanged for the copy only", with(sent(a, b, a)), "IPCW-007 IPCW-008"},
		{"message exchanged, not seen at exit", with(sent(a, b, none)), "IPCW-008"},
		{"message seen by nobody", with(sent(none, none, none)), ""},
		{"received message", with(received()), ""},
		{"received over another message", with(received(), func(e *event.Event) { e.Memory[0].Entry = b }), ""},
		{"operations exchanged", with(operated(0, wait, beyond, wait)), "IPCW-007 IPCW-008"},
		{"settings changed", with(controlled(event.Settings, event.IPCSet, settings, filled)), "IPCW-007"},
		{"settings written", with(controlled(event.SettingsOut, 2, settings, filled)), ""},

		{"good number refused", with(operated(0, wait, none, wait), failed(27)), "IPCW-008"},
		{"bad number refused", with(operated(0, beyond, none, beyond), failed(27)), ""},
		{"bad number accepted", with(operated(0, beyond, none, beyond)), "IPCW-008"},
		{"good number accepted", with(operated(0, wait, none, wait)), ""},
		{"gave up without a reason", with(operated(0, wait, none, wait), failed(11)), "IPCW-008"},
		{"gave up after the timeout", with(operated(0, wait, none, wait), failed(11), argument(3, 0x7f0000002000)), ""},
		{"gave up as told", with(operated(0, mixed, none, mixed), failed(11)), ""},
		{"interrupted", with(operated(0, wait, none, wait), failed(4), took(900*ms, 1)), ""},
		{"waited for long", with(operated(0, wait, none, wait), took(900*ms, 1)), ""},
		{"waited though told not to", with(operated(0, hasty, none, hasty), took(3*ms, 1)), "IPCW-008"},
		{"some operations may wait", with(operated(0, mixed, none, mixed), took(900*ms, 1)), ""},
		{"more operations than were seen", with(operated(0, beyond, none, beyond), argument(2, 2)), ""},
		{"set not seen", with(operated(0, beyond, none, beyond), func(e *event.Event) { e.Object.Semaphores = 0 }), ""},
		{"killed", with(operated(0, beyond, none, beyond), func(e *event.Event) { e.Unfinished = true }), ""},

		{"sent from where another thread receives", with(sent(a, a, a), meets(event.Msgrcv, true)), "IPCW-009"},
		{"received to where another thread sends from", with(received(), meets(event.Msgsnd, false)), "IPCW-009"},
		{"two threads receive", with(received(), meets(event.Msgrcv, true)), "IPCW-009"},
		{"changed during two sends", with(sent(a, none, b), meets(event.Msgsnd, false)), "IPCW-007 IPCW-009"},
		{"constant operations of two threads", with(operated(0, wait, wait, wait), meets(event.Semop, false)), ""},
		{"status for one thread, settings of another", with(controlled(event.Settings, event.IPCSet, settings, settings), meets(event.Msgctl, true)), "IPCW-009"},

		{"late copy", with(sent(a, a, a), took(300*ms, 1), copiedAfter(200*ms)), "IPCW-010"},
		{"copy in time, long wait", with(sent(a, a, a), took(300*ms, 1), copiedAfter(2000)), ""},
		{"send that waited though told not to", with(sent(a, none, a), argument(3, event.IPCNowait), took(60*ms, 1)), "IPCW-010"},
		{"receive that waited though told not to", with(received(), argument(4, event.IPCNowait), took(60*ms, 2)), "IPCW-010"},
		{"send that was preempted", with(sent(a, none, a), argument(3, event.IPCNowait), took(60*ms, 0)), ""},
		{"send that waited for room", with(sent(a, none, a), took(900*ms, 1)), ""},
		{"operations that waited though told not to", with(operated(0, hastyPair, hastyPair, hastyPair), took(60*ms, 1)), "IPCW-010"},
		{"operations that waited, mixed", with(operated(0, mixed, mixed, mixed), took(900*ms, 1)), ""},

		{"in a segment", with(sent(a, a, a), lies(private, segment)), "IPCW-011"},
		{"operations in a segment", with(operated(0, wait, wait, wait), lies(segment, segment)), "IPCW-011"},
		{"received into a segment", with(received(), lies(segment, segment)), ""},
		{"in other memory", with(sent(a, a, a), lies(private, tmpfs)), ""},
		{"mapping not read", with(sent(a, a, a), lies(event.Mapping{State: event.MappingUnread}, event.Mapping{State: event.Unmapped})), ""},

		{"served by userfaultfd", with(sent(a, a, a), lies(private, faulting)), "IPCW-012"},
		{"served by FUSE", with(sent(a, a, a), lies(fuse, fuse)), "IPCW-012"},
		{"received into served memory", with(received(), lies(faulting, faulting)), "IPCW-012"},
		{"served, and held up", with(sent(a, none, a), lies(private, fuse), took(300*ms, 1)), "IPCW-010 IPCW-012"},
		{"served, and the queue is full", with(sent(a, none, a), lies(private, fuse), took(300*ms, 1), func(e *event.Event) { e.Object.CurrentBytes = 16384 }), "IPCW-012"},
		{"served settings, and held up", with(controlled(event.Settings, event.IPCSet, settings, settings), lies(faulting, faulting), took(300*ms, 1)), "IPCW-010 IPCW-012"},
	}
	for _, on := range events {
		on.e.Object.Kind = on.e.Row().Kind
		on.e.Process.UID, on.e.Process.EUID = 1000, 1000
	}
	return events
}

// fired lists the ids of the signatures that e is enough for.
func fired(t *testing.T, set *Set, e *event.Event) (ids []string) {
	t.Helper()
	var in detect.Input
	in.Reset(e)
	for _, s := range set.Signatures() {
		if !s.Metadata().Events.Has(e.ID) || s.Metadata().Correlation != nil {
			continue
		}
		found, err := s.Match(t.Context(), &in, nil)
		if err != nil {
			t.Errorf("%s: %v", s.Metadata().ID, err)
		}
		if len(found) > 0 {
			ids = append(ids, s.Metadata().ID)
		}
	}
	return ids
}
