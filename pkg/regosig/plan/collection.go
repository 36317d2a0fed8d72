package plan

import "sort"

// collection is the elements of an array (vals), a set (keys), or an object (keys
// and vals). Keys are unique; they are in the order of their insertion until
// somebody needs them sorted.
type collection struct {
	keys, vals []Value
	index      map[uint64]int32 // from hash to the last key with it, if there are many, not sorted
	next       []int32          // for each key, the one before it with the same hash, or -1
	sorted     bool             // keys are in OPA's order
	frozen     bool             // may be shared: copy before changing
	node       *Node            // of a value of kindNode, instead of all the others
}

// indexedFrom is the number of keys from which on they are not looked at one by
// one.
const indexedFrom = 12

func newArray() Value { return collected(kindArray, &collection{}) }

func newObject() Value { return collected(kindObject, &collection{sorted: true}) }

func newSet() Value { return collected(kindSet, &collection{sorted: true}) }

// find returns the place of a key, or -1. It changes nothing if the keys are
// sorted.
func (c *collection) find(key Value) int {
	switch {
	case len(c.keys) < indexedFrom:
		for i := range c.keys {
			if equal(&c.keys[i], &key) {
				return i
			}
		}
		return -1
	case c.index != nil:
		return c.findByHash(key)
	case c.sorted:
		i := sort.Search(len(c.keys), func(i int) bool { return compare(&c.keys[i], &key) >= 0 })
		if i < len(c.keys) && equal(&c.keys[i], &key) {
			return i
		}
		return -1
	}
	c.reindex()
	return c.findByHash(key)
}

func (c *collection) findByHash(key Value) int {
	at, ok := c.index[hash(key)]
	if !ok {
		return -1
	}
	for ; at >= 0; at = c.next[at] {
		if equal(&c.keys[at], &key) {
			return int(at)
		}
	}
	return -1
}

// appendKey adds a key that is not there yet.
func (c *collection) appendKey(key Value) {
	if n := len(c.keys); n > 0 && c.sorted {
		c.sorted = compare(&c.keys[n-1], &key) < 0
	}
	c.keys = append(c.keys, key)
	if c.index != nil {
		c.link(len(c.keys) - 1)
	}
}

func (c *collection) link(i int) {
	h := hash(c.keys[i])
	before, ok := c.index[h]
	if !ok {
		before = -1
	}
	c.next = append(c.next[:i], before)
	c.index[h] = int32(i)
}

func (c *collection) reindex() {
	c.index, c.next = make(map[uint64]int32, 2*len(c.keys)), make([]int32, 0, len(c.keys))
	for i := range c.keys {
		c.link(i)
	}
}

// add puts an element into a set.
func (c *collection) add(key Value) {
	if c.isLast(key) || c.find(key) < 0 {
		c.appendKey(key)
	}
}

// isLast tells that a key comes after all others, as those of a literal do.
func (c *collection) isLast(key Value) bool {
	n := len(c.keys)
	return n == 0 || c.sorted && c.index == nil && compare(&c.keys[n-1], &key) < 0
}

// put sets a member of an object.
func (c *collection) put(key, val Value) {
	if c.isLast(key) {
		c.keys, c.vals = append(c.keys, key), append(c.vals, val)
		return
	}
	if i := c.find(key); i >= 0 {
		c.vals[i] = val
		return
	}
	c.appendKey(key)
	c.vals = append(c.vals, val)
}

// sort brings the keys into OPA's order.
func (c *collection) sort() *collection {
	if c.sorted {
		return c
	}
	if !sort.IsSorted((*byKey)(c)) {
		sort.Sort((*byKey)(c))
		c.index, c.next = nil, nil
	}
	c.sorted = true
	return c
}

// byKey sorts keys together with their values.
type byKey collection

func (c *byKey) Len() int           { return len(c.keys) }
func (c *byKey) Less(i, j int) bool { return compare(&c.keys[i], &c.keys[j]) < 0 }
func (c *byKey) Swap(i, j int) {
	c.keys[i], c.keys[j] = c.keys[j], c.keys[i]
	if len(c.vals) > 0 {
		c.vals[i], c.vals[j] = c.vals[j], c.vals[i]
	}
}

// freeze marks a value as shared.
func (v Value) freeze() Value {
	if v.ref() != nil && v.kind != kindNode && !v.ref().frozen {
		v.ref().frozen = true
	}
	return v
}

// changeable makes the value at v one that may be changed, by a copy if it is
// shared, and returns its elements.
func (v *Value) changeable(e *Evaluator) *collection {
	if v.ref().frozen {
		c := e.pool.make()
		c.sorted = v.ref().sorted
		c.keys, c.vals = append(c.keys, v.ref().keys...), append(c.vals, v.ref().vals...)
		*v = collected(v.kind, c)
	}
	return v.ref()
}
