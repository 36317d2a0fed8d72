// Package event holds what a System V IPC event is: the table of system calls
// that everything else is generated from, the decoded Event, and the document
// that signatures see. It is the leaf of the import graph.
package event

import (
	"slices"
	"strings"
)

// ID identifies the event of one system call. The values are compiled into the
// BPF object and into recordings: append, never renumber.
type ID uint8

// The events.
const (
	None ID = iota
	IPC
	Msgget
	Msgsnd
	Msgrcv
	Msgctl
	Semget
	Semop
	Semtimedop
	Semctl
	Shmget
	Shmat
	Shmdt
	Shmctl
	idCount
)

// Count is one more than the last of the events.
const Count = int(idCount)

// MaxArgs is the largest number of arguments of any row: ipc(2) has six.
const MaxArgs = 6

// stable and pointer are the two kinds of argument that nearly every call has.
const (
	stable  = Kernel
	pointer = User | TOCTOU
)

// table is the one place where a system call is described. Numbers are from
// arch/x86/entry/syscalls/syscall_{64,32}.tbl, include/uapi/asm-generic/unistd.h
// and arch/arm/tools/syscall.tbl; ipc(2) from ipc/syscall.c.
var table = [idCount]Row{
	IPC: {
		ID: IPC, Name: "ipc", TraceeID: 477, ObjectAt: -1, KeyAt: -1,
		Doc: "The multiplexer through which 32-bit programs reach all System V IPC. Its decoded call is reported as an event of its own, with via set to ipc. Where Tracee's page says that a call with IPC_NOWAIT may return before it is complete: it fails with EAGAIN or ENOMSG, and has done nothing; it is the caller who may go on as if it had.",
		Entries: []Entry{
			{ABI: I386, Number: 117, Name: "ipc", Functions: []string{"__ia32_compat_sys_ipc", "__ia32_sys_ipc", "__x64_sys_ipc"}},
			{ABI: ARM, Number: 117, Name: "ipc"}, // OABI only; ENOSYS to EABI callers
		},
		Args: []Arg{
			{Name: "call", CType: "unsigned int", Type: UInt, Tags: stable, Decode: IPCCalls, Slot: CallSlot},
			{Name: "first", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "second", CType: "unsigned long", Type: Size, Tags: stable, Slot: Second, Tracee: Optional,
				Why: "a count, a size, a command or flags in a register: stable, and used by every call but SHMDT"},
			{Name: "third", CType: "unsigned long", Type: Size, Tags: Kernel | User | Optional, Slot: Third, Tracee: Kernel,
				Why: "flags or a command in a register; only for SHMAT a user pointer, to which the kernel writes the address after it has attached"},
			{Name: "ptr", CType: "void*", Type: Pointer, Tags: User | TOCTOU | Optional, Slot: Ptr, Tracee: Kernel,
				Why: "a user pointer to input memory (message, operations, settings), or an address value for SHMAT and SHMDT: the register is stable, what it leads to is not"},
			{Name: "fifth", CType: "long", Type: Long, Tags: User | TOCTOU | Optional, Slot: Fifth, Tracee: Optional,
				Why: "the user pointer to the timeout for SEMTIMEDOP, the message type for MSGRCV, else ignored"},
		},
	},
	Msgget: {
		ID: Msgget, Name: "msgget", TraceeID: 68, Kind: MessageQueue, Call: 13, ObjectAt: -1, KeyAt: 0,
		Doc:     "Opens or creates a message queue.",
		Entries: entries("msgget", 68, 399, 186, 303, false),
		Args: []Arg{
			{Name: "key", CType: "key_t", Type: Int, Tags: stable, Slot: First},
			{Name: "msgflg", CType: "int", Type: Int, Tags: stable, Decode: GetFlags, Slot: Second},
		},
	},
	Msgsnd: {
		ID: Msgsnd, Name: "msgsnd", TraceeID: 69, Kind: MessageQueue, Call: 11, ObjectAt: 0, KeyAt: -1,
		Doc:     "Appends a message to a queue. The kernel copies the message before it looks at the id or at permissions.",
		Entries: entries("msgsnd", 69, 400, 189, 301, true),
		Args: []Arg{
			{Name: "msqid", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "msgp", CType: "struct msgbuf*", Type: Pointer, Tags: pointer, Pointee: MsgbufIn, Slot: Ptr},
			{Name: "msgsz", CType: "size_t", Type: Size, Tags: stable, Slot: Second},
			{Name: "msgflg", CType: "int", Type: Int, Tags: stable, Decode: MsgsndFlags, Slot: Third},
		},
	},
	Msgrcv: {
		ID: Msgrcv, Name: "msgrcv", TraceeID: 70, Kind: MessageQueue, Call: 12, ObjectAt: 0, KeyAt: -1,
		Doc:     "Takes a message from a queue, or copies the msgtyp-th one with MSG_COPY. Through ipc(2) with version 0, msgp and msgtyp come from a structure behind ptr.",
		Entries: entries("msgrcv", 70, 401, 188, 302, true),
		Args: []Arg{
			{Name: "msqid", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "msgp", CType: "struct msgbuf*", Type: Pointer, Tags: pointer, Pointee: MsgbufOut, Slot: Ptr},
			{Name: "msgsz", CType: "size_t", Type: Size, Tags: stable, Slot: Second},
			{Name: "msgtyp", CType: "long", Type: Long, Tags: stable, Slot: Fifth},
			{Name: "msgflg", CType: "int", Type: Int, Tags: stable, Decode: MsgrcvFlags, Slot: Third},
		},
	},
	Msgctl: {
		ID: Msgctl, Name: "msgctl", TraceeID: 71, Kind: MessageQueue, Call: 14, ObjectAt: 0, KeyAt: -1,
		Doc:     "Removes, changes or examines a message queue.",
		Entries: entries("msgctl", 71, 402, 187, 304, true),
		Args: []Arg{
			{Name: "msqid", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "cmd", CType: "int", Type: Int, Tags: stable, Decode: MsgCommands, Slot: Second},
			{Name: "buf", CType: "struct msqid_ds*", Type: Pointer, Tags: pointer | Optional, Pointee: Settings, Slot: Ptr},
		},
	},
	Semget: {
		ID: Semget, Name: "semget", TraceeID: 64, Kind: Semaphore, Call: 2, ObjectAt: -1, KeyAt: 0,
		Doc:     "Opens or creates a set of semaphores.",
		Entries: entries("semget", 64, 393, 190, 299, false),
		Args: []Arg{
			{Name: "key", CType: "key_t", Type: Int, Tags: stable, Slot: First},
			{Name: "nsems", CType: "int", Type: Int, Tags: stable, Slot: Second},
			{Name: "semflg", CType: "int", Type: Int, Tags: stable, Decode: GetFlags, Slot: Third},
		},
	},
	Semop: {
		ID: Semop, Name: "semop", TraceeID: 65, Kind: Semaphore, Call: 1, ObjectAt: 0, KeyAt: -1,
		Doc: "Performs operations on a set of semaphores, all or none. The C library's semop() issues semtimedop on amd64.",
		Entries: []Entry{
			{ABI: AMD64, Number: 65, Name: "semop", Functions: []string{"__x64_sys_semop"}},
			{ABI: ARM64, Number: 193, Name: "semop", Functions: []string{"__arm64_sys_semop"}},
			{ABI: ARM, Number: 298, Name: "semop", Functions: []string{"__arm64_sys_semop"}},
		},
		Args: []Arg{
			{Name: "semid", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "sops", CType: "struct sembuf*", Type: Pointer, Tags: pointer, Pointee: Sembufs, Slot: Ptr},
			{Name: "nsops", CType: "size_t", Type: Size, Tags: stable, Slot: Second},
		},
	},
	Semtimedop: {
		ID: Semtimedop, Name: "semtimedop", TraceeID: 220, Kind: Semaphore, Call: 4, ObjectAt: 0, KeyAt: -1,
		Doc: "Performs operations on a set of semaphores, all or none, for a limited time.",
		Entries: []Entry{
			{ABI: AMD64, Number: 220, Name: "semtimedop", Functions: []string{"__x64_sys_semtimedop"}},
			{ABI: I386, Number: 420, Name: "semtimedop_time64", Functions: []string{"__ia32_sys_semtimedop"}, Time64: true},
			{ABI: ARM64, Number: 192, Name: "semtimedop", Functions: []string{"__arm64_sys_semtimedop"}},
			{ABI: ARM, Number: 312, Name: "semtimedop", Functions: []string{"__arm64_sys_semtimedop_time32"}},
			{ABI: ARM, Number: 420, Name: "semtimedop_time64", Functions: []string{"__arm64_sys_semtimedop"}, Time64: true},
		},
		Args: []Arg{
			{Name: "semid", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "sops", CType: "struct sembuf*", Type: Pointer, Tags: pointer, Pointee: Sembufs, Slot: Ptr},
			{Name: "nsops", CType: "size_t", Type: Size, Tags: stable, Slot: Second},
			{Name: "timeout", CType: "const struct timespec*", Type: Pointer, Tags: pointer | Optional, Pointee: Timespec, Slot: Fifth},
		},
	},
	Semctl: {
		ID: Semctl, Name: "semctl", TraceeID: 66, Kind: Semaphore, Call: 3, ObjectAt: 0, KeyAt: -1,
		Doc:     "Removes, changes or examines a set of semaphores. Through ipc(2), ptr points to the argument.",
		Entries: entries("semctl", 66, 394, 191, 300, true),
		Args: []Arg{
			{Name: "semid", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "semnum", CType: "int", Type: Int, Tags: stable, Slot: Second},
			{Name: "cmd", CType: "int", Type: Int, Tags: stable, Decode: SemCommands, Slot: Third},
			{Name: "arg", CType: "unsigned long", Type: Size, Tags: pointer | Optional, Pointee: Semun, Slot: Indirect},
		},
	},
	Shmget: {
		ID: Shmget, Name: "shmget", TraceeID: 29, Kind: SharedMemory, Call: 23, ObjectAt: -1, KeyAt: 0,
		Doc:     "Opens or creates a shared memory segment.",
		Entries: entries("shmget", 29, 395, 194, 307, false),
		Args: []Arg{
			{Name: "key", CType: "key_t", Type: Int, Tags: stable, Slot: First},
			{Name: "size", CType: "size_t", Type: Size, Tags: stable, Slot: Second},
			{Name: "shmflg", CType: "int", Type: Int, Tags: stable, Decode: ShmgetFlags, Slot: Third},
		},
	},
	Shmat: {
		ID: Shmat, Name: "shmat", TraceeID: 30, Kind: SharedMemory, Call: 21, ObjectAt: 0, KeyAt: -1,
		Doc:     "Attaches a shared memory segment and returns its address. Through ipc(2), the kernel writes the address to the memory that third points to.",
		Entries: entries("shmat", 30, 397, 196, 305, true),
		Args: []Arg{
			{Name: "shmid", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "shmaddr", CType: "const void*", Type: Pointer, Tags: stable, Slot: Ptr},
			{Name: "shmflg", CType: "int", Type: Int, Tags: stable, Decode: ShmatFlags, Slot: Second},
		},
	},
	Shmdt: {
		ID: Shmdt, Name: "shmdt", TraceeID: 67, Kind: SharedMemory, Call: 22, ObjectAt: -1, KeyAt: -1,
		Doc:     "Detaches the shared memory segment at an address.",
		Entries: entries("shmdt", 67, 398, 197, 306, false),
		Args: []Arg{
			{Name: "shmaddr", CType: "const void*", Type: Pointer, Tags: stable, Slot: Ptr},
		},
	},
	Shmctl: {
		ID: Shmctl, Name: "shmctl", TraceeID: 31, Kind: SharedMemory, Call: 24, ObjectAt: 0, KeyAt: -1,
		Doc:     "Removes, changes, locks or examines a shared memory segment.",
		Entries: entries("shmctl", 31, 396, 195, 308, true),
		Args: []Arg{
			{Name: "shmid", CType: "int", Type: Int, Tags: stable, Slot: First},
			{Name: "cmd", CType: "int", Type: Int, Tags: stable, Decode: ShmCommands, Slot: Second},
			{Name: "buf", CType: "struct shmid_ds*", Type: Pointer, Tags: pointer | Optional, Pointee: Settings, Slot: Ptr},
		},
	},
}

// entries spells out the entry points of a call that each of the four ABIs has
// under the same name. compat tells whether 32-bit callers on a 64-bit kernel
// have an entry function of their own, because the call's memory has another
// layout there.
func entries(name string, amd64, i386, arm64, arm uint16, compat bool) []Entry {
	ia32, arm32 := "__ia32_sys_", "__arm64_sys_"
	if compat {
		ia32, arm32 = "__ia32_compat_sys_", "__arm64_compat_sys_"
	}
	armName := name
	if strings.HasSuffix(name, "ctl") {
		armName = "old_" + name // 32-bit ARM still parses IPC_64 (kernel/sys32.c)
	}
	return []Entry{
		{ABI: AMD64, Number: amd64, Name: name, Functions: []string{"__x64_sys_" + name}},
		{ABI: I386, Number: i386, Name: name, Functions: []string{ia32 + name}},
		{ABI: ARM64, Number: arm64, Name: name, Functions: []string{"__arm64_sys_" + name}},
		{ABI: ARM, Number: arm, Name: name, Functions: []string{arm32 + armName}},
	}
}

// Lookup returns the row of an event, or nil for an ID without one.
func Lookup(id ID) *Row {
	if id == None || id >= idCount {
		return nil
	}
	return &table[id]
}

// ByName returns the row of the event called name, or nil.
func ByName(name string) *Row {
	for _, row := range Rows() {
		if row.Name == name {
			return row
		}
	}
	return nil
}

// ByCall returns the event that an ipc(2) call number stands for, or IPC itself
// for a number that the kernel does not know.
func ByCall(call uint16) ID {
	for _, row := range Rows() {
		if row.Call == call && row.ID != IPC {
			return row.ID
		}
	}
	return IPC
}

// Rows lists every event in the order of its ID. The rows are shared: read only.
func Rows() []*Row {
	rows := make([]*Row, 0, idCount-1)
	for id := IPC; id < idCount; id++ {
		rows = append(rows, &table[id])
	}
	return rows
}

// Functions lists the kernel's entry functions for the given ABIs, each once.
func Functions(abis ...ABI) (names []string) {
	for _, row := range Rows() {
		for _, entry := range row.Entries {
			for _, name := range entry.Functions {
				if slices.Contains(abis, entry.ABI) && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// String is the event's name, as signatures and filters spell it.
func (id ID) String() string {
	if row := Lookup(id); row != nil {
		return row.Name
	}
	return "unknown"
}

// Set is a set of event IDs, one bit each; it is what the probe filters by.
type Set uint64

// All has every event.
const All Set = 1<<idCount - 2

// Of makes a set.
func Of(ids ...ID) Set {
	var s Set
	for _, id := range ids {
		s |= 1 << id
	}
	return s
}

// Has tells whether id is in the set.
func (s Set) Has(id ID) bool { return s&(1<<id) != 0 }

// With returns the set with id added.
func (s Set) With(id ID) Set { return s | 1<<id }

// Names lists the events of the set in the order of their IDs; it is never nil.
func (s Set) Names() []string {
	names := []string{}
	for _, row := range Rows() {
		if s.Has(row.ID) {
			names = append(names, row.Name)
		}
	}
	return names
}
