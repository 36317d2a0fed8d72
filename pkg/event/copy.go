package event

import "unsafe"

// CopyTo makes dst a copy of e that shares no memory with it, but what never changes. What
// dst had before is overwritten, and its memory is used again.
func (e *Event) CopyTo(dst *Event) {
	overlaps := dst.Overlaps[:0]
	overlaps = append(overlaps, e.Overlaps...)
	var views [MaxMemory][3][]byte
	for i := range e.Memory {
		from, to := &e.Memory[i], &dst.Memory[i]
		views[i] = [3][]byte{
			append(to.Entry.Bytes[:0], from.Entry.Bytes...),
			append(to.Kernel.Bytes[:0], from.Kernel.Bytes...),
			append(to.Exit.Bytes[:0], from.Exit.Bytes...),
		}
	}
	*dst = *e
	dst.Overlaps = overlaps
	for i := range dst.Memory {
		m := &dst.Memory[i]
		m.Entry.Bytes, m.Kernel.Bytes, m.Exit.Bytes = views[i][0], views[i][1], views[i][2]
	}
}

// Bytes is about how much memory the event takes, in bytes.
func (e *Event) Bytes() int {
	const size, overlap = int(unsafe.Sizeof(Event{})), int(unsafe.Sizeof(Overlap{}))
	n := size + overlap*cap(e.Overlaps) + len(e.Process.Comm) + len(e.Process.Executable)
	for i := range e.Process.Ancestors {
		a := &e.Process.Ancestors[i]
		n += int(unsafe.Sizeof(*a)) + len(a.Comm)
	}
	for i := range e.Memory {
		m := &e.Memory[i]
		n += cap(m.Entry.Bytes) + cap(m.Kernel.Bytes) + cap(m.Exit.Bytes)
	}
	return n
}
