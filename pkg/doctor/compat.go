package doctor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// exit32 is the machine code of exit(0) through int 0x80.
var exit32 = []byte{
	0x31, 0xdb, // xor ebx, ebx
	0x31, 0xc0, // xor eax, eax
	0x40,       // inc eax
	0xcd, 0x80, // int 0x80
}

// runs32Bit runs a 32-bit program: only that proves that the kernel does, which
// may have the code for it and be told not to use it (ia32_emulation=off).
func runs32Bit() (bool, error) {
	fd, err := unix.MemfdCreate("exit32", 0)
	if err != nil {
		return false, fmt.Errorf("hold a 32-bit program: %w", err)
	}
	file := os.NewFile(uintptr(fd), "exit32")
	defer file.Close()
	if _, err := file.Write(program32()); err != nil {
		return false, fmt.Errorf("hold a 32-bit program: %w", err)
	}
	err = exec.Command(fmt.Sprintf("/proc/self/fd/%d", fd)).Run()
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, syscall.ENOEXEC):
		return false, nil
	default:
		return false, fmt.Errorf("run a 32-bit program: %w", err)
	}
}

// program32 is an ELF file for i386 with one segment, which is exit32.
func program32() []byte {
	const base, headers = 0x08048000, 52 + 32
	size := uint32(headers + len(exit32))
	var b bytes.Buffer
	for _, part := range []any{
		[16]byte{0x7f, 'E', 'L', 'F', 1, 1, 1}, // 32 bits, little endian, version 1
		uint16(2), uint16(3), uint32(1),        // ET_EXEC, EM_386, version 1
		uint32(base + headers), uint32(52), uint32(0), // entry, program header, section header
		uint32(0), uint16(52), uint16(32), uint16(1), // flags, header sizes, one program header
		uint16(0), uint16(0), uint16(0), // no sections
		uint32(1), uint32(0), uint32(base), uint32(base), size, // PT_LOAD: offset, addresses, size in file
		size, uint32(5), uint32(0x1000), // size in memory, readable and executable, alignment
		exit32,
	} {
		_ = binary.Write(&b, binary.LittleEndian, part) // to a buffer: never fails
	}
	return b.Bytes()
}
