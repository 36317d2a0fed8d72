// Package wire reads the records that the BPF program writes into its ring.
package wire

// Format is the version of the record layout. It changes whenever Record does,
// and record.h has the same number.
const Format = 4

// The flags of a record.
const (
	FlagCompat      = 1 << iota // made through the 32-bit system call table
	FlagMultiplexed             // made through ipc(2)
	FlagTime64                  // 32-bit caller with a 64-bit struct timespec
	FlagUnfinished              // the thread died in the call
)

// Record is the head of every record: struct record of ebpf/record.h, field by
// field. The C names are in the tags; cmd/gen writes an assertion for each, so
// that clang refuses to compile a struct that has drifted. The bytes of the views
// follow.
type Record struct {
	Length  uint32 `c:"length"` // of the whole record in bytes
	Format  uint8  `c:"format"`
	Event   uint8  `c:"event"` // event.ID
	ABI     uint8  `c:"abi"`   // event.ABI
	Flags   uint8  `c:"flags"`
	CPU     uint32 `c:"cpu"`
	Command uint32 `c:"command"` // cmd of a *ctl call as it was passed

	EnteredNS uint64    `c:"entered_ns"` // on CLOCK_BOOTTIME, as all times here
	CopiedNS  uint64    `c:"copied_ns"`  // the kernel had its copy of main memory; 0: not seen
	ExitedNS  uint64    `c:"exited_ns"`
	Return    int64     `c:"ret"`
	Raw       [6]uint64 `c:"raw"`  // registers; 32 bits each for a compat caller
	Args      [6]uint64 `c:"args"` // of the decoded call, as registers hold them

	CgroupID       uint64 `c:"cgroup_id"`
	ThreadStartNS  uint64 `c:"thread_start_ns"`
	ProcessStartNS uint64 `c:"process_start_ns"`
	ParentStartNS  uint64 `c:"parent_start_ns"`

	HostPID       uint32 `c:"host_pid"`
	HostTID       uint32 `c:"host_tid"`
	HostParentPID uint32 `c:"host_parent_pid"`
	PID           uint32 `c:"pid"`
	TID           uint32 `c:"tid"`
	ParentPID     uint32 `c:"parent_pid"`
	UID           uint32 `c:"uid"`
	GID           uint32 `c:"gid"`
	EUID          uint32 `c:"euid"`
	EGID          uint32 `c:"egid"`
	MountNS       uint32 `c:"mount_ns"`
	PIDNS         uint32 `c:"pid_ns"`
	IPCNS         uint32 `c:"ipc_ns"`
	Sleeps        uint32 `c:"sleeps"` // voluntary context switches in the call

	Comm [16]byte `c:"comm"`

	Object  Object    `c:"object"`
	Memory  [3]Memory `c:"memory"`
	Digests [3]uint64 `c:"digests"` // of the views of main memory

	OverlapsOffset  uint16 `c:"overlaps_offset"` // in the bytes after the record
	Overlaps        uint16 `c:"overlaps"`        // how many Overlap lie there
	OverlapsOmitted uint32 `c:"overlaps_omitted"`
	CopiedSleeps    uint32 `c:"copied_sleeps"` // voluntary context switches until CopiedNS

	Repeats        uint32 `c:"repeats"`          // calls before this one that were counted, as they are like it
	RepeatsFirstNS uint64 `c:"repeats_first_ns"` // end of the first of them
	RepeatsLastNS  uint64 `c:"repeats_last_ns"`
	Shape          uint64 `c:"shape"` // by which those like it are counted; 0 if they are not
}

// Object is struct object of record.h: the IPC object behind the call.
type Object struct {
	Kind       uint8  `c:"kind"` // event.Kind
	Created    uint8  `c:"created"`
	Mode       uint16 `c:"mode"`
	ID         int32  `c:"id"`
	Key        int32  `c:"key"`
	OwnerUID   uint32 `c:"owner_uid"`
	OwnerGID   uint32 `c:"owner_gid"`
	CreatorUID uint32 `c:"creator_uid"`
	CreatorGID uint32 `c:"creator_gid"`
	KernelID   int32  `c:"kernel_id"` // of the object that the kernel acts on
	KernelSeen uint8  `c:"kernel_seen"`
	Access     uint8  `c:"kernel_access"` // event.Access
	_          [6]byte
	Sequence   uint64    `c:"sequence"`
	Sizes      [3]uint64 `c:"sizes"` // msg: qbytes, cbytes, qnum; sem: nsems; shm: segsz, nattch
	PIDs       [2]uint32 `c:"pids"`  // msg: lspid, lrpid; shm: cpid, lpid
}

// Memory is struct memory of record.h: one piece of user memory.
type Memory struct {
	Address  uint64  `c:"address"`
	Length   uint64  `c:"wanted"`  // bytes that the call asks for
	Views    [3]View `c:"views"`   // AtEntry, InKernel, AtExit
	Pointee  uint8   `c:"pointee"` // event.Pointee
	Used     uint8   `c:"used"`
	_        [2]byte
	Mappings [2]Mapping `c:"mappings"` // of its first and of its last byte
}

// Mapping is struct mapping of record.h: what is mapped at a byte.
type Mapping struct {
	State    uint8 `c:"state"` // event.MappingState
	Flags    uint8 `c:"flags"`
	_        [2]byte
	Magic    uint32 `c:"magic"` // of the file system
	Segment  int32  `c:"segment"`
	Attached uint32 `c:"attached"`
}

// The flags of a mapping.
const (
	MappingShared = 1 << iota
	MappingUserfaultfd
	MappingSegment
	MappingResident
)

// Overlap is struct overlap of record.h: a call of another thread on the same memory.
type Overlap struct {
	PID       uint32 `c:"host_pid"`
	TID       uint32 `c:"host_tid"`
	Event     uint8  `c:"event"`
	Writes    uint8  `c:"writes"`
	_         [6]byte
	Address   uint64 `c:"address"`
	Length    uint64 `c:"length"`
	EnteredNS uint64 `c:"entered_ns"`
}

// The looks at one piece of memory.
const (
	AtEntry = iota
	InKernel
	AtExit
)

// View is struct view of record.h: what one look has captured.
type View struct {
	Offset   uint16 `c:"offset"` // in the bytes after the record
	Captured uint16 `c:"captured"`
	Length   uint32 `c:"length"`   // InKernel: bytes that the kernel has
	State    uint8  `c:"state"`    // event.State
	Source   uint8  `c:"source"`   // InKernel: event.Source
	Digested uint16 `c:"digested"` // bytes that go into the digest
}
