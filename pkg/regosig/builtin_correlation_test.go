package regosig

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestBuiltinCorrelationsOnEvents evaluates the built-in signatures about many events
// on single ones, as they are decoded.
func TestBuiltinCorrelationsOnEvents(t *testing.T) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range eventsOfCorrelations() {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.e
			var in detect.Input
			in.Reset(e)
			var got []string
			for _, s := range set.Signatures() {
				if s.Metadata().Correlation == nil || !s.Metadata().Events.Has(e.ID) {
					continue
				}
				found, err := s.Match(t.Context(), &in, nil)
				if err != nil {
					t.Error(err)
				}
				for _, f := range found {
					got = append(got, strings.TrimSpace(s.Metadata().ID+" "+f.Step))
				}
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// eventsOfCorrelations are those that signatures about many events count.
func eventsOfCorrelations() []onEvent {
	args := func(values ...uint64) (a [event.MaxArgs]uint64) {
		copy(a[:], values)
		return a
	}
	operation := func(op int16, flags uint16, ret int64) *event.Event {
		bytes := binary.LittleEndian.AppendUint16(nil, 0)
		bytes = binary.LittleEndian.AppendUint16(bytes, uint16(op))
		bytes = binary.LittleEndian.AppendUint16(bytes, flags)
		e := &event.Event{ID: event.Semtimedop, Args: args(3, 0x1000, 1, 0), Return: ret}
		e.Memory[event.MainMemory] = event.Memory{Pointee: event.Sembufs, Arg: "sops", Entry: event.View{State: event.Whole, Bytes: bytes}}
		return e
	}
	queue := func(messages uint64, receiver, sender uint32) event.Object {
		return event.Object{Messages: messages, LastReceivePID: receiver, LastSendPID: sender}
	}
	foreign := event.Object{OwnerUID: 5, CreatorUID: 5, Mode: 0o600}
	events := []onEvent{
		{"refused", operation(-1, event.IPCNowait, -11), "IPCW-013 refused, IPCW-014, IPCW-045 refused"},
		{"timed out", operation(-1, 0, -11), "IPCW-045 refused"},
		{"acquired", operation(-1, event.IPCNowait, 0), "IPCW-013 acquired, IPCW-045 acquired"},
		{"released", operation(1, event.IPCNowait, 0), ""},
		{"attached", &event.Event{ID: event.Shmat, Return: 0x7f0000000000, Object: event.Object{SegmentBytes: 8192}}, "IPCW-013 acted"},
		{"nothing to receive", &event.Event{ID: event.Msgrcv, Args: args(7, 0x1000, 8, 0, event.IPCNowait), Return: -42}, "IPCW-014"},
		{"second message", &event.Event{ID: event.Msgsnd, Multiplexed: true, Object: queue(1, 0, 9)}, "IPCW-015"},
		{"first message", &event.Event{ID: event.Msgsnd, Object: queue(0, 0, 9)}, "IPCW-015"},
		{"first message to a key", &event.Event{ID: event.Msgsnd, Object: event.Object{Key: 77}}, ""},
		{"third message", &event.Event{ID: event.Msgsnd, Object: queue(2, 0, 9)}, ""},
		{"message to a receiver", &event.Event{ID: event.Msgsnd, Object: queue(1, 8, 9)}, ""},
		{"peek", &event.Event{ID: event.Msgrcv, Args: args(7, 0x1000, 8, 0, 0o44000), Object: queue(2, 0, 9)}, "IPCW-016"},
		{"peek at others", &event.Event{ID: event.Msgrcv, Args: args(7, 0x1000, 8, 0, 0o44000), Object: queue(2, 0, 8)}, ""},
		{"state by index", &event.Event{ID: event.Shmctl, Args: args(7, 0x10d), Return: -22}, "IPCW-017"},
		{"state by id", &event.Event{ID: event.Shmctl, Args: args(7, 2)}, ""},
		{"created by key", &event.Event{ID: event.Semget, Args: args(77, 1, 0o3600), Object: event.Object{Created: true, Key: 77}}, "IPCW-021, IPCW-051"},
		{"created without a key", &event.Event{ID: event.Semget, Args: args(0, 1, 0o3600), Object: event.Object{Created: true}}, "IPCW-029, IPCW-051"},
		{"small segment", &event.Event{ID: event.Shmget, Args: args(0, 4096, 0o3600), Object: event.Object{Created: true, SegmentBytes: 4096}}, "IPCW-028, IPCW-051"},
		{"large segment", &event.Event{ID: event.Shmget, Args: args(0, 8192, 0o3600), Object: event.Object{Created: true, SegmentBytes: 8192}}, "IPCW-051"},
		{"full slab", &event.Event{ID: event.Msgsnd, Args: args(7, 0x1000, 976), Object: queue(0, 0, 0)}, "IPCW-015, IPCW-026"},
		{"full slab, through ipc", &event.Event{ID: event.Msgsnd, Multiplexed: true, Args: args(7, 0x1000, 4056), Object: queue(0, 0, 0)}, "IPCW-015, IPCW-026"},
		{"own message taken back", &event.Event{ID: event.Msgrcv, Args: args(7, 0x1000, 8), Object: queue(2, 0, 9)}, "IPCW-027"},
		{"undo", operation(1, event.SemUndo, 0), "IPCW-031"},
		{"removed meanwhile", &event.Event{ID: event.Shmat, Return: -43}, "IPCW-036"},
		{"no identifier left", &event.Event{ID: event.Msgget, Args: args(0, 0o1600), Return: -28}, "IPCW-037"},
		{"many semaphores", &event.Event{ID: event.Semget, Args: args(77, 8192, 0o1600), Return: 3, Object: event.Object{Created: true, Semaphores: 8192}}, "IPCW-029, IPCW-038, IPCW-051"},
		{"very large segment", &event.Event{ID: event.Shmget, Args: args(77, 1<<26, 0o1600), Return: 3, Object: event.Object{Created: true, Key: 77, SegmentBytes: 1 << 26}}, "IPCW-021, IPCW-038, IPCW-051"},
		{"no such key", &event.Event{ID: event.Semget, Args: args(77), Return: -2}, "IPCW-039"},
		{"attached in a container", &event.Event{ID: event.Shmat, Return: 0x7f0000, Process: event.Process{ContainerID: "c0ffee"}, Object: event.Object{SegmentBytes: 8192}}, "IPCW-013 acted, IPCW-041 from_container"},
		{"attached on the host", &event.Event{ID: event.Shmat, Return: 0x7f0000, Process: event.Process{Executable: "/usr/bin/a"}, Object: event.Object{SegmentBytes: 8192}}, "IPCW-013 acted, IPCW-041 from_host"},
		{"foreign semaphore read", &event.Event{ID: event.Semctl, Args: args(7, 0, 12), Object: foreign}, "IPCW-042"},
		{"own semaphore set", &event.Event{ID: event.Semctl, Args: args(7, 0, event.SetVal)}, "IPCW-045 broken"},
		{"64-bit program", &event.Event{ID: event.Shmdt, Compat: true, Process: event.Process{ProgramBits: 64}}, "IPCW-043"},
		{"32-bit program", &event.Event{ID: event.Shmdt, Compat: true, Process: event.Process{ProgramBits: 32}}, ""},
		{"sent to nowhere", &event.Event{ID: event.Msgsnd, Args: args(7, 0x1000, 976), Return: -22}, "IPCW-032"},
		{"attached, a page", &event.Event{ID: event.Shmat, Multiplexed: true, Return: 0x7f0000, Object: event.Object{SegmentBytes: 4096}}, "IPCW-013 acted, IPCW-022"},
		{"let in by a capability", &event.Event{ID: event.Msgrcv, Args: args(7, 0x1000, 8), Return: 8, Object: foreign}, "IPCW-025, IPCW-042"},
		{"let in by the mode", &event.Event{ID: event.Msgrcv, Args: args(7, 0x1000, 8), Return: 8, Object: event.Object{OwnerUID: 5, CreatorUID: 5, Mode: 0o644}}, "IPCW-042, IPCW-050"},
		{"removal", &event.Event{ID: event.Shmctl, Args: args(7, event.IPCRmid), Object: foreign}, "IPCW-018"},
	}
	for _, on := range events {
		on.e.Object.Kind, on.e.Process.HostPID = on.e.Row().Kind, 9
	}
	return events
}
