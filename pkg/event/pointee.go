package event

import (
	"encoding/binary"
	"iter"
)

// Sembuf is one operation of semop: struct sembuf, the same on every ABI.
type Sembuf struct {
	Number uint16
	Op     int16
	Flags  int16
}

// SembufSize is sizeof(struct sembuf) in bytes.
const SembufSize = 6

// EachSembuf yields the operations in b; a cut last one is left out.
func EachSembuf(b []byte) iter.Seq[Sembuf] {
	return func(yield func(Sembuf) bool) {
		for ; len(b) >= SembufSize; b = b[SembufSize:] {
			if !yield(DecodeSembuf(b)) {
				return
			}
		}
	}
}

// DecodeSembuf reads the operation at the beginning of b, which has SembufSize bytes
// at least.
func DecodeSembuf(b []byte) Sembuf {
	return Sembuf{
		Number: binary.LittleEndian.Uint16(b),
		Op:     int16(binary.LittleEndian.Uint16(b[2:])),
		Flags:  int16(binary.LittleEndian.Uint16(b[4:])),
	}
}

// Msgbuf splits a struct msgbuf into its type and its text. ok is false where
// not even the type is there.
func Msgbuf(abi ABI, b []byte) (mtype int64, text []byte, ok bool) {
	switch word := WordSize(abi); {
	case len(b) < word:
		return 0, nil, false
	case word == 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), b[4:], true
	default:
		return int64(binary.LittleEndian.Uint64(b)), b[8:], true
	}
}

// WordSize is the size of a long and of a pointer in bytes.
func WordSize(abi ABI) int {
	if abi.Is32Bit() {
		return 4
	}
	return 8
}

// DecodeTimespec reads a struct timespec. A 32-bit caller of a time64 entry
// point passes 64-bit seconds, of whose nanoseconds the kernel takes the low
// half (kernel/time/time.c: get_timespec64).
func DecodeTimespec(abi ABI, time64 bool, b []byte) (sec, nsec int64, ok bool) {
	if abi.Is32Bit() && !time64 {
		if len(b) < 8 {
			return 0, 0, false
		}
		return int64(int32(binary.LittleEndian.Uint32(b))), int64(int32(binary.LittleEndian.Uint32(b[4:]))), true
	}
	if len(b) < 16 {
		return 0, 0, false
	}
	nsec = int64(binary.LittleEndian.Uint64(b[8:]))
	if abi.Is32Bit() {
		nsec &= 0xffffffff
	}
	return int64(binary.LittleEndian.Uint64(b)), nsec, true
}

// SetRequest is what IPC_SET asks for. QueueBytes is there for queues only.
type SetRequest struct {
	UID, GID   uint32
	Mode       uint16
	QueueBytes uint64
}

// layout is where a caller's msqid_ds, semid_ds or shmid_ds has the fields that
// IPC_SET takes; include/uapi/asm-generic/{ipcbuf,msgbuf,sembuf,shmbuf}.h, of which
// amd64 has a longer sembuf.h in arch/x86/include/uapi/asm, and for the old
// structures include/linux/compat.h.
type layout struct {
	size                [SharedMemory + 1]int
	uid, gid, mode      int
	idWidth             int
	qbytes, qbytesWidth int
}

var (
	layout64  = layout{size: [...]int{0, 104, 120, 112}, uid: 4, gid: 8, mode: 20, idWidth: 4, qbytes: 88, qbytesWidth: 8}
	layoutARM = layout{size: [...]int{0, 88, 120, 112}, uid: 4, gid: 8, mode: 20, idWidth: 4, qbytes: 88, qbytesWidth: 8}
	layout32  = layout{size: [...]int{0, 64, 88, 84}, uid: 4, gid: 8, mode: 20, idWidth: 4, qbytes: 68, qbytesWidth: 4}
	layoutOld = layout{size: [...]int{0, 44, 56, 48}, uid: 4, gid: 6, mode: 12, idWidth: 2, qbytes: 48, qbytesWidth: 2}
)

func settingsLayout(abi ABI, old bool) *layout {
	switch {
	case abi == ARM64:
		return &layoutARM
	case !abi.Is32Bit():
		return &layout64
	case old:
		return &layoutOld
	default:
		return &layout32
	}
}

// SettingsSize is the size in bytes of the structure behind IPC_SET. old means
// a 32-bit caller without IPC_64, whose structures have 16-bit user ids.
func SettingsSize(kind Kind, abi ABI, old bool) int {
	return settingsLayout(abi, old).size[kind]
}

// DecodeSettings reads the fields of IPC_SET. ok is false where the memory was
// not read as far as the mode.
func DecodeSettings(kind Kind, abi ABI, old bool, b []byte) (set SetRequest, ok bool) {
	return settingsLayout(abi, old).decode(kind, b)
}

func (l *layout) decode(kind Kind, b []byte) (set SetRequest, ok bool) {
	if len(b) < l.mode+2 {
		return set, false
	}
	set.UID = uint32(littleEndian(b[l.uid:], l.idWidth))
	set.GID = uint32(littleEndian(b[l.gid:], l.idWidth))
	set.Mode = binary.LittleEndian.Uint16(b[l.mode:])
	if kind == MessageQueue && len(b) >= l.qbytes+l.qbytesWidth {
		set.QueueBytes = littleEndian(b[l.qbytes:], l.qbytesWidth)
	}
	return set, true
}

func littleEndian(b []byte, width int) uint64 {
	switch width {
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	default:
		return binary.LittleEndian.Uint64(b)
	}
}

// OldStructures tells whether the caller of a *ctl uses the structures from
// before Linux 2.4: only ipc(2) and the 32-bit ARM calls can ask for them, by
// leaving IPC_64 out of cmd (ipc/util.h: ipc_parse_version). rawCmd is cmd as
// the caller passed it.
func OldStructures(abi ABI, multiplexed bool, rawCmd uint32) bool {
	return (multiplexed || abi == ARM) && rawCmd&IPC64 == 0
}
