package event

import (
	"slices"
	"strconv"
)

// Decoder is the set of names that an argument's value is made of. The kernel
// gives one bit several meanings (SHM_HUGETLB is IPC_NOWAIT, SHM_RDONLY is
// MSG_NOERROR), so a value is only ever decoded by the set of its own argument.
type Decoder uint8

// The flag sets, and after them the command sets.
const (
	Plain Decoder = iota
	GetFlags
	ShmgetFlags
	MsgsndFlags
	MsgrcvFlags
	ShmatFlags
	SembufFlags
	MsgCommands
	SemCommands
	ShmCommands
	IPCCalls
	decoderCount
)

// IsCommand tells whether the set has commands, of which a value is exactly one,
// and not flags.
func (d Decoder) IsCommand() bool { return d >= MsgCommands }

// Flag bits and commands that the code reasons about; include/uapi/linux/ipc.h,
// msg.h, sem.h and shm.h.
const (
	IPCPrivate = 0
	IPCCreat   = 0o1000
	IPCExcl    = 0o2000
	IPCNowait  = 0o4000
	SemUndo    = 0o10000
	IPC64      = 0x100 // ORed into cmd by callers of ipc(2): the current structures

	ShmDest = 0o1000 // of a segment's mode: removed when the last one detaches

	IPCRmid = 0
	IPCSet  = 1
	SetVal  = 16
	GetAll  = 13
	SetAll  = 17

	modeBits = 0o777

	// shmHugeShift starts the six bits with log2 of the page size (SHM_HUGE_2MB
	// and its kin).
	shmHugeShift = 26
	shmHugeMask  = 0x3f
)

// Name is one symbolic value.
type Name struct {
	Value uint32
	Name  string
}

var decoders = [decoderCount][]Name{
	GetFlags:    {{IPCCreat, "IPC_CREAT"}, {IPCExcl, "IPC_EXCL"}, {IPCNowait, "IPC_NOWAIT"}},
	ShmgetFlags: {{IPCCreat, "IPC_CREAT"}, {IPCExcl, "IPC_EXCL"}, {0o4000, "SHM_HUGETLB"}, {0o10000, "SHM_NORESERVE"}},
	MsgsndFlags: {{IPCNowait, "IPC_NOWAIT"}},
	MsgrcvFlags: {{IPCNowait, "IPC_NOWAIT"}, {0o10000, "MSG_NOERROR"}, {0o20000, "MSG_EXCEPT"}, {0o40000, "MSG_COPY"}},
	ShmatFlags:  {{0o10000, "SHM_RDONLY"}, {0o20000, "SHM_RND"}, {0o40000, "SHM_REMAP"}, {0o100000, "SHM_EXEC"}},
	SembufFlags: {{IPCNowait, "IPC_NOWAIT"}, {SemUndo, "SEM_UNDO"}},
	MsgCommands: {
		{IPCRmid, "IPC_RMID"}, {IPCSet, "IPC_SET"}, {2, "IPC_STAT"}, {3, "IPC_INFO"},
		{11, "MSG_STAT"}, {12, "MSG_INFO"}, {13, "MSG_STAT_ANY"},
	},
	SemCommands: {
		{IPCRmid, "IPC_RMID"}, {IPCSet, "IPC_SET"}, {2, "IPC_STAT"}, {3, "IPC_INFO"},
		{11, "GETPID"}, {12, "GETVAL"}, {GetAll, "GETALL"}, {14, "GETNCNT"}, {15, "GETZCNT"},
		{SetVal, "SETVAL"}, {SetAll, "SETALL"}, {18, "SEM_STAT"}, {19, "SEM_INFO"}, {20, "SEM_STAT_ANY"},
	},
	ShmCommands: {
		{IPCRmid, "IPC_RMID"}, {IPCSet, "IPC_SET"}, {2, "IPC_STAT"}, {3, "IPC_INFO"},
		{11, "SHM_LOCK"}, {12, "SHM_UNLOCK"}, {13, "SHM_STAT"}, {14, "SHM_INFO"}, {15, "SHM_STAT_ANY"},
	},
	IPCCalls: {
		{1, "SEMOP"}, {2, "SEMGET"}, {3, "SEMCTL"}, {4, "SEMTIMEDOP"},
		{11, "MSGSND"}, {12, "MSGRCV"}, {13, "MSGGET"}, {14, "MSGCTL"},
		{21, "SHMAT"}, {22, "SHMDT"}, {23, "SHMGET"}, {24, "SHMCTL"}, {25, "DIPC"},
	},
}

// Names lists what the set knows, in the kernel's order. Read only.
func (d Decoder) Names() []Name {
	if d < decoderCount {
		return decoders[d]
	}
	return nil
}

// Flags appends to dst the name of every bit of value that the set knows, and
// what is left over as one hexadecimal number. The mode bits of the *get calls
// are not flags.
func (d Decoder) Flags(dst []string, value uint32) []string {
	if d == GetFlags || d == ShmgetFlags {
		value &^= modeBits
	}
	for _, n := range d.Names() {
		if value&n.Value != 0 {
			dst = append(dst, n.Name)
			value &^= n.Value
		}
	}
	if d == ShmgetFlags {
		if shift := value >> shmHugeShift & shmHugeMask; shift != 0 {
			dst = append(dst, hugePage(shift))
			value &^= shmHugeMask << shmHugeShift
		}
	}
	if value != 0 {
		dst = append(dst, "0x"+strconv.FormatUint(uint64(value), 16))
	}
	return dst
}

// IsFlag tells whether any call has a flag of that name.
func IsFlag(name string) bool {
	for d := range decoderCount {
		if !d.IsCommand() && slices.ContainsFunc(d.Names(), func(n Name) bool { return n.Name == name }) {
			return true
		}
	}
	return false
}

// hugePage names the page size 1<<shift as <linux/shm.h> does.
func hugePage(shift uint32) string {
	units := [...]string{"", "KB", "MB", "GB"}
	unit := min(shift/10, uint32(len(units)-1))
	return "SHM_HUGE_" + strconv.FormatUint(1<<(shift-10*unit), 10) + units[unit]
}

// Command is the name of a command, or "" for one that the set does not know.
// IPC_64 says which structures the caller uses and is no part of the command.
func (d Decoder) Command(value uint32) string {
	if d != IPCCalls {
		value &^= IPC64
	}
	for _, n := range d.Names() {
		if n.Value == value {
			return n.Name
		}
	}
	return ""
}
