package correlate

import (
	"slices"
	"unsafe"
)

// maxPerStep is how many matches of one step are kept for calls that began earlier
// and end later.
const maxPerStep = 8

// sequence finds temporal_ordered: a match of each step, of which each began after
// the one before, from the start of the first to the end of the last within timespan,
// and between whose starts no call began that breaks it off.
type sequence struct {
	noEnd
	timespan int64
	steps    [][]*link // by step, ordered by start
	untils   []int64   // starts of what breaks off, ordered
	muted    int64     // what began up to here belongs to what was found
}

// link is a match of a step with the best way to it: of all sequences of the steps
// before, the one that began last.
type link struct {
	start, end int64
	ticket     ticket
	before     *link // of the step before; nil for the first step, and where there is none
	begin      int64 // start of the first link; meaningless unless complete
	complete   bool  // every step before has a match
}

func (s *sequence) observe(m *match, r *recall) *hit {
	if m.start <= s.muted {
		return nil
	}
	if m.step == untilStep {
		s.untils = insertLast(s.untils, m.start, func(t int64) int64 { return t })
		return s.renew(1, m.start) // which finds nothing, but may break off
	}
	one := &link{start: m.start, end: m.end, ticket: r.put(m.event)}
	s.connect(m.step, one)
	s.steps[m.step] = insertLast(s.steps[m.step], one, func(l *link) int64 { return l.start })
	if m.step == len(s.steps)-1 {
		return s.check(one)
	}
	return s.renew(m.step+1, m.start)
}

// insertLast inserts by time, and keeps the last maxPerStep.
func insertLast[T any](list []T, one T, at func(T) int64) []T {
	i := len(list)
	for i > 0 && at(list[i-1]) > at(one) {
		i--
	}
	if list = slices.Insert(list, i, one); len(list) > maxPerStep {
		list = slices.Delete(list, 0, 1)
	}
	return list
}

// connect finds the best way to a match of a step.
func (s *sequence) connect(step int, l *link) {
	if step == 0 {
		l.begin, l.complete = l.start, true
		return
	}
	l.before, l.complete = nil, false
	earlier := s.steps[step-1]
	for i := len(earlier) - 1; i >= 0; i-- {
		before := earlier[i]
		if before.start >= l.start || !before.complete || s.broken(before.start, l.start) {
			continue
		}
		l.before, l.begin, l.complete = before, before.begin, true
		return
	}
}

// broken tells whether the sequence is broken off between two starts.
func (s *sequence) broken(from, to int64) bool {
	return slices.ContainsFunc(s.untils, func(t int64) bool { return t > from && t < to })
}

// renew connects again what began after a match that has come late, from a step on,
// and returns what is complete now.
func (s *sequence) renew(step int, after int64) *hit {
	for ; step < len(s.steps); step++ {
		list := s.steps[step]
		for i := len(list) - 1; i >= 0 && list[i].start > after; i-- {
			s.connect(step, list[i])
		}
	}
	for _, l := range s.steps[len(s.steps)-1] {
		if l.start > after {
			if found := s.check(l); found != nil {
				return found // which has changed the list
			}
		}
	}
	return nil
}

// check tells whether a match of the last step ends a sequence in time.
func (s *sequence) check(l *link) *hit {
	if !l.complete || l.end-l.begin > s.timespan {
		return nil
	}
	h := &hit{count: uint64(len(s.steps)), from: l.begin, to: l.end}
	for one := l; one != nil; one = one.before {
		h.steps = append(h.steps, one.ticket)
	}
	slices.Reverse(h.steps)
	s.muted = l.begin + s.timespan
	for i, list := range s.steps {
		s.steps[i] = slices.DeleteFunc(list, func(l *link) bool { return l.start <= s.muted })
	}
	return h
}

func (s *sequence) bytes() int {
	n := int(unsafe.Sizeof(*s)) + cap(s.untils)*8 + cap(s.steps)*int(unsafe.Sizeof([]*link{}))
	for i, list := range s.steps {
		// A link keeps those before it, which may be in no list any more.
		n += cap(list)*8 + len(list)*(i+1)*int(unsafe.Sizeof(link{}))
	}
	return n
}
