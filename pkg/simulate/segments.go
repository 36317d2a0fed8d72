package simulate

import (
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

var segments = []*Scenario{
	{"IPCW-003", "attaches a segment of its own as executable", both, executable},
	{"IPCW-004", "asks for a segment at address 1 with SHM_RND, which is page 0", both, low},
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
