package correlate

// distinct finds value_count at or above a threshold: that many different values
// within timespan before the latest match. A value counts at its last time.
type distinct struct {
	noEnd
	threshold int
	timespan  int64
	last      map[uint64]int64 // value -> end of its last call
	latest    int64
	muted     int64
	samples   samples
}

func (d *distinct) observe(m *match, r *recall) *hit {
	if m.end <= d.muted {
		return nil
	}
	if d.last == nil {
		d.last = map[uint64]int64{}
	}
	at, known := d.last[m.value]
	if !known || m.end > at {
		d.last[m.value] = m.end
	}
	d.latest = max(d.latest, m.end)
	if len(d.last) >= d.threshold {
		if from := d.prune(); len(d.last) >= d.threshold {
			h := &hit{count: uint64(len(d.last)), from: from, to: d.latest, samples: d.samples.within(from, d.latest)}
			d.muted = from + d.timespan
			clear(d.last) // all of them ended before
			d.samples.after(d.muted)
			return h
		}
	}
	// A value that was there before says nothing new.
	if !known {
		d.samples.add(m, d.latest-d.timespan, r)
	}
	return nil
}

// prune forgets the values that are out of the window, and returns when the earliest
// of the others ended.
func (d *distinct) prune() (earliest int64) {
	earliest = d.latest
	for value, at := range d.last {
		if at < d.latest-d.timespan {
			delete(d.last, value)
			continue
		}
		earliest = min(earliest, at)
	}
	return earliest
}

func (d *distinct) bytes() int {
	const empty, entry = 200, 32 // maps are never full
	return empty + entry*len(d.last)
}
