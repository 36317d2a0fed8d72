package event

import "slices"

// ABI is a system call table: an architecture together with a word size. A
// 64-bit kernel serves two of them, its native one and the one of its 32-bit
// callers.
type ABI uint8

// The ABIs for which the table has numbers.
const (
	AMD64 ABI = iota
	I386
	ARM64
	ARM
	abiCount
)

var abiNames = [abiCount]string{"amd64", "i386", "arm64", "arm"}

// String is the Debian name of the ABI's architecture, with arm for armhf.
func (a ABI) String() string {
	if a < abiCount {
		return abiNames[a]
	}
	return "unknown"
}

// ABIs lists every ABI of the table.
func ABIs() []ABI { return []ABI{AMD64, I386, ARM64, ARM} }

// Is32Bit tells whether long, size_t and pointers have four bytes.
func (a ABI) Is32Bit() bool { return a == I386 || a == ARM }

// Native is the ABI of the 64-bit kernel that serves the ABI.
func (a ABI) Native() ABI {
	switch a {
	case I386:
		return AMD64
	case ARM:
		return ARM64
	default:
		return a
	}
}

// Kind is the kind of System V IPC object that a call acts on.
type Kind uint8

// The kinds, in the order of ipc_namespace.ids (include/linux/ipc_namespace.h:
// IPC_SEM_IDS, IPC_MSG_IDS, IPC_SHM_IDS), from 1 so that 0 stays free.
const (
	NoKind Kind = iota
	Semaphore
	MessageQueue
	SharedMemory
)

var kindNames = [...]string{"", "sem", "msg", "shm"}

// String is the kernel's three-letter name: msg, sem or shm.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// Type is the C type class of an argument: its width and sign decide how a
// register is read.
type Type uint8

// Int and UInt are 32 bits wide on every ABI; Long, Size and Pointer follow
// the word size of the caller.
const (
	Int Type = iota
	UInt
	Long
	Size
	Pointer
)

// Tag says where the value of an argument comes from and whether it can change
// after a tracer has read it.
type Tag uint8

// An argument without TOCTOU is the kernel's own register copy: sys_enter runs
// after ptrace and seccomp have made their changes, so nobody can alter it.
const (
	// Kernel: the value was passed in a register and is stable.
	Kernel Tag = 1 << iota
	// User: the value points into the caller's memory.
	User
	// TOCTOU: the memory behind it can change between the tracer's read and
	// the kernel's.
	TOCTOU
	// Optional: the argument may be absent or ignored.
	Optional
)

// Names lists the tags as the reference prints them: K, U, TOCTOU, OPT.
func (t Tag) Names() []string {
	var names []string
	for _, tag := range []struct {
		bit  Tag
		name string
	}{{Kernel, "K"}, {User, "U"}, {TOCTOU, "TOCTOU"}, {Optional, "OPT"}} {
		if t&tag.bit != 0 {
			names = append(names, tag.name)
		}
	}
	return names
}

// Pointee is the layout of the user memory that a pointer argument leads to.
type Pointee uint8

// The pointees. Msgbuf is read at entry for msgsnd and at exit for msgrcv.
const (
	NoPointee   Pointee = iota
	MsgbufIn            // struct msgbuf that the kernel reads
	MsgbufOut           // struct msgbuf that the kernel writes
	Sembufs             // array of struct sembuf
	Timespec            // struct timespec, 32 or 64 bits by entry point
	Settings            // struct msqid_ds, semid_ds or shmid_ds of IPC_SET
	Semun               // union semun: settings, an array or a plain value, by cmd
	SettingsOut         // as Settings, for the kernel to write to: IPC_STAT and its kin
	SemunOut            // array of values for the kernel to write to: GETALL
)

var pointeeNames = [...]string{"", "msgbuf", "msgbuf", "sembuf[]", "timespec", "ipc_ds", "semun", "ipc_ds", "semun"}

// String names the C type behind the pointer.
func (p Pointee) String() string {
	if int(p) < len(pointeeNames) {
		return pointeeNames[p]
	}
	return ""
}

// Slot is a parameter of ipc(2).
type Slot uint8

// The parameters of ipc(call, first, second, third, ptr, fifth). Indirect is
// the word that ptr points to: union semun goes through it.
const (
	CallSlot Slot = iota
	First
	Second
	Third
	Ptr
	Fifth
	Indirect
)

var slotNames = [...]string{"call", "first", "second", "third", "ptr", "fifth", "*ptr"}

// String is the parameter's name, or *ptr for the word behind ptr.
func (s Slot) String() string {
	if int(s) < len(slotNames) {
		return slotNames[s]
	}
	return ""
}

// Arg describes one argument of a system call.
type Arg struct {
	Name    string
	CType   string // as the C library declares it
	Type    Type
	Tags    Tag
	Decode  Decoder // the flag or command set, if any
	Pointee Pointee
	Slot    Slot   // where ipc(2) passes it
	Tracee  Tag    // Tracee's tags where they differ from Tags, else 0
	Why     string // why the two differ
}

// Entry is one system call number under which an event is reached.
type Entry struct {
	ABI    ABI
	Number uint16
	Name   string // of the system call: semtimedop_time64 for semtimedop
	// Functions are the kernel's entry functions by which the call can be reached:
	// a kernel that has the call has one of them. None where no kernel has it.
	Functions []string
	Time64    bool // 32-bit caller with a 64-bit struct timespec
}

// Row is everything that ipcwarden knows about one system call. All tables,
// headers, schemas and reference pages are derived from it.
type Row struct {
	ID       ID
	Name     string
	TraceeID uint16 // Tracee's event number on amd64, reported as eventId
	Doc      string
	Kind     Kind
	Entries  []Entry
	Call     uint16 // ipc(2) call number, 0 for ipc itself
	Args     []Arg
	ObjectAt int8 // index of the argument with the object's id, or -1
	KeyAt    int8 // index of the argument with the object's key, or -1
}

// Find returns the index of the argument called name, or -1.
func (r *Row) Find(name string) int {
	for i := range r.Args {
		if r.Args[i].Name == name {
			return i
		}
	}
	return -1
}

// MainAt returns the index of the argument that leads to event.MainMemory, or
// -1. The argument after it is the number of bytes or of elements there, if the
// call has one.
func (r *Row) MainAt() int {
	for i := range r.Args {
		if p := r.Args[i].Pointee; p != NoPointee && p != Timespec {
			return i
		}
	}
	return -1
}

// TimeoutAt returns the index of the argument that leads to a struct timespec,
// or -1.
func (r *Row) TimeoutAt() int {
	for i := range r.Args {
		if r.Args[i].Pointee == Timespec {
			return i
		}
	}
	return -1
}

// CommandAt returns the index of the argument that is a command, or -1.
func (r *Row) CommandAt() int { return r.decodeAt(true) }

// Flag returns the bit of the flag called name and the argument that it is in, -1 for
// the operations that the call's memory has. ok is false if the event has no such
// flag; ipc has those of the operations that it leads to.
func (r *Row) Flag(name string) (arg int, bit uint32, ok bool) {
	arg = r.decodeAt(false)
	decoder := SembufFlags
	if arg >= 0 {
		decoder = r.Args[arg].Decode
	} else if r.ID != IPC && !slices.ContainsFunc(r.Args, func(a Arg) bool { return a.Pointee == Sembufs }) {
		return -1, 0, false
	}
	for _, n := range decoder.Names() {
		if n.Name == name {
			return arg, n.Value, true
		}
	}
	return -1, 0, false
}

// decodeAt returns the index of the argument that is decoded by a flag set
// (command false) or by a command set (command true), or -1.
func (r *Row) decodeAt(command bool) int {
	for i := range r.Args {
		if d := r.Args[i].Decode; d != Plain && d.IsCommand() == command {
			return i
		}
	}
	return -1
}
