// Package correlate decides over many events: it puts what signatures find on
// single events into groups, and tells when one of them has become many enough, or
// complete. It reads no clock but that of the events, so that a replay of a
// recording finds what the live run did.
package correlate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Lateness is how long after the end of its call an event may still arrive, measured
// by the ends of the others. The ring delivers calls in the order of their ends but
// for moments.
const Lateness = time.Second

// Limits bounds what a Correlator remembers.
type Limits struct {
	Groups      int // live groups of one signature
	Bytes       int // of all groups of all signatures, about
	RecallBytes int // of the events that alerts will show, about
}

// DefaultLimits are enough for some hundred thousand groups.
var DefaultLimits = Limits{Groups: 1 << 18, Bytes: 64 << 20, RecallBytes: 16 << 20}

// Found is called with what a correlation has found, and the event that completed it,
// which is valid until it returns: nil if that is not remembered any more.
type Found func(*detect.Metadata, detect.Finding, *event.Document)

// Correlator correlates the findings of signatures. It is for one goroutine.
type Correlator struct {
	found  Found
	limits Limits

	byMetadata map[*detect.Metadata]*signature
	signatures []*signature // in the order of their ids

	recall       recall
	bytes        int   // of all groups
	now          int64 // the latest end of a call so far
	wake         int64 // when Advance has something to do
	nextClose    int64 // when the next window ends that has to be looked at then
	bootToUnixNS int64 // of the latest event

	// Of the finding that is being observed, kept for their memory.
	match      match
	key, value []byte
}

// New makes a Correlator that calls found, which must not call it back.
func New(found Found, limits Limits) *Correlator {
	return &Correlator{
		found: found, limits: limits, byMetadata: map[*detect.Metadata]*signature{},
		recall: recall{limit: limits.RecallBytes}, now: math.MinInt64, wake: math.MinInt64, nextClose: math.MaxInt64,
	}
}

// Use replaces the signatures, of which those without a correlation do not count. One
// that correlates as one with its id did before keeps its groups. An error, of a
// correlation that names an unknown field say, leaves those from before in use.
func (c *Correlator) Use(list []*detect.Metadata) error {
	old := map[string]*signature{}
	for _, s := range c.signatures {
		old[s.metadata.ID] = s
	}
	var next []*signature
	for _, md := range list {
		if md.Correlation == nil {
			continue
		}
		s, err := newSignature(md)
		if err != nil {
			return fmt.Errorf("signature %s: correlation: %w", md.ID, err)
		}
		next = append(next, s)
	}
	slices.SortFunc(next, func(a, b *signature) int { return cmp.Compare(a.metadata.ID, b.metadata.ID) })
	c.byMetadata = make(map[*detect.Metadata]*signature, len(next))
	for i, s := range next {
		before := old[s.metadata.ID]
		if before != nil {
			s.counters = before.counters
		}
		if before != nil && sameCorrelation(before.metadata.Correlation, s.metadata.Correlation) {
			before.metadata = s.metadata
			next[i] = before
			delete(old, s.metadata.ID)
		}
		c.byMetadata[s.metadata] = next[i]
	}
	for _, gone := range old {
		c.bytes -= gone.bytes
	}
	c.signatures = next
	return nil
}

// Observe takes a finding of a signature that correlates; others are ignored, and so
// is one of a step that the correlation does not have. Nothing
// of in is kept but a copy.
func (c *Correlator) Observe(md *detect.Metadata, finding detect.Finding, in *detect.Input) {
	s := c.byMetadata[md]
	if s == nil {
		return
	}
	e := in.Event()
	c.Advance(e)
	m := &c.match
	*m = match{start: bounded(e.BootNS), end: end(e), event: e, repeats: repeatsOf(e), alone: e.Repeats.Alone}
	if m.alone {
		m.end = m.repeats.last
	}
	var known bool
	if m.step, known = s.stepOf(finding.Step); !known || m.alone && s.ordered {
		return // that the first step was repeated changes nothing
	}
	s.counters.Matches += m.calls()
	if s.tooLate(m, c.now) {
		s.counters.Late++
		return
	}
	if s.field != nil {
		c.value = c.value[:0]
		var present bool
		if c.value, present = s.field.append(c.value, in); !present {
			return // has no value that could count
		}
		m.value = s.hash(c.value)
	}
	c.key = c.key[:0]
	for i := range s.groupBy {
		c.key = s.groupBy[i].appendKey(c.key, in)
	}
	c.observe(s, m, finding, in)
}

// observe gives a match to its group.
func (c *Correlator) observe(s *signature, m *match, finding detect.Finding, in *detect.Input) {
	g := s.groups[string(c.key)]
	if g == nil {
		if m.step == untilStep {
			return // there is nothing to break off
		}
		c.forget(s, 2) // more than are added
		g = s.add(string(c.key), m.end, in)
	}
	s.touch(g, m.end)
	hit := g.state.observe(m, &c.recall)
	c.resize(s, g)
	if at := g.state.closes(); at != 0 && at != g.closes {
		s.closing.put(g, at)
		c.nextClose = min(c.nextClose, at+int64(Lateness))
		c.wake = min(c.wake, c.nextClose)
	}
	if hit != nil {
		c.report(s, hit, s.values(in), finding.Explanation(), in.Document())
	}
	c.evict(s)
}

// resize accounts for what a group has become.
func (c *Correlator) resize(s *signature, g *group) {
	if n := groupBytes + len(g.key) + len(g.values)*valueBytes + g.state.bytes(); n != g.bytes {
		c.bytes += n - g.bytes
		s.bytes += n - g.bytes
		g.bytes = n
	}
}

// evict drops the groups whose last match is longest ago until all bounds hold.
func (c *Correlator) evict(s *signature) {
	for len(s.groups) > c.limits.Groups {
		c.drop(s, s.oldest)
		s.counters.Evicted++
	}
	for c.bytes > c.limits.Bytes {
		var victim *signature
		for _, s := range c.signatures {
			if s.oldest != nil && (victim == nil || s.oldest.newest < victim.oldest.newest) {
				victim = s
			}
		}
		c.drop(victim, victim.oldest)
		victim.counters.Evicted++
	}
}

func (c *Correlator) drop(s *signature, g *group) {
	s.remove(g)
	c.bytes -= g.bytes
}

// Advance tells the time: that of the end of e's call. It is called with events that
// match nothing as well, for windows that end without a match. The usual call is two
// comparisons.
func (c *Correlator) Advance(e *event.Event) {
	t := end(e)
	if t <= c.now {
		return
	}
	c.now, c.bootToUnixNS = t, e.TimeNS-int64(e.BootNS)
	if t < c.wake {
		return
	}
	c.close(t - int64(Lateness))
	for _, s := range c.signatures {
		c.forget(s, forgetAtOnce)
	}
	c.wake = min(c.nextClose, t+int64(forgetEvery))
}

// Groups that are done are dropped now and then, and not many at a time: an event
// must not wait for a million of them.
const (
	forgetEvery  = 100 * time.Millisecond
	forgetAtOnce = 1024
)

// forget drops groups to which nothing can be added any more. They are not evicted:
// nothing is lost.
func (c *Correlator) forget(s *signature, atMost int) {
	for range atMost {
		g := s.oldest
		if g == nil || g.newest >= c.now-s.memory || s.decidesAtEnd {
			return
		}
		c.drop(s, g)
	}
}

// Flush ends every window, as if much time had passed without an event.
func (c *Correlator) Flush() {
	c.close(math.MaxInt64)
}

// close looks at the windows that have ended at t, in the order of their ends.
func (c *Correlator) close(t int64) {
	for {
		var next *signature
		for _, s := range c.signatures {
			if len(s.closing) > 0 && (next == nil || s.closing[0].closes < next.closing[0].closes) {
				next = s
			}
		}
		if next == nil {
			c.nextClose = math.MaxInt64
			return
		}
		g := next.closing[0]
		if g.closes >= t {
			c.nextClose = g.closes + int64(Lateness)
			return
		}
		hit := g.state.close()
		if at := g.state.closes(); at != 0 {
			next.closing.put(g, at)
			c.resize(next, g)
		} else {
			c.drop(next, g)
		}
		if hit != nil {
			c.report(next, hit, g.values, nil, c.recall.document(hit.last))
		}
	}
}

// end is when the call of an event ended, on CLOCK_BOOTTIME.
func end(e *event.Event) int64 {
	return max(bounded(e.BootNS), bounded(e.BootNS+e.DurationNS)) // the sum may be beyond all numbers
}

// bounded keeps times that no clock has, as an edited recording may, from overflowing
// when a timespan is added.
func bounded(ns uint64) int64 { return int64(min(ns, math.MaxInt64/2)) }

func (c *Correlator) unix(bootNS int64) time.Time { return time.Unix(0, bootNS+c.bootToUnixNS).UTC() }
