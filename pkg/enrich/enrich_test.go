package enrich

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const (
	second = uint64(time.Second)
	hexID  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// fakeProc is a procfs in a temporary directory.
type fakeProc struct {
	t   *testing.T
	dir string
}

func newFakeProc(t *testing.T) fakeProc {
	return fakeProc{t, t.TempDir()}
}

func (f fakeProc) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// start makes /proc/<pid> of a process that started so many seconds after boot.
func (f fakeProc) start(pid uint32, seconds uint64, exe, cgroup string) {
	f.fork(1, pid, seconds)
	dir := filepath.Join(f.dir, strconv.Itoa(int(pid)))
	f.check(os.WriteFile(filepath.Join(dir, "cgroup"), []byte(cgroup), 0o644))
	if exe != "" {
		f.check(os.Symlink(exe, filepath.Join(dir, "exe")))
	}
}

// fork makes as much of it as everybody may read of a child.
func (f fakeProc) fork(parent, pid uint32, seconds uint64) {
	f.t.Helper()
	f.end(pid)
	dir := filepath.Join(f.dir, strconv.Itoa(int(pid)))
	f.check(os.Mkdir(dir, 0o755))
	stat := fmt.Sprintf("%d (a ) S 9 (x) S %d %s%d 0 0\n", pid, parent, strings.Repeat("0 ", 17), seconds*100)
	f.check(os.WriteFile(filepath.Join(dir, "stat"), []byte(stat), 0o644))
}

func (f fakeProc) end(pid uint32) {
	f.t.Helper()
	f.check(os.RemoveAll(filepath.Join(f.dir, strconv.Itoa(int(pid)))))
}

// mount makes a cgroup v2 hierarchy with the given directories, and returns the
// id of the last one.
func (f fakeProc) mount(dirs ...string) (id uint64) {
	f.t.Helper()
	root := filepath.Join(f.t.TempDir(), "cgroup root")
	for _, dir := range dirs {
		f.check(os.MkdirAll(filepath.Join(root, dir), 0o755))
		info, err := os.Stat(filepath.Join(root, dir))
		f.check(err)
		id = info.Sys().(*syscall.Stat_t).Ino
	}
	f.check(os.MkdirAll(filepath.Join(f.dir, "self"), 0o755))
	mountinfo := "22 1 0:20 / /proc rw - proc proc rw\n" +
		"30 23 0:26 / " + strings.ReplaceAll(root, " ", `\040`) + " rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
	f.check(os.WriteFile(filepath.Join(f.dir, "self", "mountinfo"), []byte(mountinfo), 0o644))
	return id
}

// eventOf is an event of the process that starts one second after boot.
func eventOf(pid uint32, comm string, atNS uint64) *event.Event {
	e := &event.Event{ID: event.Msgget, BootNS: atNS}
	e.Process = event.Process{
		PID: 1, TID: 1, HostPID: pid, HostTID: pid, Comm: comm, CgroupID: 77,
		ThreadStartNS: second, ProcessStartNS: second,
	}
	return e
}

func expect(t *testing.T, r *Enricher, e *event.Event, executable, containerID string) {
	t.Helper()
	r.Enrich(e)
	p := &e.Process
	if p.Executable != executable || p.ContainerID != containerID || p.HostName != "host" {
		t.Errorf("executable %q, container %q, host %q; want %q, %q, host", p.Executable, p.ContainerID, p.HostName, executable, containerID)
	}
}

func TestEnrich(t *testing.T) {
	proc := newFakeProc(t)
	proc.start(7, 1, "/usr/bin/a (deleted)", "0::/system.slice/docker-"+hexID+".scope\n")
	proc.start(8, 1, "", "0::/\n")
	r := New("host", proc.dir)
	expect(t, r, eventOf(7, "a", 2*second), "/usr/bin/a (deleted)", hexID)
	kernelThread := eventOf(8, "kworker", 2*second)
	kernelThread.Process.CgroupID = 1
	expect(t, r, kernelThread, "", "")
	expect(t, r, eventOf(9, "gone", 2*second), "", hexID) // its cgroup is known from the first
}

func TestExecIsSeen(t *testing.T) {
	proc := newFakeProc(t)
	proc.start(7, 1, "/bin/a", "0::/\n")
	r := New("host", proc.dir)
	expect(t, r, eventOf(7, "a", 2*second), "/bin/a", "")
	proc.start(7, 1, "/bin/b", "0::/\n")
	expect(t, r, eventOf(7, "a", 2*second+second/2), "/bin/a", "") // from memory
	expect(t, r, eventOf(7, "b", 2*second+second/2), "/bin/b", "") // another comm
	proc.start(7, 1, "/bin/c", "0::/\n")
	expect(t, r, eventOf(7, "b", 4*second), "/bin/c", "") // too old
	proc.end(7)
	expect(t, r, eventOf(7, "b", 6*second), "/bin/c", "") // gone, and was the same program
	expect(t, r, eventOf(7, "x", 6*second), "", "")       // gone, and was another one
}

func TestAnotherProcessWithTheSameID(t *testing.T) {
	proc := newFakeProc(t)
	proc.start(7, 5, "/bin/later", "0::/docker/"+hexID+"\n")
	r := New("host", proc.dir)
	expect(t, r, eventOf(7, "a", 2*second), "", "")
}

// TestCgroupV1 has processes in and out of containers in one v2 directory.
func TestCgroupV1(t *testing.T) {
	proc := newFakeProc(t)
	proc.mount("a")
	proc.start(7, 1, "/bin/a", "1:name=systemd:/docker/"+hexID+"\n0::/system.slice/docker.service\n")
	proc.start(8, 1, "/bin/b", "1:name=systemd:/\n0::/system.slice/docker.service\n")
	r := New("host", proc.dir)
	expect(t, r, eventOf(9, "gone", 2*second), "", "")
	expect(t, r, eventOf(8, "b", 2*second), "/bin/b", "")
	expect(t, r, eventOf(7, "a", 2*second), "/bin/a", hexID)
}

func TestGoneProcessIsFoundByItsCgroup(t *testing.T) {
	proc := newFakeProc(t)
	const scope = "system.slice/docker-" + hexID + ".scope"
	id := proc.mount("system.slice/ssh.service", scope+"/inner")
	r := New("host", proc.dir)
	at := func(ns, cgroupID uint64) *event.Event {
		e := eventOf(7, "gone", ns)
		e.Process.CgroupID = cgroupID
		return e
	}
	expect(t, r, at(2*second, id), "", hexID)
	later := proc.mount(scope + "/later")
	expect(t, r, at(2*second+1, later), "", "") // a walk was just made
	expect(t, r, at(4*second, later), "", hexID)
	expect(t, r, at(6*second, 99), "", "")
	if known := r.cgroups.known.get(99); known == nil || *known != "" {
		t.Error("that an id is nobody's was not remembered")
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache[int, int](3)
	for i := range 5 {
		c.put(i, i)
	}
	c.put(4, 40)
	for key, want := range map[int]int{0: -1, 1: -1, 2: 2, 3: 3, 4: 40} {
		got := -1
		if v := c.get(key); v != nil {
			got = *v
		}
		if got != want {
			t.Errorf("get(%d) = %d, want %d", key, got, want)
		}
	}
	if len(c.values) != 3 || len(c.order) != 3 {
		t.Errorf("%d values, %d keys, want 3", len(c.values), len(c.order))
	}
}

// TestSelf looks at this very process in the real procfs.
func TestSelf(t *testing.T) {
	const dir = "/proc"
	pid := uint32(os.Getpid())
	self, ok := procfs{dir}.process(pid).stat()
	ticks := self.startTicks
	if !ok {
		t.Skip("no /proc here")
	}
	want, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e := eventOf(pid, "test", 2*second)
	e.Process.ThreadStartNS = ticks * clockTickNS
	e.Process.ProcessStartNS = ticks*clockTickNS + clockTickNS - 1
	New("host", dir).Enrich(e)
	if e.Process.Executable != want {
		t.Errorf("executable %q, want %q", e.Process.Executable, want)
	}
	if self.parent != uint32(os.Getppid()) || self.comm == "" {
		t.Errorf("parent %d, comm %q", self.parent, self.comm)
	}
}

func BenchmarkEnrich(b *testing.B) {
	r := New("host", "/proc")
	e := eventOf(uint32(os.Getpid()), "test", 2*second)
	b.ReportAllocs()
	for b.Loop() {
		r.Enrich(e)
	}
}

func TestEnrichFromMemoryDoesNotAllocate(t *testing.T) {
	r := New("host", newFakeProc(t).dir)
	e := eventOf(7, "test", 2*second)
	r.Enrich(e)
	if n := testing.AllocsPerRun(100, func() { r.Enrich(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
