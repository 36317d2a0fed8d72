package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

const (
	lockdownFile = "/sys/kernel/security/lockdown"
	jitFile      = "/proc/sys/net/core/bpf_jit_enable"

	// initialPIDNamespace is the inode of the first PID namespace
	// (include/linux/proc_ns.h: PROC_PID_INIT_INO).
	initialPIDNamespace = 0xeffffffc
)

// read returns the trimmed content of a file, or "" if there is none.
func read(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// required turns one of the probe's own requirements into a check.
func required(name string, r probe.Requirement, effect, remedy string) Check {
	found, err := r()
	if err != nil {
		return Check{Name: name, Status: Fail, Found: err.Error(), Effect: effect, Remedy: remedy}
	}
	return Check{Name: name, Status: OK, Found: found}
}

func architecture() Check {
	c := Check{Name: "architecture", Status: OK, Found: runtime.GOARCH}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		c.Status, c.Effect, c.Remedy = Fail, "the event table has no system call numbers for it", "run on amd64 or arm64"
	}
	return c
}

func kernel() Check {
	return required("kernel", probe.Kernel, "the programs cannot hand over what they see", "boot a newer kernel")
}

func typeInformation() Check {
	return required("type information", probe.TypeInformation, "the programs cannot be fitted to this kernel", "boot a kernel with CONFIG_DEBUG_INFO_BTF, as distributions ship since 2021")
}

func capabilities() Check {
	return required("privileges", probe.Privileges, "nothing can be loaded", "run as root, or with CAP_BPF and CAP_PERFMON")
}

func lockdown() Check {
	c := Check{Name: "lockdown", Status: OK, Found: "off"}
	switch state := read(lockdownFile); {
	case state == "":
		c.Found = "not offered by the kernel"
	case strings.Contains(state, "[confidentiality]"):
		c.Status, c.Found = Fail, "confidentiality"
		c.Effect, c.Remedy = "BPF programs may not read kernel memory", "boot with lockdown=integrity"
	case strings.Contains(state, "[integrity]"):
		c.Found = "integrity, which allows reading"
	}
	return c
}

// compatCalls looks whether 32-bit programs can run here at all.
func compatCalls() Check {
	c := Check{Name: "32-bit calls", Status: OK, Found: "this kernel runs 32-bit programs; ipc(2) and int 0x80 are captured"}
	if runtime.GOARCH != "amd64" {
		c.Found = "not tried on " + runtime.GOARCH + "; captured where the kernel has them"
		return c
	}
	switch runs, err := runs32Bit(); {
	case err != nil:
		c.Found = "not known: " + err.Error()
	case !runs:
		c.Found = "this kernel runs no 32-bit programs: there is no ipc(2) to watch"
	}
	return c
}

func pidNamespace() Check {
	c := Check{Name: "PID namespace", Status: OK, Found: "initial"}
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		c.Status, c.Found = Warn, err.Error()
	} else if st.Ino != initialPIDNamespace {
		c.Status, c.Found = Warn, fmt.Sprintf("not the initial one (pid:[%d])", st.Ino)
	}
	if c.Status == Warn {
		c.Effect = "executables and containers of processes outside are not found"
		c.Remedy = "run in the host's PID namespace: docker run --pid=host, hostPID: true"
	}
	return c
}

// cgroups looks for a cgroup v2 hierarchy, by whose ids processes are told apart
// that have ended before anybody could look.
func cgroups() Check {
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			return Check{Name: "cgroup v2", Status: OK, Found: filepath.Clean(dir)}
		}
	}
	return Check{Name: "cgroup v2", Status: Warn, Found: "not mounted",
		Effect: "the container of a process that ended at once is not found", Remedy: "mount -t cgroup2 none /sys/fs/cgroup"}
}

func jit() Check {
	switch read(jitFile) {
	case "0":
		return Check{Name: "BPF compiler", Status: Warn, Found: "off", Effect: "each call costs several times more", Remedy: "sysctl net.core.bpf_jit_enable=1"}
	case "":
		return Check{Name: "BPF compiler", Status: OK, Found: "not known: " + jitFile + " cannot be read"}
	default:
		return Check{Name: "BPF compiler", Status: OK, Found: "on"}
	}
}
