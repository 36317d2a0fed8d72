// Package pushdown is the part of the signatures' filters that the BPF programs
// decide: what has to be true of a call for any signature to match its event. It is a
// leaf, so that what derives the filters need not know what applies them.
package pushdown

// Field is a number that the BPF programs know of a call: a place in
// struct inflight.fields of ebpf/maps.h.
type Field uint8

// The fields. Those before Return are known when a call begins.
const (
	Arg0 Field = iota // the arguments, in the order of the event table
	Arg1
	Arg2
	Arg3
	Arg4
	Arg5
	UID
	GID
	EUID
	EGID
	Origin // bits: Compat, Multiplexed
	Return
	Facts // bits: Fact
	Duration
	Sleeps
	Stalled       // if Copied
	StalledSleeps // if Copied
	ObjectID      // this one and the following if HasObject
	ObjectKey
	ObjectMode
	OwnerUID
	OwnerGID
	CreatorUID
	CreatorGID
	Size0 // of the object, by its kind: struct object.sizes of ebpf/record.h
	Size1
	Size2
	PID0 // of the object, by its kind: struct object.pids
	PID1
	fieldCount
)

// FieldNames names the fields, as ebpf/table.gen.h and what is shown to users do.
var FieldNames = [fieldCount]string{
	"arg0", "arg1", "arg2", "arg3", "arg4", "arg5", "userId", "groupId", "effectiveUserId", "effectiveGroupId", "origin",
	"returnValue", "facts", "durationNs", "sleeps", "stalledNs", "stalledSleeps", "object.id", "object.key", "object.mode",
	"object.ownerUid", "object.ownerGid", "object.creatorUid", "object.creatorGid", "object.size0", "object.size1", "object.size2",
	"object.pid0", "object.pid1",
}

// AtEntry tells whether the field is known when a call begins.
func (f Field) AtEntry() bool { return f < Return }

// The bits of Origin.
const (
	Compat      = 1 << iota // a 32-bit caller, or int 0x80 from 64-bit code
	Multiplexed             // through ipc(2)
)

// Fact is a bit of Facts. Those that are uncertain are set.
type Fact uint32

// The facts.
const (
	HasObject       Fact = 1 << iota // an object was found
	Created                          // the call created it
	OwnerDiffers                     // its owner is not the caller
	CreatorDiffers                   // its creator is not the caller
	Unfinished                       // the thread died in the call
	Copied                           // it is known when the kernel had its copy of the input
	Differs                          // two looks at one piece of input differ
	Overlaps                         // another call was on the same memory meanwhile
	BeyondSet                        // an operation at entry is for a semaphore that the set does not have
	Undoes                           // an operation has SEM_UNDO
	NoWait                           // an operation has IPC_NOWAIT
	MapsShared                       // memory of the call is mapped: shared with others
	MapsUserfaultfd                  // with page faults that a process handles
	MapsFile                         // from a file
	MapsFuse                         // from a file of a FUSE file system
	MapsSegment                      // from a segment
)

// BitName says what it means that a bit is set, and that it is not.
type BitName struct{ ID, Is, Not string }

// FactNames names the facts, in the order of their bits.
var FactNames = []BitName{
	{"HAS_OBJECT", "object found", "no object found"},
	{"CREATED", "object created", "no object created"},
	{"OWNER_DIFFERS", "owner is not the caller", "owner is the caller"},
	{"CREATOR_DIFFERS", "creator is not the caller", "creator is the caller"},
	{"UNFINISHED", "unfinished", "not unfinished"},
	{"COPIED", "time of the kernel's copy known", "time of the kernel's copy unknown"},
	{"DIFFERS", "looks at memory differ", "no looks at memory differ"},
	{"OVERLAPS", "overlaps another call", "overlaps no other call"},
	{"BEYOND_SET", "operation beyond the set", "no operation beyond the set"},
	{"UNDOES", "operation with SEM_UNDO", "no operation with SEM_UNDO"},
	{"NO_WAIT", "operation with IPC_NOWAIT", "no operation with IPC_NOWAIT"},
	{"MAPS_SHARED", "shared mapping", "no shared mapping"},
	{"MAPS_USERFAULTFD", "mapping with userfaultfd", "no mapping with userfaultfd"},
	{"MAPS_FILE", "mapped file", "no mapped file"},
	{"MAPS_FUSE", "mapped FUSE file", "no mapped FUSE file"},
	{"MAPS_SEGMENT", "mapped segment", "no mapped segment"},
}

// OriginNames names the bits of Origin.
var OriginNames = []BitName{
	{"COMPAT", "32-bit caller", "native caller"},
	{"MULTIPLEXED", "through ipc", "not through ipc"},
}
