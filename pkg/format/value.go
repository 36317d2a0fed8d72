package format

import (
	"strconv"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// modeBits are the permissions in the flags of a *get call.
const modeBits = 0o777

// appendValue appends the i-th argument of a call by what its row says of it.
// args has at least as many values as the row has arguments.
func appendValue(dst []byte, row *event.Row, args []uint64, i int) []byte {
	arg, value := &row.Args[i], args[i]
	switch {
	case arg.Decode == event.IPCCalls:
		return appendIPCCall(dst, uint32(value))
	case arg.Decode.IsCommand():
		return appendCommand(dst, arg.Decode, uint32(value))
	case arg.Decode != event.Plain:
		return appendFlags(dst, arg.Decode, uint32(value))
	case int(row.KeyAt) == i:
		return appendKey(dst, uint64(uint32(value)))
	case arg.Pointee == event.Semun && takesNumber(row, args):
		return strconv.AppendInt(dst, int64(int32(value)), 10)
	case arg.Type == event.Pointer, arg.Pointee != event.NoPointee:
		return appendPointer(dst, value)
	case arg.Type == event.Int, arg.Type == event.Long:
		return strconv.AppendInt(dst, int64(value), 10)
	default:
		return strconv.AppendUint(dst, value, 10)
	}
}

// takesNumber tells whether the union semun of the call is the value itself.
func takesNumber(row *event.Row, args []uint64) bool {
	at := row.CommandAt()
	return at >= 0 && uint32(args[at])&^event.IPC64 == event.SetVal
}

// appendIPCCall appends the first argument of ipc(2): the call, and in the upper
// half its version.
func appendIPCCall(dst []byte, value uint32) []byte {
	dst = appendCommand(dst, event.IPCCalls, value&0xffff)
	if version := value >> 16; version != 0 {
		dst = append(dst, '|')
		dst = strconv.AppendUint(dst, uint64(version), 10)
		dst = append(dst, "<<16"...)
	}
	return dst
}

// appendCommand appends a command by name, or a number that the kernel does not
// know.
func appendCommand(dst []byte, set event.Decoder, value uint32) []byte {
	if name := set.Command(value); name != "" {
		return append(dst, name...)
	}
	return strconv.AppendInt(dst, int64(int32(value)), 10)
}

// appendFlags appends flags as C code has them: IPC_CREAT|IPC_EXCL|0600.
func appendFlags(dst []byte, set event.Decoder, value uint32) []byte {
	var room [8]string
	for i, flag := range set.Flags(room[:0], value) {
		if i > 0 {
			dst = append(dst, '|')
		}
		dst = append(dst, flag...)
	}
	mode := value & modeBits
	hasMode := mode != 0 && (set == event.GetFlags || set == event.ShmgetFlags)
	switch {
	case hasMode && value != mode:
		dst = append(dst, '|')
		fallthrough
	case hasMode:
		return appendOctal(dst, uint64(mode))
	case value == 0:
		return append(dst, '0')
	default:
		return dst
	}
}

func appendKey(dst []byte, key uint64) []byte {
	if key == event.IPCPrivate {
		return append(dst, "IPC_PRIVATE"...)
	}
	return appendHex(dst, key)
}

func appendPointer(dst []byte, address uint64) []byte {
	if address == 0 {
		return append(dst, "NULL"...)
	}
	return appendHex(dst, address)
}

func appendHex(dst []byte, value uint64) []byte {
	return strconv.AppendUint(append(dst, "0x"...), value, 16)
}

func appendOctal(dst []byte, value uint64) []byte {
	return strconv.AppendUint(append(dst, '0'), value, 8)
}
