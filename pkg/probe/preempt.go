package probe

import (
	"bytes"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// preemptFile has the mode of a kernel that can switch it, the current one in
// parentheses: "none (voluntary) full" (kernel/sched/debug.c). It is in debugfs.
const preemptFile = "/sys/kernel/debug/sched/preempt"

// preempts tells whether this kernel takes the CPU from a task that runs kernel
// code. Where that can be switched, and cannot be read, it is taken to.
func preempts() bool {
	var uts unix.Utsname
	if unix.Uname(&uts) != nil {
		return true
	}
	build, _, _ := bytes.Cut(uts.Version[:], []byte{0})
	mode, _ := os.ReadFile(preemptFile) // empty where there is no debugfs
	return preemptsAs(string(build), string(mode))
}

// preemptsAs reads the kind of build from uname -v, "#1 SMP PREEMPT_DYNAMIC …", and
// the mode from preemptFile.
func preemptsAs(build, mode string) bool {
	switch {
	case strings.Contains(build, "PREEMPT_DYNAMIC"):
		return !strings.Contains(mode, "(none)") && !strings.Contains(mode, "(voluntary)")
	default:
		return strings.Contains(build, "PREEMPT")
	}
}
