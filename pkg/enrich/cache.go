package enrich

// cache holds a bounded number of values. When it is full, the value that was
// put in first makes room: a look is repeated every second anyway, so that which
// was used last says little.
type cache[K comparable, V any] struct {
	values map[K]*V
	order  []K // a ring, once it is full
	oldest int
	limit  int
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{values: make(map[K]*V), limit: limit}
}

// get returns the value of key, or nil.
func (c *cache[K, V]) get(key K) *V { return c.values[key] }

// put sets the value of key and returns where it is now: valid until it is
// evicted.
func (c *cache[K, V]) put(key K, value V) *V {
	if old := c.values[key]; old != nil {
		*old = value
		return old
	}
	if len(c.order) < c.limit {
		c.order = append(c.order, key)
	} else {
		delete(c.values, c.order[c.oldest])
		c.order[c.oldest] = key
		c.oldest = (c.oldest + 1) % c.limit
	}
	c.values[key] = &value
	return &value
}
