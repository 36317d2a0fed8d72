package app

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/signatures"
)

// often is how often in a second a program does what means nothing: less than 014 takes
// for a busy loop, which asks for seconds on end.
const often = 900

// aloneEvents is what is part of attacks, and alone is what programs do.
func aloneEvents() map[string]event.Event {
	args := func(values ...uint64) (a [event.MaxArgs]uint64) {
		copy(a[:], values)
		return a
	}
	operation := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(make([]byte, 2), 0xffff), event.IPCNowait)
	constant := event.Memory{Pointee: event.Sembufs, Arg: "sops", Address: 0x1000, Length: 6, Entry: event.View{State: event.Whole, Bytes: operation}}
	constant.Exit = constant.Entry
	queue := event.Object{Kind: event.MessageQueue, ID: 7, Key: 77, Mode: 0o600, QueueBytes: 16384, LastReceivePID: 8}
	set := event.Object{Kind: event.Semaphore, ID: 7, Key: 77, Mode: 0o600, Semaphores: 1}
	segment := event.Object{Kind: event.SharedMemory, ID: 7, Key: 77, Mode: 0o600, SegmentBytes: 8192}
	created := func(o event.Object) event.Object {
		o.Created = true
		return o
	}
	shared := event.Event{ID: event.Semop, Args: args(7, 0x1000, 1), Object: set, Overlaps: []event.Overlap{{HostPID: 9, HostTID: 10, ID: event.Semop, Address: 0x1000, Length: 6}}}
	shared.Memory[event.MainMemory] = constant
	refused := event.Event{ID: event.Semop, Args: args(7, 0x1000, 1), Return: -11, Object: set}
	refused.Memory[event.MainMemory] = constant
	return map[string]event.Event{
		"IPC_NOWAIT, sent":            {ID: event.Msgsnd, Args: args(7, 0x1000, 16, event.IPCNowait), Object: queue},
		"IPC_NOWAIT, full":            {ID: event.Msgsnd, Args: args(7, 0x1000, 16, event.IPCNowait), Return: -11, Object: queue},
		"IPC_NOWAIT, nothing there":   {ID: event.Msgrcv, Args: args(7, 0x1000, 16, 0, event.IPCNowait), Return: -42, Object: queue},
		"IPC_NOWAIT, taken by others": refused,
		"IPC_CREAT, a new queue":      {ID: event.Msgget, Args: args(77, 0o1600), Return: 7, Object: created(queue)},
		"IPC_CREAT, its own queue":    {ID: event.Msgget, Args: args(77, 0o1600), Return: 7, Object: queue},
		"IPC_CREAT, its own set":      {ID: event.Semget, Args: args(77, 1, 0o1600), Return: 7, Object: set},
		"IPC_CREAT, its own segment":  {ID: event.Shmget, Args: args(77, 8192, 0o1600), Return: 7, Object: segment},
		"a constant, used by two":     shared,
	}
}

// TestNeverAlone wants no alert, of any signature, for what is no reason for one.
func TestNeverAlone(t *testing.T) {
	builtin, err := regosig.Load(regosig.Builtin())
	must(t, err)
	all, err := signatures.AddTo(builtin.Signatures())
	must(t, err)
	c := config.Default()
	for _, s := range all {
		if s.Metadata().Off {
			c.Signatures.Enable = append(c.Signatures.Enable, s.Metadata().ID)
		}
	}
	events := aloneEvents()
	var stream []*event.Event
	names := slices.Sorted(maps.Keys(events))
	for i := range often {
		for pid, name := range names {
			e := events[name]
			e.Process.HostPID, e.Process.HostTID, e.Process.IPCNamespace = uint32(pid+1), uint32(pid+1), uint32(pid+1)
			e.Process.Comm, e.Process.Executable = name, "/usr/bin/worker"
			e.BootNS, e.DurationNS = uint64(i)*uint64(time.Second)/often, 2000
			e.TimeNS = 1_800_000_000_000_000_000 + int64(e.BootNS)
			stream = append(stream, &e)
		}
	}
	for line := range bytes.Lines(replayed(t, c, stream)) {
		t.Errorf("alert %s", line)
	}
}
