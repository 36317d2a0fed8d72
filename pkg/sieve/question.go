package sieve

import (
	"cmp"
	"math"
	"slices"
)

// question is a field of the event, and the alternatives that each answer leaves.
type question struct {
	field *Field
	texts map[string][]candidate // that the text may be equal to
	few   []answer               // the first constants that the number may be equal to
	many  map[int64]*answer      // the others
	above []bound                // of "at least number", the lowest first
	below []bound                // of "at most number", the highest first
	all   []whole                // what is left where the field is not known
}

type answer struct {
	number     int64
	candidates []candidate
}

// whole is an alternative with its key.
type whole struct {
	key int // a condition of the kind
	candidate
}

type bound struct {
	number int64
	candidate
}

// fewAnswers is how many constants are compared one by one.
const fewAnswers = 8

func (q *question) add(key *Key, condition int, c candidate) {
	q.all = append(q.all, whole{condition, c})
	for _, text := range key.Texts {
		if q.texts == nil {
			q.texts = map[string][]candidate{}
		}
		q.texts[text] = append(q.texts[text], c)
	}
	for _, n := range key.Numbers {
		switch key.Operator {
		case Equal:
			q.answerTo(n).add(c)
		case Greater:
			if n < math.MaxInt64 {
				q.above = append(q.above, bound{n + 1, c})
			}
		case GreaterOrEqual:
			q.above = append(q.above, bound{n, c})
		case Less:
			if n > math.MinInt64 {
				q.below = append(q.below, bound{n - 1, c})
			}
		case LessOrEqual:
			q.below = append(q.below, bound{n, c})
		}
	}
}

func (a *answer) add(c candidate) { a.candidates = append(a.candidates, c) }

// answerTo is the answer for a constant. The pointer is valid until the next call.
func (q *question) answerTo(n int64) *answer {
	for i := range q.few {
		if q.few[i].number == n {
			return &q.few[i]
		}
	}
	if len(q.few) < fewAnswers {
		q.few = append(q.few, answer{number: n})
		return &q.few[len(q.few)-1]
	}
	if q.many == nil {
		q.many = map[int64]*answer{}
	}
	if q.many[n] == nil {
		q.many[n] = &answer{number: n}
	}
	return q.many[n]
}

// prepare comes after the last add.
func (q *question) prepare() {
	slices.SortStableFunc(q.above, func(a, b bound) int { return cmp.Compare(a.number, b.number) })
	slices.SortStableFunc(q.below, func(a, b bound) int { return cmp.Compare(b.number, a.number) })
}

// ask marks the signatures that the event can match by one of the alternatives.
func (q *question) ask(f *Found) {
	if q.field.Text != nil {
		text, certainty := q.field.Text(f.event)
		if certainty == Known {
			f.mark(q.texts[text])
		} else {
			q.unanswered(certainty, f)
		}
		return
	}
	n, certainty := q.field.Number(f.event)
	if certainty != Known {
		q.unanswered(certainty, f)
		return
	}
	for i := range q.few {
		if q.few[i].number == n {
			f.mark(q.few[i].candidates)
			break
		}
	}
	if q.many != nil {
		if a := q.many[n]; a != nil {
			f.mark(a.candidates)
		}
	}
	for i := range q.above {
		if n < q.above[i].number {
			break
		}
		f.try(&q.above[i].candidate)
	}
	for i := range q.below {
		if n > q.below[i].number {
			break
		}
		f.try(&q.below[i].candidate)
	}
}

func (q *question) unanswered(certainty Certainty, f *Found) {
	if certainty == Undefined {
		return
	}
	for i := range q.all {
		if w := &q.all[i]; f.holds(w.key) {
			f.try(&w.candidate)
		}
	}
}
