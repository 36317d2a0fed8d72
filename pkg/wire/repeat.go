package wire

import (
	"encoding/binary"
	"unsafe"
)

// Shape is by what the kernel counts the calls that are like that of a record, which can
// be parsed; 0 if it does not count them.
func Shape(b []byte) uint64 { return binary.NativeEndian.Uint64(b[unsafe.Offsetof(Record{}.Shape):]) }

// ExitedNS is when the call of such a record ended, on CLOCK_BOOTTIME.
func ExitedNS(b []byte) uint64 {
	return binary.NativeEndian.Uint64(b[unsafe.Offsetof(Record{}.ExitedNS):])
}
