package regosig

import (
	"math/bits"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// predicate is a signature as one would write it in Go, by hand.
type predicate func(*event.Event) bool

// handwritten has for every signature of the benchmarks, by its id, what it says.
var handwritten = map[string]predicate{
	"IPCW-001": msgCopyPeek, "IPCW-002": worldWritable, "IPCW-003": executableAttach, "IPCW-004": lowAttach,
	"IPCW-005": foreignObject, "IPCW-006": foreignRemoval, "IPCW-007": changedInput, "IPCW-008": kernelTookOther,
	"IPCW-009": pointerReuse, "IPCW-010": copyStalled, "IPCW-011": pointerIntoSegment, "IPCW-012": servedMemory,

	"BENCH-01": fullQueue, "BENCH-02": hugeSegment, "BENCH-03": semaphoresReset, "BENCH-04": sharedWithGroup,
	"BENCH-05": queueEnlarged, "BENCH-06": manyOperations, "BENCH-07": readOnlySpy, "BENCH-08": greedyReceiver,
}

const (
	eintr, eagain, eacces, efault, einval, efbig, erange, enosys, eidrm = 4, 11, 13, 14, 22, 27, 34, 38, 43

	msgExcept, msgCopy             = 0o20000, 0o40000
	shmReadOnly, shmRound, shmExec = 0o10000, 0o20000, 0o100000
	semUndo                        = 0x1000
	fuse                           = 0x65735546
)

func succeeded(e *event.Event) bool { return !e.Unfinished && !e.Failed() }

func failedWith(e *event.Event, errnos ...int64) bool {
	if e.Unfinished {
		return false
	}
	for _, errno := range errnos {
		if e.Return == -errno {
			return true
		}
	}
	return false
}

func msgCopyPeek(e *event.Event) bool {
	flags := e.Args[4]
	return flags&msgCopy != 0 && flags&event.IPCNowait != 0 && flags&msgExcept == 0 &&
		!failedWith(e, enosys, einval, eacces, eidrm)
}

func worldWritable(e *event.Event) bool {
	o := &e.Object
	return o.Kind != event.NoKind && o.Created && o.Mode&2 != 0 && (o.Kind != event.SharedMemory || o.Key != 0)
}

func executableAttach(e *event.Event) bool { return e.Args[2]&shmExec != 0 && succeeded(e) }

func lowAttach(e *event.Event) bool {
	const lowest, alignment = 65536, 4096
	asked, flags := e.Args[1], e.Args[2]
	if asked != 0 && asked < lowest && (flags&shmRound != 0 || asked%alignment == 0) {
		return true
	}
	return succeeded(e) && e.Return >= 0 && e.Return < lowest && (!e.Multiplexed || e.Return != 0 || storedAddress(e))
}

func storedAddress(e *event.Event) bool {
	for i := range e.Memory {
		if m := &e.Memory[i]; m.Arg == "third" && m.Exit.State == event.Whole {
			return true
		}
	}
	return false
}

func foreignObject(e *event.Event) bool {
	o := &e.Object
	return o.Kind != event.NoKind && !o.Created && o.OwnerUID != e.Process.EUID && o.CreatorUID != e.Process.EUID && succeeded(e) && !displayServer(e)
}

func displayServer(e *event.Event) bool {
	if e.ID != event.Shmat || e.Object.Key != 0 {
		return false
	}
	switch e.Process.Executable {
	case "/usr/lib/xorg/Xorg", "/usr/libexec/Xorg", "/usr/lib/Xorg", "/usr/bin/Xorg", "/usr/bin/Xvfb",
		"/usr/bin/Xwayland", "/usr/bin/Xephyr", "/usr/bin/Xnest", "/usr/bin/Xvnc", "/usr/bin/Xtigervnc":
		return true
	}
	return false
}

func foreignRemoval(e *event.Event) bool {
	cmd := command(e)
	return (cmd == event.IPCRmid || cmd == event.IPCSet) && e.Object.Kind != event.NoKind &&
		e.Object.CreatorUID != e.Process.EUID && succeeded(e)
}

func command(e *event.Event) uint32 {
	if e.ID == event.Semctl {
		return uint32(e.Args[2]) &^ event.IPC64
	}
	return uint32(e.Args[1]) &^ event.IPC64
}

func changedInput(e *event.Event) bool {
	for i := range e.Memory {
		m := &e.Memory[i]
		if m.Arg == "" {
			continue
		}
		if outcomes := e.Compare(m); outcomes[1] == event.Differs || outcomes[2] == event.Differs {
			return true
		}
	}
	return false
}

func pointerReuse(e *event.Event) bool {
	for i := range e.Overlaps {
		if e.Overlaps[i].Writes {
			return true
		}
	}
	if len(e.Overlaps) == 0 {
		return false
	}
	for i := range e.Memory {
		m := &e.Memory[i]
		if m.Arg != "" && (m.Written() || differs(e, m)) {
			return true
		}
	}
	return false
}

func differs(e *event.Event, m *event.Memory) bool {
	for _, outcome := range e.Compare(m) {
		if outcome == event.Differs {
			return true
		}
	}
	return false
}

func copyStalled(e *event.Event) bool {
	const longestCopy, shortestWait = 100_000_000, 50_000_000
	if e.DurationNS < shortestWait {
		return false
	}
	return e.CopiedNS != 0 && e.CopiedNS-e.BootNS > longestCopy && e.CopiedSleeps >= 1 ||
		e.Sleeps >= 1 && mustNotWait(e) ||
		e.DurationNS > longestCopy && e.CopiedNS == 0 && nothingToWaitFor(e) && anyServed(e, false)
}

func mustNotWait(e *event.Event) bool {
	switch e.ID {
	case event.Msgsnd:
		return e.Args[3]&event.IPCNowait != 0
	case event.Msgrcv:
		return e.Args[4]&event.IPCNowait != 0
	}
	if m, ok := operations(e); ok {
		if whole(e, &m.Kernel) {
			return noneWaits(m.Kernel.Bytes)
		}
		return whole(e, &m.Entry) && noneWaits(m.Entry.Bytes)
	}
	return false
}

func nothingToWaitFor(e *event.Event) bool {
	switch e.ID {
	case event.Msgctl, event.Semctl, event.Shmctl:
		return true
	case event.Msgsnd:
		o := &e.Object
		sum, carry := bits.Add64(o.CurrentBytes, e.Args[2], 0)
		return failedWith(e, efault, einval) ||
			o.Kind == event.MessageQueue && carry == 0 && sum <= o.QueueBytes && o.Messages < o.QueueBytes
	}
	return false
}

func pointerIntoSegment(e *event.Event) bool {
	for i := range e.Memory {
		m := &e.Memory[i]
		if m.Arg == "" || m.Written() {
			continue
		}
		for j := range m.Mappings {
			if at := &m.Mappings[j]; at.State != event.MappingAbsent && at.IsSegment && at.SegmentID >= 0 {
				return true
			}
		}
	}
	return false
}

func servedMemory(e *event.Event) bool { return anyServed(e, true) }

func anyServed(e *event.Event, written bool) bool {
	for i := range e.Memory {
		m := &e.Memory[i]
		if m.Arg == "" || m.Written() && !written {
			continue
		}
		for j := range m.Mappings {
			if at := &m.Mappings[j]; at.State == event.Mapped &&
				(at.Userfaultfd || at.Magic == fuse && (at.Shared || !at.Resident)) {
				return true
			}
		}
	}
	return false
}
