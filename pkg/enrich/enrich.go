// Package enrich adds to an event what the kernel's record does not have: what
// the process runs, in which container, on which host.
package enrich

import (
	"cmp"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

const (
	// cacheEntries bounds each cache.
	cacheEntries = 8192

	// staleNS is the age at which a look at a process is repeated: an exec that
	// leaves comm as it is shows within this time.
	staleNS = uint64(time.Second)
)

// Enricher fills in events. It is for one goroutine.
type Enricher struct {
	hostName string
	proc     procfs
	programs *cache[processKey, event.Program]
	threads  *cache[threadKey, look]
	cgroups  cgroups
	// By host process id, of which one that ended may have been another's within staleNS.
	relatives *cache[uint32, relative]

	workloads workloads
}

// threadKey tells a thread from a later one with the same id. Threads and not
// processes are remembered, as each thread has a comm of its own: one entry for
// all threads of a process would seem changed with every other event.
type threadKey struct {
	hostTID uint32
	startNS uint64
}

// processKey tells a process from a later one with the same id.
type processKey struct {
	hostPID uint32
	startNS uint64
}

// look is what was seen of a thread.
type look struct {
	comm        string
	cgroupID    uint64
	atNS        uint64 // on CLOCK_BOOTTIME
	executable  string
	containerID string
	workload    *event.Workload
	ancestors   []event.Ancestor
	bits        uint8 // what the program was built for
}

// New makes an Enricher for the host called hostName, with its procfs mounted at
// the directory procfs, normally /proc. That must be of the host's initial PID
// namespace; of another one, executables and containers stay empty.
func New(hostName, procfsDir string) *Enricher {
	return &Enricher{
		hostName: hostName,
		proc:     procfs{dir: procfsDir},
		programs: newCache[processKey, event.Program](cacheEntries),
		threads:  newCache[threadKey, look](cacheEntries),
		cgroups:  newCgroups(procfsDir),

		relatives: newCache[uint32, relative](cacheEntries),

		workloads: newWorkloads("/"),
	}
}

// Learn takes what the kernel says that a process runs, of which nothing may be left
// to look at by the time its events are enriched.
func (r *Enricher) Learn(p event.Program) {
	r.programs.put(processKey{p.HostPID, p.ProcessStartNS}, p)
	// Whoever executes a program has no other threads any more.
	if seen := r.threads.get(threadKey{p.HostPID, p.ProcessStartNS}); seen != nil {
		seen.atNS = 0
	}
}

// Enrich fills in Executable, ProgramBits, HostName, ContainerID, Workload and Ancestors of
// e's process, and whether the creator of its object is gone. What cannot be found out, as
// of a process that has ended before anybody could look, is left empty. Nearly always it answers from memory, without allocation.
func (r *Enricher) Enrich(e *event.Event) {
	p := &e.Process
	p.HostName = r.hostName
	key := threadKey{p.HostTID, p.ThreadStartNS}
	seen := r.threads.get(key)
	if seen == nil || !seen.current(e) {
		now := r.look(e, seen)
		now.workload = r.workloads.of(now.containerID)
		now.ancestors = r.ancestorsOf(p, now.atNS)
		seen = r.threads.put(key, now)
	}
	p.Executable, p.ContainerID, p.Workload, p.Ancestors = seen.executable, seen.containerID, seen.workload, seen.ancestors
	p.ProgramBits = 0
	if e.Compat {
		p.ProgramBits = seen.bits
	}
	e.Object.CreatorGone = r.creatorGone(e)
}

// creatorGone tells whether the creator of a segment that is attached, although it is
// marked for removal, has ended. Of a process id that is in use again it does not. A
// creator that was the caller's parent was there, although it may have ended since.
func (r *Enricher) creatorGone(e *event.Event) bool {
	o, p := &e.Object, &e.Process
	if e.ID != event.Shmat || o.Kind != event.SharedMemory || o.Mode&event.ShmDest == 0 || o.CreatorPID == 0 {
		return false
	}
	if o.CreatorPID == p.HostPID || o.CreatorPID == p.HostParentPID {
		return false
	}
	return !r.proc.process(o.CreatorPID).exists()
}

// current tells whether the look still holds for e. Its time is the event's, so
// that no clock has to be read; an event that began before the look but ended
// after it is no reason for another one.
func (l *look) current(e *event.Event) bool {
	return l.comm == e.Process.Comm && l.cgroupID == e.Process.CgroupID && l.atNS != 0 && e.BootNS < l.atNS+staleNS
}

// look examines the process, of which before is what was known, or nil.
func (r *Enricher) look(e *event.Event, before *look) look {
	p := &e.Process
	now := look{comm: p.Comm, cgroupID: p.CgroupID, atNS: e.BootNS + e.DurationNS}
	process := r.proc.process(p.HostPID)
	executable, alive := process.executable(p.ProcessStartNS)
	if program := r.programs.get(processKey{p.HostPID, p.ProcessStartNS}); program != nil {
		now.bits = program.Bits
		executable = cmp.Or(program.Path, executable)
	}
	now.executable = executable
	if !alive {
		if executable == "" && before != nil && before.comm == p.Comm {
			now.executable = before.executable // it was so a moment ago, and has not become another program
		}
		now.containerID = r.cgroups.container(p.CgroupID, now.atNS)
		if now.containerID == "" && before != nil && before.cgroupID == p.CgroupID {
			now.containerID = before.containerID
		}
		return now
	}
	now.containerID = r.cgroups.containerOf(process, p.CgroupID)
	return now
}
