package simulate

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the kernel calls userfaultfd (include/uapi/linux/userfaultfd.h).
const (
	uffdAPI         = 0xaa
	uffdMissing     = 1          // UFFDIO_REGISTER_MODE_MISSING
	uffdioAPI       = 0xc018aa3f // _IOWR(0xaa, 0x3f, struct uffdio_api)
	uffdioRegister  = 0xc020aa00 // _IOWR(0xaa, 0x00, struct uffdio_register)
	uffdioCopy      = 0xc028aa03 // _IOWR(0xaa, 0x03, struct uffdio_copy)
	uffdMessage     = 32         // size of struct uffd_msg
	uffdPagefault   = 0x12       // UFFD_EVENT_PAGEFAULT
	uffdAddressAt   = 16         // of the address in a struct uffd_msg
	pageUnavailable = "the page faults of the process cannot be served here: %v"
)

// served is memory whose page faults the act serves.
type served struct {
	fd     int
	memory region
}

// serve takes over the page faults of whole pages.
func serve(pages region) *served {
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC, 0, 0)
	if errno != 0 {
		skip(pageUnavailable, errno)
	}
	s := &served{int(fd), pages}
	api := [3]uint64{uffdAPI}
	s.control(uffdioAPI, unsafe.Pointer(&api))
	register := [4]uint64{uint64(pages.address()), uint64(len(pages)), uffdMissing}
	s.control(uffdioRegister, unsafe.Pointer(&register))
	return s
}

func (s *served) control(command uintptr, argument unsafe.Pointer) {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s.fd), command, uintptr(argument)); errno != 0 {
		fail("control userfaultfd by %#x: %w", command, errno)
	}
}

// awaitFault waits until somebody, the kernel say, cannot go on without a page, and
// returns the address of that.
func (s *served) awaitFault() uintptr {
	var message [uffdMessage]byte
	n, err := unix.Read(s.fd, message[:])
	must("read from userfaultfd", err)
	if n != len(message) || message[0] != uffdPagefault {
		fail("userfaultfd told of event %#x", message[0])
	}
	address := uintptr(binary.NativeEndian.Uint64(message[uffdAddressAt:]))
	return address &^ uintptr(unix.Getpagesize()-1)
}

// put puts a page there, with a content of one page.
func (s *served) put(address uintptr, content region) {
	page := [5]uint64{uint64(address), uint64(content.address()), uint64(unix.Getpagesize())}
	s.control(uffdioCopy, unsafe.Pointer(&page))
}
