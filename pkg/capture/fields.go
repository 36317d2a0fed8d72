package capture

import (
	"slices"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// eventFields lists the fields of an event in the order of the file. A new one comes
// at the end, whichever struct it is in.
func (c *coder) eventFields(e *event.Event) {
	number(c, &e.ID)
	number(c, &e.ABI)
	flags(c, &e.Multiplexed, &e.Compat, &e.Time64, &e.Unfinished)
	numbers(c, &e.Call, &e.Version)
	for i := range e.Args {
		numbers(c, &e.Args[i], &e.Raw[i])
	}
	numbers(c, &e.BootNS, &e.DurationNS, &e.CopiedNS)
	numbers(c, &e.TimeNS, &e.Return, &e.RawReturn)
	numbers(c, &e.RawCommand, &e.CPU, &e.CopiedSleeps, &e.Sleeps, &e.OverlapsOmitted)
	c.processFields(&e.Process)
	c.objectFields(&e.Object)
	for i := range e.Memory {
		c.memoryFields(&e.Memory[i])
	}
	c.overlapFields(e)
	number(c, &e.Process.ProgramBits)
	flags(c, &e.Object.CreatorGone)
	c.workloadFields(&e.Process)
	numbers(c, &e.Repeats.Count, &e.Repeats.FirstNS, &e.Repeats.LastNS)
	flags(c, &e.Repeats.Alone)
	c.ancestorFields(&e.Process)
}

// ancestorFields are shared by the events of a process that follow each other.
func (c *coder) ancestorFields(p *event.Process) {
	n := uint64(len(p.Ancestors))
	number(c, &n)
	var list [event.MaxAncestors]event.Ancestor
	count := copy(list[:min(n, event.MaxAncestors)], p.Ancestors)
	if c.reading {
		count = int(min(n, event.MaxAncestors))
	}
	for i := range count {
		a := &list[i]
		number(c, &a.HostPID)
		texts(c, &a.Comm)
	}
	if !c.reading {
		return
	}
	if !slices.Equal(c.ancestors, list[:count]) {
		c.ancestors = append([]event.Ancestor(nil), list[:count]...)
	}
	p.Ancestors = c.ancestors
}

// workloadFields are shared by the events of a container that follow each other.
func (c *coder) workloadFields(p *event.Process) {
	var w event.Workload
	if !c.reading && p.Workload != nil {
		w = *p.Workload
	}
	texts(c, &w.Name, &w.Image, &w.ImageDigest, &w.PodName, &w.PodNamespace, &w.PodUID)
	if !c.reading {
		return
	}
	if w == (event.Workload{}) {
		p.Workload = nil
		return
	}
	if c.workload == nil || *c.workload != w {
		c.workload = &w
	}
	p.Workload = c.workload
}

func (c *coder) processFields(p *event.Process) {
	numbers(c, &p.PID, &p.TID, &p.ParentPID, &p.HostPID, &p.HostTID, &p.HostParentPID, &p.UID, &p.GID, &p.EUID, &p.EGID,
		&p.MountNamespace, &p.PIDNamespace, &p.IPCNamespace)
	numbers(c, &p.CgroupID, &p.ThreadStartNS, &p.ProcessStartNS, &p.ParentStartNS)
	number(c, &p.BootToUnixNS)
	texts(c, &p.Comm, &p.Executable, &p.HostName, &p.ContainerID)
}

func (c *coder) objectFields(o *event.Object) {
	number(c, &o.Kind)
	flags(c, &o.Created, &o.Kernel.Seen)
	numbers(c, &o.ID, &o.Key, &o.Kernel.ID)
	number(c, &o.Mode)
	number(c, &o.Kernel.Access)
	numbers(c, &o.OwnerUID, &o.OwnerGID, &o.CreatorUID, &o.CreatorGID, &o.CreatorPID, &o.LastPID, &o.LastSendPID, &o.LastReceivePID)
	numbers(c, &o.Sequence, &o.QueueBytes, &o.CurrentBytes, &o.Messages, &o.Semaphores, &o.SegmentBytes, &o.Attached)
}

func (c *coder) memoryFields(m *event.Memory) {
	number(c, &m.Pointee)
	texts(c, &m.Arg)
	numbers(c, &m.Address, &m.Length, &m.KernelLength)
	number(c, &m.KernelSource)
	for look := range event.Looks {
		v := m.View(look)
		number(c, &v.State)
		blob(c, &v.Bytes)
		numbers(c, &v.Digest, &v.Digested)
	}
	for i := range m.Mappings {
		p := &m.Mappings[i]
		number(c, &p.State)
		flags(c, &p.Shared, &p.Userfaultfd, &p.Resident, &p.IsSegment)
		numbers(c, &p.Magic, &p.Attached)
		number(c, &p.SegmentID)
	}
}

func (c *coder) overlapFields(e *event.Event) {
	n := uint64(len(e.Overlaps))
	number(c, &n)
	if c.reading {
		e.Overlaps = e.Overlaps[:0]
		for range min(n, event.MaxOverlaps) {
			e.Overlaps = append(e.Overlaps, event.Overlap{})
		}
	}
	for i := range e.Overlaps {
		o := &e.Overlaps[i]
		numbers(c, &o.HostPID, &o.HostTID)
		number(c, &o.ID)
		flags(c, &o.Writes)
		numbers(c, &o.Address, &o.Length, &o.BootNS, &o.DurationNS)
	}
}

func (c *coder) gapFields(g *pipeline.Gap) {
	c.timeField(&g.From)
	c.timeField(&g.To)
	number(c, &g.Count)
	texts(c, &g.Cause, &g.Hook, &g.Muted.Signature)
	if m := &g.Muted; m.Signature != "" {
		number(c, &m.HostPID)
		number(c, &m.Event)
	}
}

// timeField keeps a time to the nanosecond, without its zone.
func (c *coder) timeField(t *time.Time) {
	ns := t.UnixNano()
	number(c, &ns)
	*t = time.Unix(0, ns).UTC()
}
