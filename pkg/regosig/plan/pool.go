package plan

// The bounds of what a pool keeps: collections, and elements of each.
const (
	maxPooled = 256
	maxKept   = 64
)

// pool is the collections that statements make, which are used again by the next
// evaluation.
type pool struct {
	collections []*collection
	used        int
}

// make is an empty collection.
func (p *pool) make() *collection {
	if p.used == len(p.collections) {
		if p.used == maxPooled {
			return new(collection)
		}
		p.collections = append(p.collections, new(collection))
	}
	p.used++
	return p.collections[p.used-1]
}

// reset takes back all collections.
func (p *pool) reset() {
	for _, c := range p.collections[:p.used] {
		keys, vals := c.keys[:0], c.vals[:0]
		*c = collection{}
		if cap(keys) <= maxKept && cap(vals) <= maxKept {
			c.keys, c.vals = keys, vals
		}
	}
	p.used = 0
}

// NewArray is an array of n elements, valid until the next evaluation: for nodes that
// make themselves anew whenever they are asked for.
func (e *Evaluator) NewArray(n int, element func(i int) Value) Value {
	list := e.collect(kindArray)
	for i := range n {
		list.ref().vals = append(list.ref().vals, element(i))
	}
	return list
}

// NewObject is an object whose keys are in order, valid until the next evaluation.
func (e *Evaluator) NewObject(keys []Value, vals ...Value) Value {
	object := e.collect(kindObject)
	object.ref().keys, object.ref().vals = append(object.ref().keys, keys...), append(object.ref().vals, vals...)
	return object
}

// collect is an empty array, set or object, valid until the next evaluation.
func (e *Evaluator) collect(kind kind) Value {
	c := e.pool.make()
	c.sorted = kind != kindArray
	return collected(kind, c)
}
