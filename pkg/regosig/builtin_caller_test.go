package regosig

import (
	"encoding/binary"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestBuiltinsOnCallers evaluates the built-in signatures on events that are
// suspicious for who makes the call, or for how it ends.
func TestBuiltinsOnCallers(t *testing.T) { testOnEvents(t, eventsOfCallers()) }

func eventsOfCallers() []onEvent {
	const create, exclusive, address = 0o1600, 0o3600, 0x7f0000000000
	args := func(values ...uint64) (a [event.MaxArgs]uint64) {
		copy(a[:], values)
		return a
	}
	by := func(uid uint32, executable string) event.Process {
		return event.Process{EUID: uid, Executable: executable}
	}
	user := event.Object{ID: 7, Key: 77, Mode: 0o600, OwnerUID: 1000, CreatorUID: 1000, SegmentBytes: 4096}
	large := event.Object{ID: 7, Mode: 0o600, SegmentBytes: 3 << 20, Created: true}
	// settled is an IPC_SET of that user.
	settled := func(by, owner, mode uint32) *event.Event {
		settings := make([]byte, 120) // struct msqid64_ds: uid and mode
		binary.LittleEndian.PutUint32(settings[4:], owner)
		binary.LittleEndian.PutUint32(settings[20:], mode)
		e := &event.Event{ID: event.Msgctl, Args: args(7, event.IPCSet, 0x1000), Object: user, Process: event.Process{EUID: by, PIDNamespace: 4026531836}}
		e.Memory[event.MainMemory] = event.Memory{Pointee: event.Settings, Arg: "buf", Address: 0x1000, Length: 120, Entry: event.View{State: event.Whole, Bytes: settings}}
		return e
	}
	events := []onEvent{
		{"address not stored", &event.Event{ID: event.Shmat, Multiplexed: true, Return: -14, Args: args(7)}, "IPCW-019"},
		{"service uses a user's object", &event.Event{ID: event.Shmget, Args: args(77, 4096, create), Return: 7, Object: user, Process: by(33, "")}, "IPCW-005 IPCW-020"},
		{"service is refused", &event.Event{ID: event.Msgget, Args: args(77, exclusive), Return: -17, Object: user, Process: by(0, "")}, "IPCW-020"},
		{"user is refused", &event.Event{ID: event.Msgget, Args: args(77, exclusive), Return: -17, Object: user, Process: by(1001, "")}, ""},
		{"large segment of sshd", &event.Event{ID: event.Shmget, Args: args(0, 3<<20, exclusive), Return: 7, Object: large, Process: by(0, "/usr/sbin/sshd")}, "IPCW-023"},
		{"large segment", &event.Event{ID: event.Shmget, Args: args(0, 3<<20, exclusive), Return: 7, Object: large, Process: by(0, "/usr/bin/sshguard")}, ""},
		{"foreign semaphore set", &event.Event{ID: event.Semctl, Args: args(7, 0, 16, 1), Object: user, Process: by(33, "")}, "IPCW-024"},
		{"foreign semaphore looked at", &event.Event{ID: event.Semctl, Args: args(7, 0, 12), Object: user, Process: by(33, "")}, ""},
		{"large segment of cron", &event.Event{ID: event.Shmget, Args: args(0, 3<<20, 0o1660), Return: 7, Object: event.Object{ID: 7, Mode: 0o660, SegmentBytes: 3 << 20, Created: true}, Process: by(0, "/usr/sbin/cron")}, "IPCW-040"},
		{"given to root", settled(1000, 0, 0o600), "IPCW-034"},
		{"handed over by root", settled(0, 33, 0o600), "IPCW-006"},
		{"opened to everybody", settled(1000, 1000, 0o666), "IPCW-035"},
		{"mode kept", settled(1000, 1000, 0o600), ""},
		{"orphan", &event.Event{ID: event.Shmat, Args: args(7), Return: address, Object: event.Object{ID: 7, Mode: 0o1600, CreatorGone: true}}, "IPCW-044"},
		{"marked for removal", &event.Event{ID: event.Shmat, Args: args(7), Return: address, Object: event.Object{ID: 7, Mode: 0o1600}}, ""},
		{"program in /tmp", &event.Event{ID: event.Semget, Args: args(77, 1, exclusive), Return: 7, Object: event.Object{ID: 7, Key: 77, Mode: 0o600, Created: true}, Process: by(0, "/tmp/a")}, "IPCW-047"},
		{"inventory", &event.Event{ID: event.Shmctl, Args: args(0, 14)}, "IPCW-048"},
		{"client's segment", &event.Event{ID: event.Shmat, Args: args(7), Return: address, Process: by(0, "/usr/lib/xorg/Xorg"), Object: event.Object{ID: 7, Mode: 0o600, OwnerUID: 1000, CreatorUID: 1000}}, ""},
	}
	for _, on := range events {
		if on.e.Object.ID != 0 {
			on.e.Object.Kind = on.e.Row().Kind
		}
	}
	return events
}
