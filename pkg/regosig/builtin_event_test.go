package regosig

import (
	"math"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// TestBuiltinsOnEvents evaluates the built-in signatures on events as they are
// decoded, where the tests beside the signatures have documents that somebody
// wrote down.
func TestBuiltinsOnEvents(t *testing.T) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	object := func(mode uint16, owner, creator uint32, created bool) event.Object {
		return event.Object{ID: 7, Mode: mode, OwnerUID: owner, CreatorUID: creator, Created: created}
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
		{"world-writable", event.Shmget, args(1, 4096, 0o3666), 7, object(0o666, 1000, 1000, true), false, "IPCW-002"},
		{"world-writable queue through ipc", event.Msgget, args(1, 0o3666), 7, object(0o666, 1000, 1000, true), true, "IPCW-002"},
		{"open or create", event.Shmget, args(1, 4096, 0o1666), 7, object(0o666, 1000, 1000, false), false, ""},
		{"private", event.Semget, args(0, 1, 0o3600), 7, object(0o600, 1000, 1000, true), false, ""},
		{"executable", event.Shmat, args(7, 0, 0o100000), 0x7f0000000000, own, false, "IPCW-003"},
		{"low", event.Shmat, args(7, 1, 0o20000), -1, own, false, "IPCW-004"},
		{"null page", event.Shmat, args(7, 1, 0o20000), 0, own, false, "IPCW-004"},
		{"replacing", event.Shmat, args(7, 0x7f0000000000, 0o40000), 0x7f0000000000, own, false, "IPCW-004"},
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
		t.Run(tt.name, func(t *testing.T) {
			e := &event.Event{ID: tt.id, Args: tt.args, Return: tt.ret, Object: tt.object, Multiplexed: tt.multiplexed}
			e.Object.Kind = e.Row().Kind
			e.Process.EUID = 1000
			if got := strings.Join(fired(t, set, e), " "); got != tt.want {
				t.Errorf("fired %q, want %q", got, tt.want)
			}
		})
	}
}

// fired lists the ids of the signatures that select e and find something.
func fired(t *testing.T, set *Set, e *event.Event) (ids []string) {
	t.Helper()
	var in detect.Input
	in.Reset(e)
	for _, s := range set.Signatures() {
		if !s.Metadata().Events.Has(e.ID) {
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
