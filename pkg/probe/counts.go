package probe

import (
	"fmt"
	"unsafe"

	"github.com/aquasecurity/libbpfgo"
	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Counts says what became of every call that was entered since Open:
// Entered = Filtered + Unmatched + Aggregated + Emitted + the losses + InFlight.
type Counts struct {
	Entered   uint64
	Filtered  uint64 // a filter did not want it
	Unmatched uint64 // Options.Wanted has nothing that it could be
	// Aggregated calls were counted while there was little room for events: for a Mute,
	// or because they repeat others.
	Aggregated uint64
	Repeated   uint64 // those that events have told of, as their repeats
	Emitted    uint64 // an event has come of it, or will
	InFlight   uint64 // has not returned yet
	// Lost has the calls of which no event will come, by cause.
	Lost map[string]uint64
	// Cut counts captures of memory that were shortened for want of room.
	Cut uint64
}

// The causes of loss.
const (
	RingFull     = "ring_full"     // the daemon was too slow, and the process made too many calls or there was no room at all
	ThreadsFull  = "threads_full"  // more threads use System V IPC than there is room for
	EntryMissed  = "entry_missed"  // the kernel did not run the program at the entry
	ReturnMissed = "return_missed" // nor at the exit: more calls under way than a kretprobe can follow
	Malformed    = "malformed"     // a record that could not be parsed
)

// countsSection is the section, and so the map, that call_counts has for itself.
const countsSection = ".data.counts"

// kernelCounts is struct counts of ebpf/maps.h.
type kernelCounts struct {
	entered, filtered, unmatched, aggregated, emitted, ringFull, threadsFull, returnMissed, largeFull uint64

	_ [7]uint64 // alignment
}

// mapCounts maps the counters, so that reading them makes no system call.
func mapCounts(module *libbpfgo.Module) (*ebpf.Memory, error) {
	m, err := again(module, countsSection)
	if err != nil {
		return nil, err
	}
	defer m.Close() // the memory stays
	memory, err := m.Memory()
	if err != nil {
		return nil, fmt.Errorf("map the counters: %w", err)
	}
	return memory, nil
}

// Counts reads the counters. While programs are attached the sum can be off by
// the calls that are under way at that moment.
func (p *Probe) Counts() (Counts, error) {
	b := make([]byte, p.counters.Size())
	if _, err := p.counters.ReadAt(b, 0); err != nil {
		return Counts{}, fmt.Errorf("read the counters: %w", err)
	}
	var sum kernelCounts
	const size = int(unsafe.Sizeof(sum))
	for ; len(b) >= size; b = b[size:] {
		var slot kernelCounts
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&slot)), size), b)
		sum.entered += slot.entered
		sum.filtered += slot.filtered
		sum.unmatched += slot.unmatched
		sum.aggregated += slot.aggregated
		sum.emitted += slot.emitted
		sum.ringFull += slot.ringFull
		sum.threadsFull += slot.threadsFull
		sum.returnMissed += slot.returnMissed
		sum.largeFull += slot.largeFull
	}
	missed, err := p.missedEntries()
	if err != nil {
		return Counts{}, err
	}
	counts := Counts{
		Entered: sum.entered + missed, Filtered: sum.filtered, Unmatched: sum.unmatched, Aggregated: sum.aggregated,
		Repeated: p.repeated, Emitted: sum.emitted - p.malformed, Cut: sum.largeFull,
		Lost: map[string]uint64{
			RingFull: sum.ringFull, ThreadsFull: sum.threadsFull, Malformed: p.malformed,
			EntryMissed: missed, ReturnMissed: sum.returnMissed,
		},
	}
	if done := sum.filtered + sum.unmatched + sum.aggregated + sum.emitted + sum.ringFull + sum.threadsFull + sum.returnMissed; done < sum.entered {
		counts.InFlight = sum.entered - done
	}
	return counts, nil
}

// Losses is the part of Counts that says how many calls were lost, by cause.
func (p *Probe) Losses() (map[string]uint64, error) {
	counts, err := p.Counts()
	return counts.Lost, err
}

// missedEntries is how many runs of entry programs the kernel has left out: they
// are calls of which nothing else is known. At tracepoints these are system calls
// of any kind, of which ours are some.
func (p *Probe) missedEntries() (uint64, error) {
	sum := p.missed
	if p.entries == nil {
		return sum, nil
	}
	seen := map[int]bool{}
	for _, entry := range p.entries {
		fd := entry.prog.FileDescriptor()
		if seen[fd] {
			continue
		}
		seen[fd] = true
		misses, err := recursionMisses(fd)
		if err != nil {
			return sum, fmt.Errorf("count misses of %s: %w", entry.name, err)
		}
		sum += misses
	}
	if p.tracefs != nil {
		missed, err := p.tracefs.missed()
		if err != nil {
			return sum, err
		}
		sum += missed
	}
	return sum, nil
}

// recursionMisses is how often the kernel did not run a program because it was
// running on that CPU already.
func recursionMisses(fd int) (uint64, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	prog, err := ebpf.NewProgramFromFD(own)
	if err != nil {
		return 0, err
	}
	defer prog.Close()
	stats, err := prog.Stats()
	if err != nil {
		return 0, err
	}
	return stats.RecursionMisses, nil
}
