package probe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// minKernel is the first kernel with the BPF ring buffer.
var minKernel = [2]int{5, 8}

// btfFile has the kernel's own description of its types, by which the BPF object
// is fitted to it.
const btfFile = "/sys/kernel/btf/vmlinux"

// Requirement is something without which the probe cannot work. It returns what
// was found, or in one line what is missing.
type Requirement func() (found string, err error)

// missing returns what stands in the way of the probe, in one line, or nil.
func missing() error {
	for _, requirement := range []Requirement{Privileges, Kernel, TypeInformation} {
		if _, err := requirement(); err != nil {
			return err
		}
	}
	return nil
}

// Privileges demands what loading and attaching takes: CAP_BPF and CAP_PERFMON,
// which CAP_SYS_ADMIN includes (kernel/bpf/syscall.c).
func Privileges() (string, error) {
	effective, err := effectiveCapabilities()
	if err != nil {
		return "", err
	}
	has := func(capability int) bool { return effective&(1<<capability) != 0 }
	if has(unix.CAP_SYS_ADMIN) {
		return "CAP_SYS_ADMIN", nil
	}
	var lacking []string
	if !has(unix.CAP_BPF) {
		lacking = append(lacking, "CAP_BPF")
	}
	if !has(unix.CAP_PERFMON) {
		lacking = append(lacking, "CAP_PERFMON")
	}
	if lacking == nil {
		return "CAP_BPF and CAP_PERFMON", nil
	}
	return "", fmt.Errorf("no privilege to watch the kernel: %s missing; run as root", strings.Join(lacking, " and "))
}

func effectiveCapabilities() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("read own capabilities: %w", err)
	}
	return uint64(data[1].Effective)<<32 | uint64(data[0].Effective), nil
}

// Kernel demands a release that has the BPF ring buffer.
func Kernel() (string, error) {
	release, err := kernelRelease()
	if err != nil {
		return "", err
	}
	older, err := olderThan(release, minKernel)
	if err != nil {
		return "", err
	}
	if older {
		return "", fmt.Errorf("kernel %s has no BPF ring buffer; Linux %d.%d or newer is needed", release, minKernel[0], minKernel[1])
	}
	return release, nil
}

func olderThan(release string, than [2]int) (bool, error) {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return false, fmt.Errorf("kernel release %q: %w", release, err)
	}
	return major < than[0] || major == than[0] && minor < than[1], nil
}

func kernelRelease() (string, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return "", fmt.Errorf("read kernel release: %w", err)
	}
	release, _, _ := bytes.Cut(uts.Release[:], []byte{0})
	return string(release), nil
}

// TypeInformation demands the kernel's BTF.
func TypeInformation() (string, error) {
	if _, err := os.Stat(btfFile); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("kernel has no type information (%s): it was built without CONFIG_DEBUG_INFO_BTF", btfFile)
	} else if err != nil {
		return "", fmt.Errorf("kernel type information: %w", err)
	}
	return btfFile, nil
}
