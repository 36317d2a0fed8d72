package correlate

import (
	"hash/maphash"
	"reflect"
	"slices"
	"unsafe"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// signature is a signature that correlates, with its groups.
type signature struct {
	metadata *detect.Metadata
	groupBy  []field
	field    *field // value_count
	seed     maphash.Seed
	newState func() state

	timespan     int64 // nanoseconds
	memory       int64 // for how long after its last match a group can change
	ordered      bool
	decidesAtEnd bool
	closing      closings

	groups         map[string]*group
	oldest, newest *group // by when they were matched last
	bytes          int
	counters       Counters
}

// group is the matches that belong together.
type group struct {
	key            string
	older, fresher *group
	newest         int64 // the latest end of a match
	closes         int64 // when its window ends; 0 if nobody has to look then
	place          int   // in signature.closings, or unplaced
	bytes          int
	state          state

	values map[string]any // of a signature that decides at the end, when events may be gone
}

// valueBytes is about what an entry of group.values takes.
const valueBytes = 64

// groupBytes is what a group takes beside its key and its state: an entry of the map
// has a string and a pointer, and maps are never full.
const groupBytes = int(unsafe.Sizeof(group{})) + 2*int(unsafe.Sizeof("")+unsafe.Sizeof(&group{}))

// match is a finding as groups see it.
type match struct {
	start, end int64 // of the call, on CLOCK_BOOTTIME
	step       int
	value      uint64 // hash of the value that counts
	event      *event.Event
	repeats    run  // calls before it that were like it; none if its count is 0
	alone      bool // the call itself was matched before, and end is that of the repeats
}

// repeatsOf takes what a recording says that nobody has checked: from first to last is
// no negative time.
func repeatsOf(e *event.Event) run {
	last := bounded(e.Repeats.LastNS)
	return run{min(bounded(e.Repeats.FirstNS), last), last, e.Repeats.Count}
}

// calls is how many calls the match is of.
func (m *match) calls() uint64 {
	if m.alone {
		return m.repeats.count
	}
	return m.repeats.count + 1
}

// hit is what a group has come to. Its times are those of CLOCK_BOOTTIME.
type hit struct {
	count    uint64
	from, to int64
	samples  []ticket // the first of them is the earliest
	last     ticket   // of a window that was closed
	steps    []ticket // in the order of the steps
}

// state is what a group remembers for one type of correlation.
type state interface {
	// observe takes a match, and returns what it completes, or nil.
	observe(m *match, r *recall) *hit
	// closes is when the window ends that has to be looked at then; 0 for none.
	closes() int64
	// close decides about the window that ends, and begins with what came after it.
	close() *hit
	// bytes is about how much memory the state takes.
	bytes() int
}

// noEnd is for states that decide when a match comes.
type noEnd struct{}

func (noEnd) closes() int64 { return 0 }
func (noEnd) close() *hit   { return nil }

// untilStep is the step that breaks off a sequence.
const untilStep = -1

func newSignature(md *detect.Metadata) (*signature, error) {
	c := md.Correlation
	s := &signature{
		metadata: md, seed: maphash.MakeSeed(), groups: map[string]*group{},
		timespan: int64(c.Timespan), memory: int64(c.Timespan + Lateness), ordered: c.Type == detect.TemporalOrdered,
		decidesAtEnd: c.Type.Counts() && !c.Operator.Rises(),
	}
	for _, path := range c.GroupBy {
		f, err := fieldOf(path)
		if err != nil {
			return nil, err
		}
		s.groupBy = append(s.groupBy, f)
	}
	if c.Type == detect.ValueCount {
		f, err := fieldOf(c.Field)
		if err != nil {
			return nil, err
		}
		s.field = &f
	}
	var err error
	s.newState, err = stateOf(c)
	return s, err
}

func sameCorrelation(a, b *detect.Correlation) bool { return reflect.DeepEqual(a, b) }

// stepOf is the place of a step in the correlation.
func (s *signature) stepOf(name string) (step int, known bool) {
	c := s.metadata.Correlation
	if c.Type.Counts() {
		return 0, name == ""
	}
	if c.Until != "" && name == c.Until {
		return untilStep, true
	}
	step = slices.Index(c.Steps, name)
	return step, step >= 0
}

// tooLate tells whether the windows that a match could be in are past. A sequence
// begins with the start of its first call.
func (s *signature) tooLate(m *match, now int64) bool {
	return m.end < now-int64(Lateness) || s.ordered && m.start < now-s.memory
}

func (s *signature) hash(value []byte) uint64 { return maphash.Bytes(s.seed, value) }

// add makes a group.
func (s *signature) add(key string, at int64, in *detect.Input) *group {
	g := &group{key: key, newest: at, place: unplaced, state: s.newState()}
	if s.decidesAtEnd {
		g.values = s.values(in)
	}
	s.groups[key] = g
	s.append(g)
	return g
}

// values are those that the groups of an event are told apart by.
func (s *signature) values(in *detect.Input) map[string]any {
	values := make(map[string]any, len(s.groupBy))
	for i, path := range s.metadata.Correlation.GroupBy {
		values[path] = s.groupBy[i].value(in.Document())
	}
	return values
}

// touch makes a group the one that was matched last.
func (s *signature) touch(g *group, at int64) {
	g.newest = max(g.newest, at)
	if s.newest != g {
		s.unlink(g)
		s.append(g)
	}
}

func (s *signature) append(g *group) {
	g.older, g.fresher = s.newest, nil
	if s.newest != nil {
		s.newest.fresher = g
	} else {
		s.oldest = g
	}
	s.newest = g
}

func (s *signature) unlink(g *group) {
	if g.older != nil {
		g.older.fresher = g.fresher
	} else {
		s.oldest = g.fresher
	}
	if g.fresher != nil {
		g.fresher.older = g.older
	} else {
		s.newest = g.older
	}
}

func (s *signature) remove(g *group) {
	s.unlink(g)
	s.closing.remove(g)
	delete(s.groups, g.key)
	s.bytes -= g.bytes
}
