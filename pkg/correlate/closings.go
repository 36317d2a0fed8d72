package correlate

import "container/heap"

// closings is the groups with a window that has to be looked at when it ends, the
// next one first.
type closings []*group

// unplaced is the place of a group that has no such window.
const unplaced = -1

// Len, Less, Swap, Push and Pop make it a heap.
func (q closings) Len() int { return len(q) }

// Less orders groups by the ends of their windows.
func (q closings) Less(i, j int) bool {
	if q[i].closes != q[j].closes {
		return q[i].closes < q[j].closes
	}
	return q[i].key < q[j].key
}

// Swap exchanges two groups.
func (q closings) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push appends a group.
func (q *closings) Push(x any) {
	g := x.(*group)
	g.place = len(*q)
	*q = append(*q, g)
}

// Pop removes the last group.
func (q *closings) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	last.place = unplaced
	return last
}

// put notes when the window of a group ends, again if it was moved.
func (q *closings) put(g *group, at int64) {
	g.closes = at
	if g.place == unplaced {
		heap.Push(q, g)
		return
	}
	heap.Fix(q, g.place)
}

// remove forgets the window of a group, if it has one.
func (q *closings) remove(g *group) {
	if g.place != unplaced {
		heap.Remove(q, g.place)
	}
}
