package sieve

import "github.com/ipcwarden/ipcwarden/pkg/event"

// Found is where Select leaves what it finds. It keeps its memory from event to
// event; the zero Found is ready.
type Found struct {
	kind       *kind
	event      *event.Event
	marked     []uint64 // a bit for each of the kind's signatures
	asked      []answers
	signatures []int
}

// answers tell of some of a kind's conditions, a bit for each, whether they were asked
// for already, and hold.
type answers struct{ known, hold uint64 }

const wordBits = 64

// words is how many words have n bits.
func words(n int) int { return (n + wordBits - 1) / wordBits }

func mark(words []uint64, i int) { words[i/wordBits] |= 1 << (i % wordBits) }

// begin forgets the event before.
func (f *Found) begin(k *kind, e *event.Event) {
	f.kind, f.event = k, e
	f.marked, f.signatures = append(f.marked[:0], k.always...), f.signatures[:0]
	n := words(len(k.holds))
	if cap(f.asked) < n {
		f.asked = make([]answers, n)
	}
	f.asked = f.asked[:n]
	clear(f.asked)
}

// holds tells whether one of the kind's conditions holds. It is asked once for an event.
func (f *Found) holds(i int) bool {
	a, bit := &f.asked[i/wordBits], uint64(1)<<(i%wordBits)
	if a.known&bit == 0 {
		a.known |= bit
		if f.kind.holds[i](f.event) {
			a.hold |= bit
		}
	}
	return a.hold&bit != 0
}

// mark marks the signatures of alternatives of which the key holds.
func (f *Found) mark(candidates []candidate) {
	for i := range candidates {
		f.try(&candidates[i])
	}
}

// try marks the candidate's signature if the rest of the alternative may hold too.
func (f *Found) try(c *candidate) {
	if f.marked[c.signature/wordBits]&(1<<(c.signature%wordBits)) != 0 {
		return
	}
	for _, i := range c.rest {
		if !f.holds(i) {
			return
		}
	}
	mark(f.marked, c.signature)
}

// markThose marks the signatures of alternatives whose key is one of some conditions.
func (f *Found) markThose(list []conditional) {
	for i := range list {
		if c := &list[i]; f.holds(c.condition) {
			f.mark(c.candidates)
		}
	}
}
