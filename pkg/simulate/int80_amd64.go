package simulate

import (
	"errors"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// lowMemory has mmap return addresses that fit into 32 bits.
const lowMemory = unix.MAP_32BIT

// int80 makes a call of the 32-bit table from 64-bit code and returns what the kernel
// returned, a negative errno included. Go's scheduler does not know of it: who sleeps
// in it keeps a processor from goroutines.
func int80(number, a, b, c, d, e, f uint32) uint32

// getpid32 is the number of getpid in the 32-bit table.
const getpid32 = 20

// serves32 says why the kernel serves no 32-bit calls, or nil if it does. One that was
// built without them, or told to, ends the process that tries with SIGSEGV, which Go
// makes a panic of.
func serves32() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = errors.New("this kernel serves no int 0x80")
		}
	}()
	if int32(int80(getpid32, 0, 0, 0, 0, 0, 0)) <= 0 {
		return errors.New("this kernel does not answer int 0x80")
	}
	return nil
}
