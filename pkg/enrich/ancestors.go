package enrich

import "github.com/ipcwarden/ipcwarden/pkg/event"

// relative is what was seen of a process that is an ancestor of others: what everybody may
// read, as what it runs takes a capability that is not worth it (CAP_SYS_PTRACE).
type relative struct {
	stat
	atNS uint64 // when, on CLOCK_BOOTTIME
}

// ancestorsOf looks for the parent of a process, the parent's parent and so on, until one
// has ended, or there are event.MaxAncestors.
func (r *Enricher) ancestorsOf(p *event.Process, atNS uint64) []event.Ancestor {
	var list [event.MaxAncestors]event.Ancestor
	n := 0
	for pid := p.HostParentPID; pid != 0 && n < len(list); n++ {
		seen := r.relative(pid, atNS)
		// The id of a parent that has ended may be another's by now.
		if seen == nil || n == 0 && seen.startTicks != p.ParentStartNS/clockTickNS {
			break
		}
		list[n], pid = event.Ancestor{HostPID: pid, Comm: seen.comm}, seen.parent
	}
	return append([]event.Ancestor(nil), list[:n]...)
}

// relative looks at a process, unless it has just done so. It is nil if there is none.
func (r *Enricher) relative(pid uint32, atNS uint64) *relative {
	known := r.relatives.get(pid)
	if known != nil && atNS < known.atNS+staleNS {
		return known
	}
	now, ok := r.proc.process(pid).stat()
	if !ok {
		return nil
	}
	return r.relatives.put(pid, relative{now, atNS})
}
