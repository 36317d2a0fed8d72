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
	stamps  []stamp // ordered by time: the first maxStamps
	over    bool    // there were more
	samples samples
	last    sample
}

// stamp is a match: when its call ended, and the value that counts.
type stamp struct {
	at    int64
	value uint64
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
		w.put(stamp{m.repeats.last, m.value})
	}
	if !m.alone {
		w.put(stamp{m.end, m.value})
	}
	// Of a window with too many nothing will be shown.
	if len(w.stamps) <= w.most {
		w.samples.add(m, w.stamps[0].at, r)
		if m.end >= w.last.at {
			w.last = sample{m.end, r.put(m.event)}
		}
	}
	return nil
}

func (w *window) put(one stamp) {
	at, _ := slices.BinarySearchFunc(w.stamps, one.at, func(s stamp, t int64) int {
		if s.at <= t {
			return -1
		}
		return 1
	})
	w.stamps = slices.Insert(w.stamps, at, one)
	if len(w.stamps) > maxStamps {
		w.stamps, w.over = w.stamps[:maxStamps], true
	}
}

func (w *window) closes() int64 {
	if len(w.stamps) == 0 {
		return 0
	}
	return w.stamps[0].at + w.timespan
}

func (w *window) close() *hit {
	from := w.stamps[0].at
	end := slices.IndexFunc(w.stamps, func(s stamp) bool { return s.at > from+w.timespan })
	if end < 0 {
		end = len(w.stamps)
	}
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
	if full := w.over && end == maxStamps; count >= w.least && count <= w.most && !full {
		h = &hit{count: uint64(count), from: from, to: to, samples: w.samples.within(from, to)}
		if n := len(h.samples); w.last.at == to {
			h.last = w.last.ticket
		} else if n > 0 {
			h.last = h.samples[n-1]
		}
		// The last one is shown by itself, and if it is the only one as the first as well.
		if n := len(h.samples); n > 1 && h.samples[n-1] == h.last {
			h.samples = h.samples[:n-1]
		}
	}
	// What came after the first maxStamps belongs to no window: when, is not known.
	w.stamps = append(w.stamps[:0], w.stamps[end:]...)
	if w.over {
		w.stamps, w.over = w.stamps[:0], false
	}
	w.samples.after(to)
	return h
}

func (w *window) bytes() int {
	return int(unsafe.Sizeof(*w)) + cap(w.stamps)*int(unsafe.Sizeof(stamp{}))
}
