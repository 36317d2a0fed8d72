package event

// Event is one system call as the kernel saw it. It is filled in place by
// wire.Parse and reused: whoever keeps anything of it beyond the call that
// handed it over must copy, the Bytes of its memory included.
type Event struct {
	ID  ID
	ABI ABI

	// Multiplexed tells that the call came through ipc(2); Call, Version and
	// Raw are then its operation number, the version in the upper half of its
	// first argument, and its six parameters.
	Multiplexed bool
	Compat      bool // a 32-bit caller, or int 0x80 from 64-bit code
	Time64      bool // 32-bit caller with a 64-bit struct timespec
	Unfinished  bool // the thread died in the call: there is no return value
	Call        uint16
	Version     uint16
	Raw         [MaxArgs]uint64

	Args [MaxArgs]uint64 // widened to 64 bits, with the sign of their type

	BootNS     uint64 // entry, on CLOCK_BOOTTIME
	TimeNS     int64  // entry, since the Unix epoch
	DurationNS uint64
	Return     int64
	RawReturn  int64  // of the system call itself: ipc(SHMAT) returns 0 and stores the address
	RawCommand uint32 // cmd with IPC_64, as the caller passed it
	CPU        uint32

	Process Process
	Object  Object
	Memory  [MaxMemory]Memory

	// CopiedNS is when the kernel had its copy of the main input, on CLOCK_BOOTTIME;
	// 0 where that is not known.
	CopiedNS     uint64
	CopiedSleeps uint32 // voluntary context switches until CopiedNS
	Sleeps       uint32 // voluntary context switches during the call

	Overlaps        []Overlap // aliases a buffer that the event keeps from call to call
	OverlapsOmitted uint32    // beyond MaxOverlaps

	Repeats Repeats
}

// Repeats are calls of a thread that the kernel has counted in a flood: for the
// signatures that select them each is like the event.
type Repeats struct {
	Count           uint64
	FirstNS, LastNS uint64 // end of the first and of the last of them, on CLOCK_BOOTTIME
	// Alone tells that the event itself was told before, and its repeats follow it.
	// Otherwise they precede it.
	Alone bool
}

// Process is the calling thread and its process. Numbers without Host are those
// of the caller's own PID namespace.
type Process struct {
	PID, TID, ParentPID             uint32
	HostPID, HostTID, HostParentPID uint32
	UID, GID, EUID, EGID            uint32

	MountNamespace, PIDNamespace, IPCNamespace uint32

	CgroupID       uint64
	ThreadStartNS  uint64 // on CLOCK_BOOTTIME, as are the next two
	ProcessStartNS uint64
	ParentStartNS  uint64
	// BootToUnixNS added to any of the start times gives the Unix time.
	BootToUnixNS int64

	Comm string

	// What follows is filled in by package enrich.
	Executable  string
	ProgramBits uint8 // 32 or 64, what the program was built for; 0 if not known, and of native calls
	HostName    string
	ContainerID string
	Workload    *Workload // nil if nothing is known of the container
	Ancestors   []Ancestor
}

// Program is what a process runs: the last that it executed.
type Program struct {
	HostPID        uint32
	ProcessStartNS uint64 // on CLOCK_BOOTTIME
	Path           string // as /proc/PID/exe leads to, " (deleted)" included; "" if that is not known
	Bits           uint8  // 32 or 64, what it was built for; 0 if that is not known
}

// Object is the IPC object as the kernel has it: at entry for the calls that
// name an id or an existing key, at exit for one that was just created.
type Object struct {
	Kind                   Kind // NoKind: no object was found
	Created                bool // by this very call
	ID                     int32
	Key                    int32
	Mode                   uint16
	Sequence               uint64
	OwnerUID, OwnerGID     uint32
	CreatorUID, CreatorGID uint32

	// MessageQueue: capacity, fill and number of messages.
	QueueBytes, CurrentBytes, Messages uint64
	// Semaphore: size of the set.
	Semaphores uint64
	// SharedMemory: size, attachments.
	SegmentBytes, Attached uint64
	// Last sender and receiver of a queue; creator and last user of a segment.
	CreatorPID, LastPID, LastSendPID, LastReceivePID uint32
	// CreatorGone is filled in by package enrich, for shmat of a segment that is marked
	// for removal: its creator has ended.
	CreatorGone bool

	Kernel KernelObject
}

// KernelObject is what the kernel's own checks have of the object, where they
// could be watched.
type KernelObject struct {
	Seen   bool  // ID is there
	ID     int32 // of the object that the kernel acted on
	Access Access
}

// Access is what the kernel wants the caller to be allowed to do to an object.
type Access uint8

// The kinds of access. The first three are the bits of a mode.
const (
	AccessExecute Access = 1 << iota
	AccessWrite
	AccessRead
	AccessOwn // to be its owner or creator, as IPC_SET and IPC_RMID demand
)

// Names lists the kinds of access: read, write, execute, own.
func (a Access) Names() []string {
	names := []string{}
	for _, kind := range []struct {
		bit  Access
		name string
	}{{AccessRead, "read"}, {AccessWrite, "write"}, {AccessExecute, "execute"}, {AccessOwn, "own"}} {
		if a&kind.bit != 0 {
			names = append(names, kind.name)
		}
	}
	return names
}

// Row is the table's description of the event; never nil for a parsed event.
func (e *Event) Row() *Row { return &table[e.ID%idCount] }

// Arg returns an argument by name, for tests and for code off the hot path.
func (e *Event) Arg(name string) (value uint64, ok bool) {
	if i := e.Row().Find(name); i >= 0 {
		return e.Args[i], true
	}
	return 0, false
}

// Failed tells whether the call returned an error.
func (e *Event) Failed() bool { return e.Return < 0 && e.Return >= -maxErrno }

// Flags appends the symbolic flags of the call. For semop and semtimedop these
// are the flags of all captured operations together.
func (e *Event) Flags(dst []string) []string {
	set, bits := e.FlagBits()
	return set.Flags(dst, bits)
}

// FlagBits is what Flags names: a set of flags, and the bits that are set. A call that
// has none is Plain.
func (e *Event) FlagBits() (set Decoder, bits uint32) {
	row := e.Row()
	if i := row.decodeAt(false); i >= 0 {
		return row.Args[i].Decode, uint32(e.Args[i])
	}
	main := &e.Memory[MainMemory]
	if main.Pointee != Sembufs {
		return Plain, 0
	}
	for sops := main.Best().Bytes; len(sops) >= SembufSize; sops = sops[SembufSize:] {
		bits |= uint32(uint16(DecodeSembuf(sops).Flags))
	}
	return SembufFlags, bits
}

// Command is the symbolic command of a *ctl call or of ipc, "" for the others
// and for one that the kernel does not know.
func (e *Event) Command() string {
	row := e.Row()
	i := row.CommandAt()
	if i < 0 {
		return ""
	}
	if e.ID == IPC {
		return IPCCalls.Command(uint32(e.Call))
	}
	return row.Args[i].Decode.Command(uint32(e.Args[i]))
}

// Syscall is the name of the system call that the thread really made.
func (e *Event) Syscall() string {
	if e.Multiplexed {
		return table[IPC].Name
	}
	for _, entry := range e.Row().Entries {
		if entry.ABI == e.ABI && entry.Time64 == e.Time64 {
			return entry.Name
		}
	}
	return e.Row().Name
}

// Multiplexer fills dst with the ipc(2) call itself, of which e is the decoded
// form. It shares e's memory. It returns false, and leaves dst as it is, if e is no
// such form, or was made of a document, which lacks the parameters.
func (e *Event) Multiplexer(dst *Event) bool {
	if !e.Multiplexed || e.ID == IPC || e.Raw == [MaxArgs]uint64{} {
		return false
	}
	*dst = *e
	dst.ID = IPC
	dst.Args = e.Raw
	dst.Return = e.RawReturn
	main := &dst.Memory[MainMemory]
	if main.Pointee != NoPointee {
		main.Arg = Ptr.String()
		if dst.Memory[IndirectMemory].Arg == main.Arg {
			main.Arg = Indirect.String()
		}
	}
	if timeout := &dst.Memory[TimeoutMemory]; timeout.Pointee != NoPointee {
		timeout.Arg = Fifth.String()
	}
	return true
}
