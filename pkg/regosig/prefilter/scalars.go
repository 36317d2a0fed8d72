package prefilter

import (
	"math"
	"unicode/utf8"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// omitFalse is a boolean that the document leaves out when it is false.
func omitFalse(b bool) value {
	if !b {
		return value{}
	}
	return ofBool(true)
}

// omitEmpty is a text that the document leaves out when it is empty.
func omitEmpty(s string) value {
	if s == "" {
		return value{}
	}
	return ofText(s)
}

// scalars has the fields of which an event has one value or none, as
// event.Document has them.
var scalars = map[string]func(*event.Event) value{
	"eventName":   func(e *event.Event) value { return ofText(e.Row().Name) },
	"returnValue": func(e *event.Event) value { return ofInt(e.Return) },
	"error": func(e *event.Event) value {
		if e.Unfinished || !e.Failed() {
			return value{}
		}
		if name := event.KnownErrno(e.Return); name != "" {
			return ofText(name)
		}
		return value{kind: unnamed}
	},
	"command":    func(e *event.Event) value { return omitEmpty(e.Command()) },
	"durationNs": func(e *event.Event) value { return ofUint(e.DurationNS) },
	"stalledNs": func(e *event.Event) value {
		if e.CopiedNS == 0 {
			return value{}
		}
		return ofUint(e.CopiedNS - e.BootNS)
	},
	"stalledSleeps": func(e *event.Event) value {
		if e.CopiedNS == 0 {
			return value{}
		}
		return ofInt(e.CopiedSleeps)
	},
	"sleeps":     func(e *event.Event) value { return ofInt(e.Sleeps) },
	"unfinished": func(e *event.Event) value { return omitFalse(e.Unfinished) },
	"via": func(e *event.Event) value {
		if e.Multiplexed {
			return ofText(event.IPC.String())
		}
		return ofText("syscall")
	},
	"userId":                func(e *event.Event) value { return ofInt(e.Process.UID) },
	"groupId":               func(e *event.Event) value { return ofInt(e.Process.GID) },
	"effectiveUserId":       func(e *event.Event) value { return ofInt(e.Process.EUID) },
	"effectiveGroupId":      func(e *event.Event) value { return ofInt(e.Process.EGID) },
	"processId":             func(e *event.Event) value { return ofInt(e.Process.PID) },
	"hostProcessId":         func(e *event.Event) value { return ofInt(e.Process.HostPID) },
	"processName":           func(e *event.Event) value { return printed(e.Process.Comm) },
	"executable.path":       func(e *event.Event) value { return printed(e.Process.Executable) },
	"hostName":              func(e *event.Event) value { return printed(e.Process.HostName) },
	"containerId":           func(e *event.Event) value { return printed(e.Process.ContainerID) },
	"container.id":          func(e *event.Event) value { return printed(e.Process.ContainerID) },
	"contextFlags.isCompat": func(e *event.Event) value { return ofBool(e.Compat) },
	"overlaps":              func(e *event.Event) value { return there(len(e.Overlaps) > 0) },
	"object":                func(e *event.Event) value { return there(e.Object.Kind != event.NoKind) },
	"object.kind":           ofObject(func(o *event.Object) value { return ofText(o.Kind.String()) }),
	"object.id":             ofObject(func(o *event.Object) value { return ofInt(o.ID) }),
	"object.key":            ofObject(func(o *event.Object) value { return ofInt(o.Key) }),
	"object.created":        ofObject(func(o *event.Object) value { return ofBool(o.Created) }),
	"object.mode":           ofObject(func(o *event.Object) value { return ofInt(o.Mode) }),
	"object.ownerUid":       ofObject(func(o *event.Object) value { return ofInt(o.OwnerUID) }),
	"object.ownerGid":       ofObject(func(o *event.Object) value { return ofInt(o.OwnerGID) }),
	"object.creatorUid":     ofObject(func(o *event.Object) value { return ofInt(o.CreatorUID) }),
	"object.creatorGid":     ofObject(func(o *event.Object) value { return ofInt(o.CreatorGID) }),
	"object.nsems":          ofKind(event.Semaphore, func(o *event.Object) uint64 { return o.Semaphores }),
	"object.qbytes":         ofKind(event.MessageQueue, func(o *event.Object) uint64 { return o.QueueBytes }),
	"object.cbytes":         ofKind(event.MessageQueue, func(o *event.Object) uint64 { return o.CurrentBytes }),
	"object.qnum":           ofKind(event.MessageQueue, func(o *event.Object) uint64 { return o.Messages }),
	"object.segsz":          ofKind(event.SharedMemory, func(o *event.Object) uint64 { return o.SegmentBytes }),
	// Only the main region can have settings or a message.
	"memory[].atEntry.uid":  ofSettings(func(set event.SetRequest) value { return ofInt(set.UID) }),
	"memory[].atEntry.gid":  ofSettings(func(set event.SetRequest) value { return ofInt(set.GID) }),
	"memory[].atEntry.mode": ofSettings(func(set event.SetRequest) value { return ofInt(set.Mode) }),
	"memory[].atEntry.qbytes": func(e *event.Event) value {
		if e.SettingsKind() != event.MessageQueue {
			return value{}
		}
		return ofQueueBytes(e)
	},
	"memory[].atEntry.mtype": func(e *event.Event) value {
		main := &e.Memory[event.MainMemory]
		if main.Pointee != event.MsgbufIn && main.Pointee != event.MsgbufOut {
			return value{}
		}
		mtype, _, ok := event.Msgbuf(e.ABI, main.Entry.Bytes)
		if !ok {
			return value{}
		}
		return ofInt(mtype)
	},
	"object.nattch": ofKind(event.SharedMemory, func(o *event.Object) uint64 { return o.Attached }),
}

// texts are those of them that are texts without a number.
var texts = map[string]bool{"processName": true, "executable.path": true, "hostName": true, "containerId": true, "container.id": true}

// printed is a text of which documents replace what is not UTF-8.
func printed(s string) value {
	if !utf8.ValidString(s) {
		return value{kind: unknown}
	}
	return ofText(s)
}

// there is a list or an object of which only that it is there is known here.
func there(is bool) value {
	if !is {
		return value{}
	}
	return value{kind: unknown}
}

func ofSettings(get func(event.SetRequest) value) func(*event.Event) value {
	return func(e *event.Event) value {
		main := &e.Memory[event.MainMemory]
		set, ok := e.SettingsAt(main, event.AtEntry)
		if main.Arg == "" || !ok || main.Entry.State == event.Absent {
			return value{}
		}
		return get(set)
	}
}

var ofQueueBytes = ofSettings(func(set event.SetRequest) value { return ofUint(set.QueueBytes) })

func ofObject(get func(*event.Object) value) func(*event.Event) value {
	return func(e *event.Event) value {
		if e.Object.Kind == event.NoKind {
			return value{}
		}
		return get(&e.Object)
	}
}

func ofKind(kind event.Kind, get func(*event.Object) uint64) func(*event.Event) value {
	return func(e *event.Event) value {
		if e.Object.Kind != kind {
			return value{}
		}
		return ofUint(get(&e.Object))
	}
}

// place is where an event has an argument.
type place struct {
	number int8 // from 1; 0 if it does not have it
	typ    event.Type
}

// placesOf has the places of the argument called name, by event ID.
func placesOf(name string) (places [math.MaxUint8 + 1]place) {
	for _, row := range event.Rows() {
		if i := row.Find(name); i >= 0 {
			places[row.ID] = place{int8(i + 1), row.Args[i].Type}
		}
	}
	return places
}

// argument reads the argument called name of whichever event has one. Pointers are
// texts in documents, of which only that of the null pointer is known here.
func argument(name string) func(*event.Event) value {
	places := placesOf(name)
	return func(e *event.Event) value {
		p := places[e.ID]
		if p.number == 0 {
			return value{}
		}
		switch v := e.Args[p.number-1]; {
		case p.typ == event.Int || p.typ == event.Long:
			return ofInt(int64(v))
		case p.typ != event.Pointer:
			return ofUint(v)
		case v == 0:
			return ofText("0x0")
		default:
			return value{kind: unknown}
		}
	}
}

// isPointer tells whether any event has a pointer called name.
func isPointer(name string) bool {
	for _, p := range placesOf(name) {
		if p.number != 0 && p.typ == event.Pointer {
			return true
		}
	}
	return false
}

// pointer reads the argument called name of the events for which it is a pointer.
func pointer(name string) func(*event.Event) (address uint64, ok bool) {
	places := placesOf(name)
	return func(e *event.Event) (uint64, bool) {
		p := places[e.ID]
		if p.number == 0 || p.typ != event.Pointer {
			return 0, false
		}
		return e.Args[p.number-1], true
	}
}
