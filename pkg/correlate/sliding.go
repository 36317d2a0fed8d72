package correlate

import (
	"slices"
	"unsafe"
)

const (
	// exactCount is up to which threshold each match is remembered by itself. Above,
	// matches that follow each other closely are put together into runs.
	exactCount = 1024

	// overtaking is how many matches of a group can overtake another one before the
	// windows that it is in are not known any more.
	overtaking = 64
)

// run is matches that follow each other, by the ends of their calls.
type run struct {
	first, last int64
	count       uint64
}

// sliding finds event_count at or above a threshold: any stretch of timespan with
// that many ends of calls in it. A run counts where all of it is in the stretch: so
// with runs of several matches, it can be found too late by less than one run, a
// thousandth of the threshold, but never where there were too few. Repeats that the
// kernel has counted are a run as well, no longer than detect.Correlation.RepeatSpan;
// where runs of several threads overlap, they count as if they followed each other.
type sliding struct {
	noEnd
	*slidingRule
	runs    []run // ordered; apart from each other
	inside  int   // of the window that ends with the last run: the first run in it
	count   uint64
	muted   int64 // what ended up to here belongs to what was found
	samples samples
}

// slidingRule is what all groups of a signature have in common.
type slidingRule struct {
	threshold uint64
	timespan  int64
	perRun    uint64
	maxRuns   int
}

func newSlidingRule(threshold uint64, timespan int64) *slidingRule {
	r := &slidingRule{threshold: threshold, timespan: timespan, perRun: 1, maxRuns: int(min(threshold, exactCount)) + overtaking}
	if threshold > exactCount {
		r.perRun = threshold / exactCount
		// Each run ends because it is full, or because it is long: both at most so often.
		r.maxRuns = int(threshold/r.perRun) + exactCount + overtaking
	}
	return r
}

func (s *sliding) observe(m *match, r *recall) *hit {
	var h *hit
	if m.repeats.count > 0 {
		h = s.take(m.repeats)
	}
	if h != nil || m.alone {
		return h
	}
	if h = s.take(run{m.end, m.end, 1}); h == nil && m.end > s.muted {
		s.samples.add(m, s.runs[s.inside].first, r)
	}
	return h
}

// fit shortens a run that no window can hold, as it was counted for a correlation with
// more time: when the signatures were others, before a reload or in a recording. In some
// stretch of timespan there are its share of the matches, at least.
func (r *slidingRule) fit(matches run) run {
	if took := matches.last - matches.first; took > r.timespan {
		stretches := uint64((took-1)/r.timespan + 1)
		matches.count = (matches.count-1)/stretches + 1
		matches.first = matches.last - r.timespan
	}
	return matches
}

// take counts matches, unless they belong to what was found.
func (s *sliding) take(matches run) *hit {
	matches = s.fit(matches)
	if matches.first <= s.muted {
		return nil
	}
	from, to, count := s.add(matches)
	if count == 0 {
		return nil
	}
	h := &hit{count: count, from: from, to: to, samples: s.samples.within(from, to)}
	s.muted = from + s.timespan
	s.restart()
	return h
}

// add counts matches, and returns the window that they complete, with a count of 0
// for none.
func (s *sliding) add(matches run) (from, to int64, count uint64) {
	if len(s.runs) > s.maxRuns+s.maxRuns/4 {
		// Many at a time, in place: none of them is in the window.
		s.runs = slices.Delete(s.runs, 0, len(s.runs)-s.maxRuns)
		s.search()
	}
	if n := len(s.runs); n > 0 && matches.last < s.runs[n-1].last {
		s.insert(matches)
		return s.search()
	}
	s.append(matches)
	s.count += matches.count
	for s.runs[s.inside].first < matches.last-s.timespan {
		s.count -= s.runs[s.inside].count
		s.inside++
	}
	if s.count < s.threshold {
		return 0, 0, 0
	}
	return s.runs[s.inside].first, matches.last, s.count
}

// append adds matches that ended last.
func (s *sliding) append(matches run) {
	if n := len(s.runs); n > 0 {
		last := &s.runs[n-1]
		matches.first = max(matches.first, last.last)
		if last.count+matches.count <= s.perRun && matches.last-last.first <= s.timespan/exactCount {
			last.last = matches.last
			last.count += matches.count
			return
		}
	}
	s.runs = append(s.runs, matches)
}

// insert adds matches that others have overtaken.
func (s *sliding) insert(matches run) {
	at, _ := slices.BinarySearchFunc(s.runs, matches.last, func(r run, t int64) int {
		if r.last < t {
			return -1
		}
		return 1
	})
	next := &s.runs[at]
	if next.count > 1 && matches.count == 1 && matches.last >= next.first {
		next.count++
		return
	}
	matches.last = min(matches.last, next.first)
	matches.first = min(matches.first, matches.last)
	if at > 0 {
		matches.first = max(matches.first, s.runs[at-1].last)
		matches.last = max(matches.last, matches.first)
	}
	s.runs = slices.Insert(s.runs, at, matches)
}

// search finds the earliest window that is full. It leaves inside and count as they
// are for the last one.
func (s *sliding) search() (from, to int64, count uint64) {
	s.inside, s.count = 0, 0
	for i := range s.runs {
		s.count += s.runs[i].count
		for s.runs[s.inside].first < s.runs[i].last-s.timespan {
			s.count -= s.runs[s.inside].count
			s.inside++
		}
		if count == 0 && s.count >= s.threshold {
			from, to, count = s.runs[s.inside].first, s.runs[i].last, s.count
		}
	}
	return from, to, count
}

// restart forgets what belongs to what was found, and goes on with the rest.
func (s *sliding) restart() {
	s.runs = slices.DeleteFunc(s.runs, func(r run) bool { return r.first <= s.muted })
	s.samples.after(s.muted)
	s.search()
}

func (s *sliding) bytes() int {
	return int(unsafe.Sizeof(*s)) + cap(s.runs)*int(unsafe.Sizeof(run{}))
}

// maxSamples bounds the events of an alert beside the one that completed it: the first
// and five more.
const maxSamples = 6

// samples is where to find some of the matches of a group.
type samples struct {
	list [maxSamples]sample
	n    int
}

type sample struct {
	at     int64 // end of the call
	ticket ticket
}

// add remembers a match unless there are enough from oldest on.
func (s *samples) add(m *match, oldest int64, r *recall) {
	if s.n == maxSamples {
		s.after(oldest - 1)
	}
	if s.n < maxSamples {
		s.list[s.n] = sample{m.end, r.put(m.event)}
		s.n++
	}
}

// after forgets what ended up to t.
func (s *samples) after(t int64) {
	kept := slices.DeleteFunc(s.list[:s.n], func(one sample) bool { return one.at <= t })
	s.n = len(kept)
}

// within lists the matches of a window by the ends of their calls.
func (s *samples) within(from, to int64) []ticket {
	list := s.list
	slices.SortStableFunc(list[:s.n], func(a, b sample) int { return int(min(max(a.at-b.at, -1), 1)) })
	tickets := make([]ticket, 0, s.n)
	for _, one := range list[:s.n] {
		if one.at >= from && one.at <= to {
			tickets = append(tickets, one.ticket)
		}
	}
	return tickets
}
