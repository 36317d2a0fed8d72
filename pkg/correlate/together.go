package correlate

import "unsafe"

// together finds temporal: the last matches of all steps within timespan, by the ends
// of their calls.
type together struct {
	noEnd
	timespan int64
	steps    []sample // 0 as the ticket: no match
	muted    int64
}

func (s *together) observe(m *match, r *recall) *hit {
	if m.end <= s.muted {
		return nil
	}
	if one := &s.steps[m.step]; one.ticket == 0 || m.end >= one.at {
		*one = sample{m.end, r.put(m.event)}
	}
	from, to := m.end, m.end
	for i := range s.steps {
		if s.steps[i].ticket == 0 {
			return nil
		}
		from, to = min(from, s.steps[i].at), max(to, s.steps[i].at)
	}
	if to-from > s.timespan {
		return nil
	}
	h := &hit{count: uint64(len(s.steps)), from: from, to: to}
	for _, one := range s.steps {
		h.steps = append(h.steps, one.ticket)
	}
	clear(s.steps)
	s.muted = from + s.timespan
	return h
}

func (s *together) bytes() int {
	return int(unsafe.Sizeof(*s)) + cap(s.steps)*int(unsafe.Sizeof(sample{}))
}
