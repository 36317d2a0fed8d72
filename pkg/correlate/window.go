package correlate

import (
	"slices"
	"unsafe"
)

// maxStamps bounds the matches of a window that is decided at its end; thresholds
// are lower. One that has more is known to have too many.
const maxStamps = 1024

// window decides event_count and value_count at the end of a timespan that begins
// with a match: lte, lt and eq. What ended later begins the next window.
type window struct {
	*windowRule
	stamps []stamp // ordered by time: the first maxStamps, also of windows that follow
	over   bool    // there were more, after the last of them
}

// stamp is a match: when its call ended, the value that counts, and its event. That of
// a window with too many is not remembered, as it will not be shown.
type stamp struct {
	at     int64
	value  uint64
	ticket ticket
}

// windowRule is what all groups of a signature have in common.
type windowRule struct {
	least, most int
	timespan    int64
	distinct    bool
}

func (w *window) observe(m *match, r *recall) *hit {
	// The kernel counts nothing for such a signature, but may have for those before it.
	for range min(m.repeats.count, maxStamps) {
		w.put(m.repeats.last, m, r)
	}
	if !m.alone {
		w.put(m.end, m, r)
	}
	return nil
}

func (w *window) put(end int64, m *match, r *recall) {
	at := w.after(end)
	if at == len(w.stamps) && (w.over || at == maxStamps) {
		w.over = true
		return
	}
	one := stamp{at: end, value: m.value}
	if w.distinct || at-w.begin(end) < w.most {
		one.ticket = r.put(m.event)
	}
	if w.stamps = slices.Insert(w.stamps, at, one); len(w.stamps) > maxStamps {
		w.stamps, w.over = w.stamps[:maxStamps], true
	}
}

// after is how many matches ended up to t.
func (w *window) after(t int64) int {
	n, _ := slices.BinarySearchFunc(w.stamps, t, func(s stamp, t int64) int {
		if s.at <= t {
			return -1
		}
		return 1
	})
	return n
}

// begin is the first match of the window that t is in.
func (w *window) begin(t int64) (first int) {
	for first < len(w.stamps) && t > w.stamps[first].at+w.timespan {
		first = w.after(w.stamps[first].at + w.timespan)
	}
	return first
}

func (w *window) closes() int64 {
	if len(w.stamps) == 0 {
		return 0
	}
	return w.stamps[0].at + w.timespan
}

func (w *window) close() *hit {
	from := w.stamps[0].at
	end := w.after(from + w.timespan)
	inside, to := w.stamps[:end], w.stamps[end-1].at
	count := len(inside)
	if w.distinct {
		values := map[uint64]bool{}
		for _, s := range inside {
			values[s.value] = true
		}
		count = len(values)
	}
	var h *hit
	if full := w.over && end == len(w.stamps); count >= w.least && count <= w.most && !full {
		h = &hit{count: uint64(count), from: from, to: to, last: inside[end-1].ticket}
		// The last one is shown by itself, and if it is the only one as the first as well.
		for _, s := range inside[:min(max(end-1, 1), maxSamples)] {
			h.samples = append(h.samples, s.ticket)
		}
	}
	// What came after the first maxStamps belongs to no window: when, is not known.
	w.stamps = append(w.stamps[:0], w.stamps[end:]...)
	w.over = w.over && len(w.stamps) > 0
	return h
}

func (w *window) bytes() int {
	return int(unsafe.Sizeof(*w)) + cap(w.stamps)*int(unsafe.Sizeof(stamp{}))
}
