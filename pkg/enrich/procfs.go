package enrich

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// clockTickNS is the unit of starttime in /proc/<pid>/stat: USER_HZ is 100 on
// every architecture that the event table has.
const clockTickNS = uint64(time.Second) / 100

// startTimeField is the place of starttime in /proc/<pid>/stat, counted from the
// field after the name, which is the third (Documentation/filesystems/proc.rst).
const startTimeField = 22 - 3

// procfs is a mounted proc filesystem.
type procfs struct{ dir string }

// process is /proc/<pid>.
type process struct{ dir string }

func (p procfs) process(pid uint32) process {
	return process{filepath.Join(p.dir, strconv.FormatUint(uint64(pid), 10))}
}

// executable returns what the process runs, "" for a kernel thread, with
// " (deleted)" after the path of a file that is gone. alive is false where the
// process has ended, whether or not another one has its id by now: the process
// meant started at startNS on CLOCK_BOOTTIME.
func (p process) executable(startNS uint64) (path string, alive bool) {
	path, _ = os.Readlink(filepath.Join(p.dir, "exe"))
	// The look at the start comes second, so that it vouches for the first.
	started, ok := p.startTicks()
	if !ok || started != startNS/clockTickNS {
		return "", false
	}
	return path, true
}

// startTicks reads when the process was started, in clock ticks since boot.
func (p process) startTicks() (ticks uint64, ok bool) {
	stat, err := os.ReadFile(filepath.Join(p.dir, "stat"))
	if err != nil {
		return 0, false
	}
	// The name is in parentheses, and may have any character but NUL.
	end := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[end+1:])
	if end < 0 || len(fields) <= startTimeField {
		return 0, false
	}
	ticks, err = strconv.ParseUint(string(fields[startTimeField]), 10, 64)
	return ticks, err == nil
}

// exists tells whether there is a process. Where procfs cannot be read there seems to be.
func (p process) exists() bool {
	_, err := os.Lstat(p.dir)
	return !errors.Is(err, fs.ErrNotExist)
}

// maxAuxv is more than the auxiliary vector of any architecture (AT_VECTOR_SIZE).
const maxAuxv = 1024

// programBits tells whether the process runs a program of 32 or of 64 bits, 0 if that
// cannot be found out. It goes by the auxiliary vector, which the kernel keeps: the
// file itself can lie where somebody holds up whoever reads it.
func (p process) programBits(startNS uint64) uint8 {
	file, err := os.Open(filepath.Join(p.dir, "auxv"))
	if err != nil {
		return 0
	}
	defer file.Close()
	auxv := make([]byte, maxAuxv)
	n, _ := file.Read(auxv)
	if started, ok := p.startTicks(); !ok || started != startNS/clockTickNS {
		return 0
	}
	return bitsOf(auxv[:max(n, 0)])
}

// The entry of the auxiliary vector that says how large a program header is
// (include/uapi/linux/auxvec.h), and how large it is in each ELF class.
const (
	atPhent    = 4
	phdr32Size = 32
	phdr64Size = 56
)

// bitsOf looks for that entry among pairs of words of either size: no pair of the one
// size looks like it in the other.
func bitsOf(auxv []byte) uint8 {
	for b := auxv; len(b) >= 16; b = b[16:] {
		if binary.LittleEndian.Uint64(b) == atPhent && binary.LittleEndian.Uint64(b[8:]) == phdr64Size {
			return 64
		}
	}
	for b := auxv; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint32(b) == atPhent && binary.LittleEndian.Uint32(b[4:]) == phdr32Size {
			return 32
		}
	}
	return 0
}

// cgroupFile reads /proc/<pid>/cgroup.
func (p process) cgroupFile() ([]byte, error) {
	return os.ReadFile(filepath.Join(p.dir, "cgroup"))
}
