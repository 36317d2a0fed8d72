package enrich

import (
	"bytes"
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

// The places of ppid and starttime in /proc/<pid>/stat, counted from the field after the
// name, which is the third (Documentation/filesystems/proc.rst).
const (
	parentField    = 4 - 3
	startTimeField = 22 - 3
)

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
	now, ok := p.stat()
	if !ok || now.startTicks != startNS/clockTickNS {
		return "", false
	}
	return path, true
}

// stat is what /proc/<pid>/stat says of a process.
type stat struct {
	comm       string
	parent     uint32
	startTicks uint64 // when it was started, in clock ticks since boot
}

// stat reads it. It is not ok if there is no such process.
func (p process) stat() (s stat, ok bool) {
	text, err := os.ReadFile(filepath.Join(p.dir, "stat"))
	if err != nil {
		return stat{}, false
	}
	// The name is in parentheses, and may have any character but NUL.
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return stat{}, false
	}
	fields := bytes.Fields(text[end+1:])
	if len(fields) <= startTimeField {
		return stat{}, false
	}
	parent, err := strconv.ParseUint(string(fields[parentField]), 10, 32)
	if err != nil {
		return stat{}, false
	}
	ticks, err := strconv.ParseUint(string(fields[startTimeField]), 10, 64)
	return stat{string(text[begin+1 : end]), uint32(parent), ticks}, err == nil
}

// exists tells whether there is a process. Where procfs cannot be read there seems to be.
func (p process) exists() bool {
	_, err := os.Lstat(p.dir)
	return !errors.Is(err, fs.ErrNotExist)
}

// cgroupFile reads /proc/<pid>/cgroup.
func (p process) cgroupFile() ([]byte, error) {
	return os.ReadFile(filepath.Join(p.dir, "cgroup"))
}
