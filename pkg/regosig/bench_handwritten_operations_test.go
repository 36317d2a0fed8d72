package regosig

import "github.com/ipcwarden/ipcwarden/pkg/event"

func kernelTookOther(e *event.Event) bool {
	for i := range e.Memory {
		if m := &e.Memory[i]; m.Arg != "" && e.Compare(m)[0] == event.Differs {
			return true
		}
	}
	return contradicted(e)
}

// contradicted tells of operations that cannot have had the outcome.
func contradicted(e *event.Event) bool {
	if e.Object.Kind != event.Semaphore || e.Object.Semaphores == 0 {
		return false
	}
	m, ok := operations(e)
	if !ok || whole(e, &m.Kernel) || !whole(e, &m.Entry) {
		return false
	}
	sops := m.Entry.Bytes
	switch {
	case failedWith(e, efbig) && !anyBeyond(sops, e.Object.Semaphores):
		return true
	case (succeeded(e) || failedWith(e, eagain, eintr, erange)) && anyBeyond(sops, e.Object.Semaphores):
		return true
	case failedWith(e, eagain) && (e.ID == event.Semop || e.Args[3] == 0) && noneHasty(sops):
		return true
	}
	return e.Sleeps >= 1 && e.DurationNS >= 1_000_000 && !e.Unfinished && noneWaits(sops) && allReadAtEntry(e)
}

// operations is the memory with the operations.
func operations(e *event.Event) (m *event.Memory, ok bool) {
	m = &e.Memory[event.MainMemory]
	return m, (e.ID == event.Semop || e.ID == event.Semtimedop) && m.Arg != "" && m.Pointee == event.Sembufs
}

// whole tells of all operations that they are there, and not none.
func whole(e *event.Event, v *event.View) bool {
	n := len(v.Bytes) / event.SembufSize
	return v.State == event.Whole && n > 0 && uint64(n) == e.Args[2]
}

func anyBeyond(sops []byte, size uint64) bool {
	for ; len(sops) >= event.SembufSize; sops = sops[event.SembufSize:] {
		if uint64(event.DecodeSembuf(sops).Number) >= size {
			return true
		}
	}
	return false
}

func noneHasty(sops []byte) bool {
	for ; len(sops) >= event.SembufSize; sops = sops[event.SembufSize:] {
		if event.DecodeSembuf(sops).Flags&event.IPCNowait != 0 {
			return false
		}
	}
	return true
}

func noneWaits(sops []byte) bool {
	for ; len(sops) >= event.SembufSize; sops = sops[event.SembufSize:] {
		if op := event.DecodeSembuf(sops); op.Flags&event.IPCNowait == 0 && op.Op <= 0 {
			return false
		}
	}
	return true
}

func allReadAtEntry(e *event.Event) bool {
	for i := range e.Memory {
		if m := &e.Memory[i]; m.Arg != "" && m.Entry.State != event.Whole {
			return false
		}
	}
	return true
}

func fullQueue(e *event.Event) bool {
	return e.Args[3]&event.IPCNowait != 0 && failedWith(e, eagain) && e.Process.EUID >= 1000 &&
		e.Object.Kind != event.NoKind && e.Object.OwnerUID < 1000
}

func hugeSegment(e *event.Event) bool {
	return e.Args[2]&event.IPCCreat != 0 && e.Args[1] > 17179869184
}

func semaphoresReset(e *event.Event) bool {
	cmd := command(e)
	return (cmd == event.SetAll || cmd == event.SetVal) && e.Object.Kind != event.NoKind &&
		e.Object.OwnerUID != e.Process.EUID && (e.Unfinished || !e.Failed())
}

func sharedWithGroup(e *event.Event) bool {
	o := &e.Object
	return o.Kind != event.NoKind && o.Created && o.Key != 0 && o.Mode&0o020 != 0 && o.OwnerUID < 1000
}

func queueEnlarged(e *event.Event) bool {
	if command(e) != event.IPCSet {
		return false
	}
	m := &e.Memory[event.MainMemory]
	if m.Arg == "" || m.Entry.State == event.Absent || m.Pointee != event.Settings && m.Pointee != event.SettingsOut {
		return false
	}
	set, ok := event.DecodeSettings(event.MessageQueue, e.ABI, event.OldStructures(e.ABI, e.Multiplexed, e.RawCommand), m.Entry.Bytes)
	return ok && set.QueueBytes > 65536
}

func manyOperations(e *event.Event) bool {
	if e.Args[2] <= 400 {
		return false
	}
	main := &e.Memory[event.MainMemory]
	if main.Pointee != event.Sembufs {
		return false
	}
	best := main.Best()
	for sops := best.Bytes; len(sops) >= event.SembufSize; sops = sops[event.SembufSize:] {
		if event.DecodeSembuf(sops).Flags&semUndo != 0 {
			return true
		}
	}
	return false
}

func readOnlySpy(e *event.Event) bool {
	return int64(e.Args[2]) == shmReadOnly && e.Process.UID >= 1000 && e.Return > 0
}

func greedyReceiver(e *event.Event) bool { return int64(e.Args[3]) < -1000 && e.Args[2] >= 65536 }
