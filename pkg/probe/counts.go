package probe

import (
	"fmt"
	"unsafe"

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

// kernelCounts is struct counts of ebpf/maps.h.
type kernelCounts struct {
	entered, filtered, unmatched, aggregated, emitted, ringFull, threadsFull, returnMissed, largeFull uint64
}

// Counts reads the counters. While programs are attached the sum can be off by
// the calls that are under way at that moment.
func (p *Probe) Counts() (Counts, error) {
	m, err := p.module.GetMap("call_counts")
	if err != nil {
		return Counts{}, fmt.Errorf("find the counters: %w", err)
	}
	zero := uint32(0)
	b, err := m.GetValue(unsafe.Pointer(&zero))
	if err != nil {
		return Counts{}, fmt.Errorf("read the counters: %w", err)
	}
	var sum kernelCounts
	const size = int(unsafe.Sizeof(sum))
	for ; len(b) >= size; b = b[size:] {
		var cpu kernelCounts
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&cpu)), size), b)
		sum.entered += cpu.entered
		sum.filtered += cpu.filtered
		sum.unmatched += cpu.unmatched
		sum.aggregated += cpu.aggregated
		sum.emitted += cpu.emitted
		sum.ringFull += cpu.ringFull
		sum.threadsFull += cpu.threadsFull
		sum.returnMissed += cpu.returnMissed
		sum.largeFull += cpu.largeFull
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
