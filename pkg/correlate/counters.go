package correlate

// Counters is what became of the matches of one signature.
type Counters struct {
	ID      string
	Matches uint64 // findings that were given to Observe
	Found   uint64 // correlations that were found
	Late    uint64 // matches that came too late to count
	Evicted uint64 // groups that were given up for want of memory
	Groups  int    // groups that are remembered now
	Bytes   int    // that they take, about
}

// Counters lists the counters of the signatures that correlate, by id.
func (c *Correlator) Counters() []Counters {
	list := make([]Counters, len(c.signatures))
	for i, s := range c.signatures {
		list[i] = s.counters
		list[i].ID, list[i].Groups, list[i].Bytes = s.metadata.ID, len(s.groups), s.bytes
	}
	return list
}

// Forgotten is the number of remembered events that have made room for others: an
// alert that would have shown one of them does without.
func (c *Correlator) Forgotten() uint64 { return c.recall.forgotten }
