package event

import "bytes"

// MaxMemory is the number of pieces of user memory that one call can lead to.
const MaxMemory = 3

// The places in Event.Memory.
const (
	MainMemory     = iota // the message, the operations or the settings
	IndirectMemory        // ipc(2): what ptr, or third for SHMAT, points to
	TimeoutMemory
)

// State tells how far a piece of user memory could be read.
type State uint8

// The states of a view.
const (
	Absent     State = iota // was not looked at
	Whole                   // all of it is there
	Cut                     // longer than the bound, or only its first part was readable
	Unreadable              // not one byte could be read
)

var stateNames = [...]string{"absent", "read", "cut", "unreadable"}

// String is the state as documents have it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Source tells where the kernel's own copy was seen.
type Source uint8

// The sources of Memory.Kernel.
const (
	NoSource   Source = iota
	AtFunction        // as an argument of one of the kernel's functions
	AtKmalloc         // in the message that msgsnd had allocated, when the call ended
)

var sourceNames = [...]string{"", "function", "kmalloc"}

// String is the source as documents have it.
func (s Source) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return "unknown"
}

// Memory is user memory that an argument leads to, seen at entry and at exit, and
// what the kernel has taken from it.
type Memory struct {
	Pointee Pointee // NoPointee: the call leads to no such memory
	Arg     string  // name of the argument
	Address uint64
	Length  uint64 // bytes that the call asked the kernel to read, or that the kernel wrote
	Entry   View
	// Kernel is the kernel's own copy, where it could be watched. It has the
	// layout of the caller's memory, but for Settings, which are in the native one.
	Kernel       View
	KernelLength uint64 // bytes that the kernel's copy has
	KernelSource Source
	Exit         View
	Mappings     [2]Mapping // of its first and of its last byte, at entry
}

// View is what one look at a piece of memory gave.
type View struct {
	State State
	Bytes []byte // aliases the record; valid as long as the event is

	// Digest is a keyed hash of the first Digested bytes: of a message, of its
	// text. It is there where Bytes is not all of the memory, and compares with
	// others of the same run of the probe only.
	Digest   uint64
	Digested uint64
}

// Mapping is what the kernel has mapped at a byte of user memory.
type Mapping struct {
	State       MappingState
	Shared      bool   // with other processes: MAP_SHARED, or a segment
	Userfaultfd bool   // its faults are handled by a process, which can take its time
	Resident    bool   // the byte could be read without a page fault
	Magic       uint32 // of the file system that backs it; 0 for anonymous memory
	IsSegment   bool   // a System V segment
	SegmentID   int32
	Attached    uint32 // how often the segment is attached
}

// MappingState tells whether a mapping could be looked up.
type MappingState uint8

// The states of a mapping.
const (
	MappingAbsent MappingState = iota // was not looked for
	Mapped
	Unmapped      // nothing is mapped there
	MappingUnread // the kernel's table was locked, or the kernel lets nobody look
)

var mappingStateNames = [...]string{"absent", "read", "unmapped", "unread"}

// String is the state as documents have it.
func (s MappingState) String() string {
	if int(s) < len(mappingStateNames) {
		return mappingStateNames[s]
	}
	return "unknown"
}

// Best is the view to decode: the one at entry unless nothing could be read
// then, as happens with memory that nobody has touched before the kernel does.
func (m *Memory) Best() View {
	if len(m.Entry.Bytes) > 0 || m.Exit.State == Absent {
		return m.Entry
	}
	return m.Exit
}

// Written tells whether the kernel writes to the memory, so that what is there at
// exit is no change.
func (m *Memory) Written() bool {
	switch m.Pointee {
	case MsgbufOut, SettingsOut, SemunOut:
		return true
	default:
		return m.Arg == Third.String() // ipc(SHMAT) stores the address there
	}
}

// digestOffset is where in the memory the bytes of a digest begin.
func (m *Memory) digestOffset(abi ABI) uint64 {
	if m.Pointee == MsgbufIn || m.Pointee == MsgbufOut {
		return uint64(WordSize(abi))
	}
	return 0
}

// Comparison is the outcome of comparing two views.
type Comparison uint8

// The outcomes. Views of which no byte was read twice do not compare.
const (
	NotCompared Comparison = iota
	Same
	Differs
)

// compare compares what both views have of the same memory.
func (v *View) compare(other *View) Comparison {
	n := min(len(v.Bytes), len(other.Bytes))
	if !bytes.Equal(v.Bytes[:n], other.Bytes[:n]) {
		return Differs
	}
	digests := v.Digested > 0 && v.Digested == other.Digested
	switch {
	case digests && v.Digest != other.Digest:
		return Differs
	case digests || n > 0:
		return Same
	default:
		return NotCompared
	}
}
