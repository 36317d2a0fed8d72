package event

// MaxOverlaps bounds Event.Overlaps.
const MaxOverlaps = 8

// Overlap is a call of another thread, with the same address space, that was under
// way on the same memory at the same time.
type Overlap struct {
	HostPID, HostTID uint32
	ID               ID
	Writes           bool   // the kernel writes to the memory
	Address, Length  uint64 // of that call's memory
	BootNS           uint64 // its entry, on CLOCK_BOOTTIME
	DurationNS       uint64 // 0: it was still under way when this call ended
}
