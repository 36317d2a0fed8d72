package correlate

import "github.com/ipcwarden/ipcwarden/pkg/event"

// ticket is the number by which an event is recalled; 0 is none.
type ticket uint64

// recall remembers events, as copies, so that alerts can show them: the last ones
// that fit. Groups do not own them. So a group costs the same whether its events are
// remembered or not, and what many groups could show does not drive out what they
// count.
type recall struct {
	limit int // bytes

	kept      []*event.Event // the event of ticket first, and those after it
	first     ticket
	spare     *event.Event // to be used again
	bytes     int
	forgotten uint64
}

// put remembers a copy of e.
func (r *recall) put(e *event.Event) ticket {
	if n := len(r.kept); n > 0 {
		// Several signatures, and several steps, remember the same event.
		if last := r.kept[n-1]; last.BootNS == e.BootNS && last.Process.HostTID == e.Process.HostTID && last.ID == e.ID {
			return r.first + ticket(n) - 1
		}
	}
	to := r.spare
	if to == nil {
		to = new(event.Event)
	}
	r.spare = nil
	e.CopyTo(to)
	if len(r.kept) == 0 && r.first == 0 {
		r.first = 1
	}
	r.kept = append(r.kept, to)
	r.bytes += to.Bytes()
	for r.bytes > r.limit && len(r.kept) > 0 {
		r.spare = r.kept[0]
		r.kept[0] = nil
		r.kept = r.kept[1:]
		r.bytes -= r.spare.Bytes()
		r.first++
		r.forgotten++
	}
	return r.first + ticket(len(r.kept)) - 1
}

// document is the event of a ticket, made afresh; nil if it is forgotten.
func (r *recall) document(t ticket) *event.Document {
	if t < r.first || t >= r.first+ticket(len(r.kept)) {
		return nil
	}
	d := new(event.Document)
	r.kept[t-r.first].Document(d)
	return d
}
