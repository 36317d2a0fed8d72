package sieve

// conditional is a condition that compares no field with a constant, and the
// alternatives whose key it is.
type conditional struct {
	condition  int // of the kind
	candidates []candidate
}

// guarded are conditions that have a guard in common.
type guarded struct {
	guard      *Guard
	conditions []conditional
}

// under files an alternative under its key.
func under(list *[]conditional, key int, c candidate) {
	for i := range *list {
		if there := &(*list)[i]; there.condition == key {
			there.candidates = append(there.candidates, c)
			return
		}
	}
	*list = append(*list, conditional{key, []candidate{c}})
}
