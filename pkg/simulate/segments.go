package simulate

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

var segments = []*Scenario{
	{ID: "IPCW-003", Does: "attaches a segment of its own as executable", Ways: both, act: executable},
	{ID: "IPCW-019", Does: "attaches a segment by a call that fails, as its address cannot be stored", Ways: []Way{Multiplexed}, act: hiddenAttach},
	{ID: "IPCW-022", Does: "attaches a segment of one page 40 times", Ways: both, act: attachSpray},
	{ID: "IPCW-023", Does: "makes a segment of three megabytes in a program that is called sshd", Ways: both, act: largeInSSHD, second: large},
	{ID: "IPCW-043", Does: "makes a queue as a 64-bit program by the 32-bit table", Ways: []Way{Multiplexed}, act: by32},
	{ID: "IPCW-044", Does: "attaches a segment that is to be removed, and whose creator has ended", Ways: both, act: attachOrphan, second: leaveSegment},
	{ID: "IPCW-046", Does: "creates a segment of mode 0666 without a key", Ways: both, act: writableMemory},
	{ID: "IPCW-049", Does: "attaches a segment over a page of its own memory", Ways: both, act: replaceMapping},
	{ID: "IPCW-004", Does: "asks for a segment at address 1 with SHM_RND, which is page 0", Ways: both, act: low},
}

func executable(a *actor) {
	a.do(event.Shmat, a.do(event.Shmget, private, 4096, 0o700), 0, shmExec)
}

func low(a *actor) {
	segment := a.do(event.Shmget, private, 4096, 0o600)
	switch _, errno := a.call(event.Shmat, segment, 1, shmRound); errno {
	case 0, unix.EPERM, unix.EACCES, unix.EINVAL: // vm.mmap_min_addr, or a security module; the attempt counts
	default:
		fail("attach a segment at address 1: %w", errno)
	}
}

// replaceMapping has a segment come to lie where a page of the arena was.
func replaceMapping(a *actor) {
	page := a.pages(1)
	a.do(event.Shmat, a.do(event.Shmget, private, uintptr(len(page)), 0o600), page.address(), shmRemap)
}

const attachments = 40

func hiddenAttach(a *actor) {
	segment := a.do(event.Shmget, private, 4096, 0o600)
	attach := ipcOperation{Call: uint32(event.Lookup(event.Shmat).Call), First: uint32(segment)} // and the address to 0
	if _, errno := attach.do(); errno != unix.EFAULT {
		fail("attach without a place for the address: %w", errno)
	}
}

func attachSpray(a *actor) {
	segment := a.do(event.Shmget, private, 4096, 0o600)
	for range attachments {
		a.do(event.Shmat, segment, 0, shmReadOnly)
	}
}

func largeInSSHD(a *actor) { a.runAs("/tmp/sshd") }

func large(a *actor) {
	a.do(event.Shmget, private, 3<<20, 0o600)
	time.Sleep(lingering)
}

func writableMemory(a *actor) { a.do(event.Shmget, private, 4096, 0o666) }

func by32(a *actor) {
	a.do(event.Msgget, private, 0o600)
	time.Sleep(lingering)
}

// attachOrphan attaches the segment of a program that has ended, marks it for removal,
// and attaches it again.
func attachOrphan(a *actor) {
	run("/proc/self/exe", nil)
	segment := a.do(event.Shmget, key, 0, 0)
	a.do(event.Shmat, segment, 0, 0)
	a.do(event.Shmctl, segment, remove, 0)
	a.do(event.Shmat, segment, 0, 0)
}

func leaveSegment(a *actor) { a.do(event.Shmget, key, 4096, create|0o600) }
