package prefilter

import (
	"math"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// integer reads a number of the event: Undefined where the event does not have it, and
// Unknown where it is beyond 63 bits.
type integer func(*event.Event) (int64, sieve.Certainty)

func known(n int64) (int64, sieve.Certainty) { return n, sieve.Known }

func unsigned(n uint64) (int64, sieve.Certainty) {
	if n > math.MaxInt64 {
		return 0, sieve.Unknown
	}
	return int64(n), sieve.Known
}

// ofObject is a number that every object has.
func ofObject(e *event.Event, n int64) (int64, sieve.Certainty) {
	if e.Object.Kind == event.NoKind {
		return 0, sieve.Undefined
	}
	return n, sieve.Known
}

// ofKind is a number that objects of a kind have.
func ofKind(e *event.Event, kind event.Kind, n uint64) (int64, sieve.Certainty) {
	if e.Object.Kind != kind {
		return 0, sieve.Undefined
	}
	return unsigned(n)
}

// integers has the numbers of which an event has one or none, as event.Document has
// them.
var integers = map[string]integer{
	"returnValue": func(e *event.Event) (int64, sieve.Certainty) { return known(e.Return) },
	"durationNs":  func(e *event.Event) (int64, sieve.Certainty) { return unsigned(e.DurationNS) },
	"sleeps":      func(e *event.Event) (int64, sieve.Certainty) { return known(int64(e.Sleeps)) },
	"stalledNs": func(e *event.Event) (int64, sieve.Certainty) {
		if e.CopiedNS == 0 {
			return 0, sieve.Undefined
		}
		return unsigned(e.CopiedNS - e.BootNS)
	},
	"stalledSleeps": func(e *event.Event) (int64, sieve.Certainty) {
		if e.CopiedNS == 0 {
			return 0, sieve.Undefined
		}
		return known(int64(e.CopiedSleeps))
	},
	"userId":            func(e *event.Event) (int64, sieve.Certainty) { return known(int64(e.Process.UID)) },
	"groupId":           func(e *event.Event) (int64, sieve.Certainty) { return known(int64(e.Process.GID)) },
	"effectiveUserId":   func(e *event.Event) (int64, sieve.Certainty) { return known(int64(e.Process.EUID)) },
	"effectiveGroupId":  func(e *event.Event) (int64, sieve.Certainty) { return known(int64(e.Process.EGID)) },
	"processId":         func(e *event.Event) (int64, sieve.Certainty) { return known(int64(e.Process.PID)) },
	"hostProcessId":     func(e *event.Event) (int64, sieve.Certainty) { return known(int64(e.Process.HostPID)) },
	"object.id":         func(e *event.Event) (int64, sieve.Certainty) { return ofObject(e, int64(e.Object.ID)) },
	"object.key":        func(e *event.Event) (int64, sieve.Certainty) { return ofObject(e, int64(e.Object.Key)) },
	"object.mode":       func(e *event.Event) (int64, sieve.Certainty) { return ofObject(e, int64(e.Object.Mode)) },
	"object.ownerUid":   func(e *event.Event) (int64, sieve.Certainty) { return ofObject(e, int64(e.Object.OwnerUID)) },
	"object.ownerGid":   func(e *event.Event) (int64, sieve.Certainty) { return ofObject(e, int64(e.Object.OwnerGID)) },
	"object.creatorUid": func(e *event.Event) (int64, sieve.Certainty) { return ofObject(e, int64(e.Object.CreatorUID)) },
	"object.creatorGid": func(e *event.Event) (int64, sieve.Certainty) { return ofObject(e, int64(e.Object.CreatorGID)) },
	"object.nsems":      func(e *event.Event) (int64, sieve.Certainty) { return ofKind(e, event.Semaphore, e.Object.Semaphores) },
	"object.qbytes": func(e *event.Event) (int64, sieve.Certainty) {
		return ofKind(e, event.MessageQueue, e.Object.QueueBytes)
	},
	"object.cbytes": func(e *event.Event) (int64, sieve.Certainty) {
		return ofKind(e, event.MessageQueue, e.Object.CurrentBytes)
	},
	"object.qnum": func(e *event.Event) (int64, sieve.Certainty) { return ofKind(e, event.MessageQueue, e.Object.Messages) },
	"object.segsz": func(e *event.Event) (int64, sieve.Certainty) {
		return ofKind(e, event.SharedMemory, e.Object.SegmentBytes)
	},
	"object.nattch": func(e *event.Event) (int64, sieve.Certainty) { return ofKind(e, event.SharedMemory, e.Object.Attached) },
	"object.lspid": func(e *event.Event) (int64, sieve.Certainty) {
		return ofKind(e, event.MessageQueue, uint64(e.Object.LastSendPID))
	},
	"object.lrpid": func(e *event.Event) (int64, sieve.Certainty) {
		return ofKind(e, event.MessageQueue, uint64(e.Object.LastReceivePID))
	},
	"object.cpid": func(e *event.Event) (int64, sieve.Certainty) {
		return ofKind(e, event.SharedMemory, uint64(e.Object.CreatorPID))
	},
	"object.lpid": func(e *event.Event) (int64, sieve.Certainty) {
		return ofKind(e, event.SharedMemory, uint64(e.Object.LastPID))
	},
	// Only the main region can have a message.
	"memory[].atEntry.mtype": func(e *event.Event) (int64, sieve.Certainty) {
		main := &e.Memory[event.MainMemory]
		if main.Pointee != event.MsgbufIn && main.Pointee != event.MsgbufOut {
			return 0, sieve.Undefined
		}
		mtype, _, ok := event.Msgbuf(e.ABI, main.Entry.Bytes)
		if !ok {
			return 0, sieve.Undefined
		}
		return known(mtype)
	},
}

// numberCalled reads the argument called name, which is a pointer of no event.
func numberCalled(name string) integer {
	places := placesOf(name)
	return func(e *event.Event) (int64, sieve.Certainty) {
		p := places[e.ID]
		switch {
		case p.number == 0:
			return 0, sieve.Undefined
		case p.typ == event.Int || p.typ == event.Long:
			return known(int64(e.Args[p.number-1]))
		default:
			return unsigned(e.Args[p.number-1])
		}
	}
}

// masked is some bits of the number.
func (read integer) masked(mask int64) integer {
	return func(e *event.Event) (int64, sieve.Certainty) {
		n, certainty := read(e)
		return n & mask, certainty
	}
}

func (read integer) defined(e *event.Event) bool {
	_, certainty := read(e)
	return certainty != sieve.Undefined
}

func (read integer) value(e *event.Event) value {
	switch n, certainty := read(e); certainty {
	case sieve.Known:
		return ofInt(n)
	case sieve.Undefined:
		return value{}
	default:
		return value{kind: unknown}
	}
}

// field is the field of the number.
func (read integer) field(words string, events event.Set) field {
	return field{
		words: words, events: events, one: read.value, integer: read, number: &sieve.Field{Name: words, Number: read},
	}
}

// against compares the number with a constant.
func (read integer) against(op comparison, n int64) func(*event.Event) bool {
	return func(e *event.Event) bool {
		have, certainty := read(e)
		return certainty == sieve.Known && op.orders(have, n) || certainty == sieve.Unknown
	}
}

// with compares the number with another one.
func (read integer) with(op comparison, other integer) func(*event.Event) bool {
	return func(e *event.Event) bool {
		a, certainty := read(e)
		b, certainty2 := other(e)
		if certainty == sieve.Known && certainty2 == sieve.Known {
			return op.orders(a, b)
		}
		return certainty != sieve.Undefined && certainty2 != sieve.Undefined
	}
}
