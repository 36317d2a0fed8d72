package pushdown

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxGates bounds the gates of a set of rules. What is behind others is wanted always.
const MaxGates = 8

// Gate is closed until a call is the first step of a sequence, and open for Timespan
// from then on: calls that are only later steps of it are not wanted otherwise.
type Gate struct {
	Signature string // id
	Step      string // the first one
	Timespan  time.Duration
	Process   bool // the sequence is that of a process; else of a thread
}

// words follow those of a clause.
func (g Gate) words() string {
	of := "thread"
	if g.Process {
		of = "process"
	}
	return fmt.Sprintf("up to %s after %s in the same %s", g.Timespan, g.Step, of)
}

func compareGates(a, b Gate) int {
	process := map[bool]int{true: 1}
	return cmp.Or(cmp.Compare(a.Signature, b.Signature), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Timespan, b.Timespan),
		cmp.Compare(process[a.Process], process[b.Process]))
}

// gates lists those of the set, by their number in the rules.
func (s Set) gates() (list []Gate) {
	for _, c := range s.Clauses {
		list = union(list, c.Opens)
	}
	slices.SortFunc(list, compareGates)
	return list[:min(len(list), MaxGates)]
}

func union(a, b []Gate) []Gate {
	sum := slices.Clone(a)
	for _, g := range b {
		if !slices.Contains(sum, g) {
			sum = append(sum, g)
		}
	}
	return sum
}

// Sequence is a gate as the BPF programs have it: struct gate of ebpf/rule.h.
type Sequence struct {
	SpanNS    uint64 `c:"span_ns"`
	Openers   uint32 `c:"openers"` // clauses, one bit each
	Guarded   uint32 `c:"guarded"`
	ByProcess uint32 `c:"by_process"` // 0 or 1
	_         uint32
}

// setGates gives a rule the gates, closed for no clause.
func (r *Rule) setGates(gates []Gate) {
	for i, g := range gates {
		r.Gates[i].SpanNS = uint64(g.Timespan)
		if g.Process {
			r.Gates[i].ByProcess = 1
		}
	}
	r.GateN = uint32(len(gates))
}

// guard notes which gates the clause at i opens, and which let it pass.
func (r *Rule) guard(i int, c Clause, gates []Gate) {
	for g, gate := range gates {
		if slices.Contains(c.Opens, gate) {
			r.Gates[g].Openers |= 1 << i
		}
		if slices.Contains(c.Behind, gate) {
			r.Gates[g].Guarded |= 1 << i
		}
	}
}

// behindWords says when the clause counts.
func (c Clause) behindWords() string {
	var words []string
	for _, g := range c.Behind {
		words = append(words, g.words())
	}
	if len(words) == 0 {
		return ""
	}
	return ", " + strings.Join(words, " or ")
}
