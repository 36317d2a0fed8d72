package enrich

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// walkEveryNS is how often the cgroup hierarchy may be walked.
	walkEveryNS = uint64(time.Second)

	// maxWalk bounds how many directories a walk looks at.
	maxWalk = 16384
)

// cgroups knows which container a cgroup v2 directory belongs to.
type cgroups struct {
	procfsDir string
	known     *cache[uint64, string] // container by cgroup id; "" for none
	walkedNS  uint64                 // time of the last walk on CLOCK_BOOTTIME, 0 for never
}

func newCgroups(procfsDir string) cgroups {
	return cgroups{procfsDir: procfsDir, known: newCache[uint64, string](cacheEntries)}
}

// containerOf returns the container of a live process, whose cgroup v2 directory
// has the id cgroupID.
func (c *cgroups) containerOf(p process, cgroupID uint64) string {
	// That an id is nobody's is not believed of a live process: where runtimes
	// use cgroup v1, processes in and out of containers share one v2 directory.
	if id := c.known.get(cgroupID); id != nil && *id != "" {
		return *id
	}
	file, err := p.cgroupFile()
	if err != nil {
		return ""
	}
	unified, others := parseCgroupFile(string(file))
	if id := containerID(unified); id != "" {
		return *c.known.put(cgroupID, id)
	}
	return firstContainer(others)
}

// ContainerOf returns the container of a process by the content of its
// /proc/<pid>/cgroup, "" for none.
func ContainerOf(cgroupFile string) string {
	unified, others := parseCgroupFile(cgroupFile)
	return firstContainer(append([]string{unified}, others...))
}

// firstContainer returns the container of the first path that leads to one, "" for none.
func firstContainer(paths []string) string {
	for _, path := range paths {
		if id := containerID(path); id != "" {
			return id
		}
	}
	return ""
}

// parseCgroupFile splits /proc/<pid>/cgroup, lines of hierarchy:controllers:path,
// into the path in the v2 hierarchy and those in v1 hierarchies.
func parseCgroupFile(file string) (unified string, others []string) {
	for line := range strings.Lines(file) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(parts) < 3:
		case parts[0] == "0" && parts[1] == "":
			unified = parts[2]
		default:
			others = append(others, parts[2])
		}
	}
	return unified, others
}

// container returns the container of a cgroup v2 directory whose processes may
// all have ended. nowNS is the time on CLOCK_BOOTTIME. An id that a walk does not
// find is remembered as nobody's.
func (c *cgroups) container(cgroupID, nowNS uint64) string {
	if id := c.known.get(cgroupID); id != nil {
		return *id
	}
	if c.walkedNS != 0 && nowNS < c.walkedNS+walkEveryNS {
		return ""
	}
	c.walkedNS = max(nowNS, 1)
	c.walk()
	if id := c.known.get(cgroupID); id != nil {
		return *id
	}
	return *c.known.put(cgroupID, "")
}

// walk learns the containers of all cgroups, by which each further id costs
// nothing. The id of a cgroup is the inode of its directory (kernfs_id).
func (c *cgroups) walk() {
	root := c.mountPoint()
	if root == "" {
		return
	}
	left := maxWalk
	// Directories come and go meanwhile; what cannot be read is left out.
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil //nolint:nilerr // see above
		}
		if left--; left < 0 {
			return fs.SkipAll
		}
		id := containerID(strings.TrimPrefix(path, root))
		if id == "" {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				c.known.put(st.Ino, id)
			}
		}
		return nil
	})
}

// mountPoint is where the cgroup v2 hierarchy is mounted, "" for nowhere.
func (c *cgroups) mountPoint() string {
	file, err := os.ReadFile(filepath.Join(c.procfsDir, "self", "mountinfo"))
	if err != nil {
		return ""
	}
	// 36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw
	for line := range strings.Lines(string(file)) {
		mount, filesystem, ok := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if ok && len(fields) > 4 && strings.HasPrefix(filesystem, "cgroup2 ") {
			return unescapeOctal(fields[4])
		}
	}
	return ""
}

// unescapeOctal undoes what the kernel does to blanks and backslashes in
// mountinfo: \040 for a space (fs/seq_file.c: mangle_path).
func unescapeOctal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
