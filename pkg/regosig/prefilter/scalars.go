package prefilter

import (
	"math"
	"strings"
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

// scalars has the other fields of which an event has one value or none.
var scalars = map[string]func(*event.Event) value{
	"eventName": func(e *event.Event) value { return ofText(e.Row().Name) },
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
	"unfinished": func(e *event.Event) value { return omitFalse(e.Unfinished) },
	"via": func(e *event.Event) value {
		if e.Multiplexed {
			return ofText(event.IPC.String())
		}
		return ofText("syscall")
	},
	"processName":           func(e *event.Event) value { return ofText(e.Process.Comm) },
	"executable.path":       func(e *event.Event) value { return ofText(e.Process.Executable) },
	"hostName":              func(e *event.Event) value { return ofText(e.Process.HostName) },
	"containerId":           func(e *event.Event) value { return ofText(e.Process.ContainerID) },
	"container.id":          func(e *event.Event) value { return ofText(e.Process.ContainerID) },
	"contextFlags.isCompat": func(e *event.Event) value { return ofBool(e.Compat) },
	"overlaps":              func(e *event.Event) value { return there(len(e.Overlaps) > 0) },
	"object":                func(e *event.Event) value { return there(e.Object.Kind != event.NoKind) },
	"object.kind": func(e *event.Event) value {
		return ifObject(e, ofText(e.Object.Kind.String()))
	},
	"object.created": func(e *event.Event) value { return ifObject(e, ofBool(e.Object.Created)) },
	// Only the main region can have settings.
	"memory[].atEntry.uid":  ofSettings(func(set event.SetRequest) value { return ofInt(set.UID) }),
	"memory[].atEntry.gid":  ofSettings(func(set event.SetRequest) value { return ofInt(set.GID) }),
	"memory[].atEntry.mode": ofSettings(func(set event.SetRequest) value { return ofInt(set.Mode) }),
	"memory[].atEntry.qbytes": func(e *event.Event) value {
		if e.SettingsKind() != event.MessageQueue {
			return value{}
		}
		return ofQueueBytes(e)
	},
}

// texts are those of them that are texts without a number. They are here as the kernel has
// them: documents replace what is not UTF-8.
var texts = map[string]bool{"processName": true, "executable.path": true, "hostName": true, "containerId": true, "container.id": true}

// asPrinted tells whether the document's field compares with a constant as the event's
// does; false where that is not known, and for no constant.
func (f *field) asPrinted(op comparison, constant *value) bool {
	return !texts[f.words] ||
		constant != nil && (op == equal || op == notEqual) && !strings.ContainsRune(constant.text, utf8.RuneError)
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

func ifObject(e *event.Event, v value) value {
	if e.Object.Kind == event.NoKind {
		return value{}
	}
	return v
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
