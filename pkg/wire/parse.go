package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Size is the length in bytes of a record without what follows it.
const Size = int(unsafe.Sizeof(Record{}))

const (
	overlapSize = int(unsafe.Sizeof(Overlap{}))
	maxOverlaps = 4 // OVERLAPS of record.h
)

// ErrMalformed is wrapped by every error of Parse.
var ErrMalformed = errors.New("malformed record")

// Parse fills e from the bytes of one record. Any bytes give an event or an
// error. e's memory views alias b, so e is valid only as long as b is.
// bootToUnixNS is what to add to CLOCK_BOOTTIME to get the Unix time.
func Parse(b []byte, bootToUnixNS int64, e *event.Event) error {
	var r Record
	if len(b) < Size {
		return fmt.Errorf("%w: %d bytes, want at least %d", ErrMalformed, len(b), Size)
	}
	// The record is in the byte order of the machine that wrote it, and so is r.
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&r)), Size), b)
	if err := r.check(len(b)); err != nil {
		return err
	}
	*e = event.Event{
		ID:           event.ID(r.Event),
		ABI:          event.ABI(r.ABI),
		Multiplexed:  r.Flags&FlagMultiplexed != 0,
		Compat:       r.Flags&FlagCompat != 0,
		Time64:       r.Flags&FlagTime64 != 0,
		Unfinished:   r.Flags&FlagUnfinished != 0,
		BootNS:       r.EnteredNS,
		TimeNS:       int64(r.EnteredNS) + bootToUnixNS,
		DurationNS:   r.ExitedNS - r.EnteredNS,
		Return:       r.Return,
		RawReturn:    r.Return,
		RawCommand:   r.Command,
		CPU:          r.CPU,
		Process:      r.process(bootToUnixNS, e.Process.Comm),
		Object:       r.Object.object(),
		CopiedNS:     r.CopiedNS,
		CopiedSleeps: r.CopiedSleeps,
		Sleeps:       r.Sleeps,
		Overlaps:     e.Overlaps[:0],
		Repeats:      event.Repeats{Count: uint64(r.Repeats), FirstNS: r.RepeatsFirstNS, LastNS: r.RepeatsLastNS},
	}
	if e.Multiplexed {
		e.Call, e.Version = uint16(r.Raw[0]), uint16(r.Raw[0]>>16)
		e.Raw = widen(event.Lookup(event.IPC), e.ABI, r.Raw)
	}
	e.Args = widen(e.Row(), e.ABI, r.Args)
	r.memory(b, e)
	r.overlaps(b, e)
	takeAttachAddress(e)
	return nil
}

// check refuses what a correct BPF program cannot have written.
func (r *Record) check(length int) error {
	switch {
	case r.Format != Format:
		return fmt.Errorf("%w: format %d, want %d", ErrMalformed, r.Format, Format)
	case int64(r.Length) < int64(Size) || int64(r.Length) > int64(length):
		return fmt.Errorf("%w: length %d, with %d bytes there", ErrMalformed, r.Length, length)
	case event.Lookup(event.ID(r.Event)) == nil:
		return fmt.Errorf("%w: unknown event %d", ErrMalformed, r.Event)
	case int(r.ABI) >= len(event.ABIs()):
		return fmt.Errorf("%w: unknown ABI %d", ErrMalformed, r.ABI)
	case event.Kind(r.Object.Kind) > event.SharedMemory:
		return fmt.Errorf("%w: unknown object kind %d", ErrMalformed, r.Object.Kind)
	case r.ExitedNS < r.EnteredNS:
		return fmt.Errorf("%w: exit %d before entry %d", ErrMalformed, r.ExitedNS, r.EnteredNS)
	case r.CopiedNS != 0 && (r.CopiedNS < r.EnteredNS || r.CopiedNS > r.ExitedNS):
		return fmt.Errorf("%w: copy at %d, not between entry %d and exit %d", ErrMalformed, r.CopiedNS, r.EnteredNS, r.ExitedNS)
	case r.Repeats > 0 && (r.RepeatsFirstNS > r.RepeatsLastNS || r.RepeatsLastNS > r.ExitedNS):
		return fmt.Errorf("%w: repeats from %d to %d, before exit %d", ErrMalformed, r.RepeatsFirstNS, r.RepeatsLastNS, r.ExitedNS)
	case r.Overlaps > 0 && (r.Overlaps > maxOverlaps || int(r.OverlapsOffset)+int(r.Overlaps)*overlapSize > int(r.Length)-Size):
		return fmt.Errorf("%w: %d overlaps at %d, with %d bytes there", ErrMalformed, r.Overlaps, r.OverlapsOffset, int(r.Length)-Size)
	}
	for i := range r.Memory {
		m := &r.Memory[i]
		if m.Used != 0 && !hasMemory(event.Lookup(event.ID(r.Event)), i) {
			return fmt.Errorf("%w: event %d has no memory %d", ErrMalformed, r.Event, i)
		}
		if event.Pointee(m.Pointee) > event.SemunOut {
			return fmt.Errorf("%w: unknown pointee %d of memory %d", ErrMalformed, m.Pointee, i)
		}
		for j := range m.Mappings {
			if event.MappingState(m.Mappings[j].State) > event.MappingUnread {
				return fmt.Errorf("%w: unknown state %d of mapping %d of memory %d", ErrMalformed, m.Mappings[j].State, j, i)
			}
		}
		for j := range m.Views {
			if err := m.Views[j].check(int(r.Length) - Size); err != nil {
				return fmt.Errorf("%w in view %d of memory %d", err, j, i)
			}
		}
	}
	return nil
}

// check demands that what was captured lies in the given number of bytes.
func (v *View) check(room int) error {
	if int(v.Offset)+int(v.Captured) > room && v.Captured > 0 {
		return fmt.Errorf("%w: %d bytes at %d, with %d there", ErrMalformed, v.Captured, v.Offset, room)
	}
	if event.State(v.State) > event.Unreadable {
		return fmt.Errorf("%w: unknown state %d", ErrMalformed, v.State)
	}
	if event.Source(v.Source) > event.AtKmalloc {
		return fmt.Errorf("%w: unknown source %d", ErrMalformed, v.Source)
	}
	return nil
}

// hasMemory tells whether the arguments of a call can lead to the i-th piece.
func hasMemory(row *event.Row, i int) bool {
	switch i {
	case event.TimeoutMemory:
		return row.TimeoutAt() >= 0
	case event.MainMemory:
		return row.MainAt() >= 0
	default:
		return true
	}
}

// process converts the identity of the caller. The same thread often calls again
// and again, so comm, the previous event's, is kept where it has not changed.
func (r *Record) process(bootToUnixNS int64, comm string) event.Process {
	name := r.Comm[:]
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	if comm != string(name) {
		comm = string(name)
	}
	return event.Process{
		PID: r.PID, TID: r.TID, ParentPID: r.ParentPID,
		HostPID: r.HostPID, HostTID: r.HostTID, HostParentPID: r.HostParentPID,
		UID: r.UID, GID: r.GID, EUID: r.EUID, EGID: r.EGID,
		MountNamespace: r.MountNS, PIDNamespace: r.PIDNS, IPCNamespace: r.IPCNS,
		CgroupID: r.CgroupID, ThreadStartNS: r.ThreadStartNS, ProcessStartNS: r.ProcessStartNS,
		ParentStartNS: r.ParentStartNS, BootToUnixNS: bootToUnixNS, Comm: comm,
	}
}

func (o *Object) object() event.Object {
	dst := event.Object{
		Kind: event.Kind(o.Kind), Created: o.Created != 0, ID: o.ID, Key: o.Key, Mode: o.Mode, Sequence: o.Sequence,
		OwnerUID: o.OwnerUID, OwnerGID: o.OwnerGID, CreatorUID: o.CreatorUID, CreatorGID: o.CreatorGID,
		Kernel: event.KernelObject{Seen: o.KernelSeen != 0, ID: o.KernelID, Access: event.Access(o.Access)},
	}
	switch dst.Kind {
	case event.MessageQueue:
		dst.QueueBytes, dst.CurrentBytes, dst.Messages = o.Sizes[0], o.Sizes[1], o.Sizes[2]
		dst.LastSendPID, dst.LastReceivePID = o.PIDs[0], o.PIDs[1]
	case event.Semaphore:
		dst.Semaphores = o.Sizes[0]
	case event.SharedMemory:
		dst.SegmentBytes, dst.Attached = o.Sizes[0], o.Sizes[1]
		dst.CreatorPID, dst.LastPID = o.PIDs[0], o.PIDs[1]
	}
	return dst
}

// widen gives every argument 64 bits with the sign of its C type. A register
// holds whatever the caller likes above the width of the type; the kernel
// ignores it, and so must we.
func widen(row *event.Row, abi event.ABI, args [6]uint64) (out [event.MaxArgs]uint64) {
	for i := range row.Args {
		v := args[i]
		switch row.Args[i].Type {
		case event.Int:
			v = uint64(int64(int32(v)))
		case event.UInt:
			v = uint64(uint32(v))
		case event.Long:
			if abi.Is32Bit() {
				v = uint64(int64(int32(v)))
			}
		case event.Size, event.Pointer:
			if abi.Is32Bit() {
				v = uint64(uint32(v))
			}
		}
		if row.Args[i].Decode.IsCommand() && row.ID != event.IPC {
			v &^= event.IPC64
		}
		out[i] = v
	}
	return out
}

func (r *Record) memory(b []byte, e *event.Event) {
	for i := range r.Memory {
		src, dst := &r.Memory[i], &e.Memory[i]
		if src.Used == 0 {
			continue
		}
		*dst = event.Memory{
			Pointee: event.Pointee(src.Pointee), Arg: argName(e, i), Address: src.Address, Length: src.Length,
			Entry: src.Views[AtEntry].view(b[Size:]), Exit: src.Views[AtExit].view(b[Size:]),
			Kernel: src.Views[InKernel].view(b[Size:]), KernelLength: uint64(src.Views[InKernel].Length),
			KernelSource: event.Source(src.Views[InKernel].Source),
		}
		for j := range src.Mappings {
			dst.Mappings[j] = src.Mappings[j].mapping()
		}
	}
	main := &e.Memory[event.MainMemory]
	main.Entry.Digest, main.Kernel.Digest, main.Exit.Digest = r.Digests[AtEntry], r.Digests[InKernel], r.Digests[AtExit]
}

func (m *Mapping) mapping() event.Mapping {
	return event.Mapping{
		State: event.MappingState(m.State), Shared: m.Flags&MappingShared != 0, Userfaultfd: m.Flags&MappingUserfaultfd != 0,
		Resident: m.Flags&MappingResident != 0, Magic: m.Magic, IsSegment: m.Flags&MappingSegment != 0, SegmentID: m.Segment, Attached: m.Attached,
	}
}

// overlaps takes the overlapping calls out of the bytes after the record.
func (r *Record) overlaps(b []byte, e *event.Event) {
	e.OverlapsOmitted = r.OverlapsOmitted
	for i := range int(r.Overlaps) {
		var o Overlap
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&o)), overlapSize), b[Size+int(r.OverlapsOffset)+i*overlapSize:])
		e.Overlaps = append(e.Overlaps, event.Overlap{
			HostPID: o.PID, HostTID: o.TID, ID: event.ID(o.Event), Writes: o.Writes != 0,
			Address: o.Address, Length: o.Length, BootNS: o.EnteredNS,
		})
	}
}

// view takes what was captured out of the bytes after the record.
func (v *View) view(b []byte) event.View {
	view := event.View{State: event.State(v.State), Digested: uint64(v.Digested)}
	if v.Captured > 0 {
		view.Bytes = b[v.Offset : int(v.Offset)+int(v.Captured)]
	}
	return view
}

// argName is the argument that leads to the i-th piece of memory.
func argName(e *event.Event, i int) string {
	row := e.Row()
	switch i {
	case event.IndirectMemory:
		if e.ID == event.Shmat {
			return event.Third.String()
		}
		return event.Ptr.String()
	case event.TimeoutMemory:
		return row.Args[row.TimeoutAt()].Name
	default:
		return row.Args[row.MainAt()].Name
	}
}

// takeAttachAddress makes shmat through ipc(2) return what shmat returns: there,
// the system call returns 0 and the kernel stores the address behind third.
func takeAttachAddress(e *event.Event) {
	if e.ID != event.Shmat || !e.Multiplexed || e.Return != 0 {
		return
	}
	if b := e.Memory[event.IndirectMemory].Exit.Bytes; len(b) >= 4 {
		e.Return = int64(binary.NativeEndian.Uint32(b))
	}
}
