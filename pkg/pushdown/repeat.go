package pushdown

import (
	"fmt"
	"slices"
	"time"
)

// Repeat says how calls may be counted that match a clause while many are made: those of
// a thread that agree in what the signature reads of them are the same to it, and it does
// no more than count them, or takes the last of them for the first step of a sequence.
type Repeat struct {
	Fields uint32 // what is read of a call, one bit for each Field, beside who makes it
	Facts  Fact
	Span   time.Duration // for how long one event may stand for those that repeat it
}

// readsMemory is the bit of Fields for all that was seen of the call's memory:
// READS_MEMORY of ebpf/rule.h.
const readsMemory = 1 << 31

// Add has one more field read.
func (r *Repeat) Add(f Field) { r.Fields |= 1 << f }

// AddMemory has the call's memory read.
func (r *Repeat) AddMemory() { r.Fields |= readsMemory }

// ReadsMemory tells whether the call's memory is read.
func (r *Repeat) ReadsMemory() bool { return r.Fields&readsMemory != 0 }

// AddFacts has facts read.
func (r *Repeat) AddFacts(f Fact) {
	r.Add(Facts)
	r.Facts |= f
}

// suffices tells whether calls may be counted by r for o's sake, too.
func (r Repeat) suffices(o Repeat) bool {
	return o.Fields&^r.Fields == 0 && o.Facts&^r.Facts == 0 && r.Span <= o.Span
}

// repeat notes how calls may be counted that match the clause at i.
func (r *Rule) repeat(i int, c Clause) {
	if c.Repeat == nil {
		return
	}
	r.Reads[i] = uint64(c.Repeat.Fields) | uint64(c.Repeat.Facts)<<32
	r.Facts |= c.Repeat.Facts
	if span := uint64(c.Repeat.Span); r.Repeatable == 0 || span < r.RepeatNS {
		r.RepeatNS = span
	}
	r.Repeatable |= 1 << i
	if slices.ContainsFunc(c.Opens, func(g Gate) bool { return g.Process }) {
		r.Lone |= 1 << i
	}
}

// repeatWords says when calls are counted.
func (c Clause) repeatWords() string {
	if c.Repeat == nil {
		return ""
	}
	return fmt.Sprintf(", in a flood one for %s of the same", c.Repeat.Span)
}
