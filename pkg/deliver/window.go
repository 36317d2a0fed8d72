package deliver

import (
	"sync"

	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// windowBytes bounds the memory of a window.
const windowBytes = 64 << 20

// window is the last alerts, which all sinks share: the queue of each is what lies
// behind its position. It holds what a sink does not have yet, within bounds.
type window struct {
	limit int

	mu      sync.Mutex
	changed *sync.Cond
	wanted  func() uint64 // not nil: nothing is dropped that is beyond this number
	first   uint64        // number of entries[0], or of the next one
	entries []*sink.Entry
	bytes   int
	closed  bool
}

func newWindow(limit int) *window {
	w := &window{limit: limit, first: 1}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// begin says which number the first entry will have.
func (w *window) begin(first uint64) { w.first = first }

// push adds entries, and drops the oldest that are too many.
func (w *window) push(entries []*sink.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range entries {
		for w.wanted != nil && len(w.entries) >= w.limit {
			if w.forgetUntil(w.wanted()); len(w.entries) >= w.limit {
				w.changed.Wait()
			}
		}
		w.entries = append(w.entries, e)
		w.bytes += len(e.JSON)
		if w.wanted != nil {
			w.changed.Broadcast() // before it waits
		}
	}
	for w.wanted == nil && (len(w.entries) > w.limit || w.bytes > windowBytes && len(w.entries) > 1) {
		w.shift()
	}
	w.changed.Broadcast()
}

// forget drops what every sink has.
func (w *window) forget(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgetUntil(seq)
}

func (w *window) forgetUntil(seq uint64) {
	for len(w.entries) > 0 && w.first <= seq {
		w.shift()
	}
}

func (w *window) shift() {
	w.bytes -= len(w.entries[0].JSON)
	w.entries[0] = nil
	w.entries = w.entries[1:]
	w.first++
}

// close says that nothing more will be pushed.
func (w *window) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.changed.Broadcast()
}

// hurry drops from now on what a sink does not have yet, rather than wait for it.
func (w *window) hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted = nil
	w.changed.Broadcast()
}

// wake has those who wait look again.
func (w *window) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed.Broadcast()
}

// from returns up to n entries after a number; it waits until there is one. first is the
// number of the first of them: if it is not the next one, those between are not here any
// more. None are returned when there will be none, or when stop says so.
func (w *window) from(after uint64, n int, stop func() bool) (first uint64, entries []*sink.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !stop() {
		if end := w.first + uint64(len(w.entries)); end > after+1 {
			skip := 0
			if after >= w.first {
				skip = int(after + 1 - w.first)
			}
			rest := w.entries[skip:]
			return w.first + uint64(skip), append([]*sink.Entry(nil), rest[:min(n, len(rest))]...)
		}
		if w.first > after+1 { // empty, but others have been here
			return w.first, nil
		}
		if w.closed {
			return 0, nil
		}
		w.changed.Wait()
	}
	return 0, nil
}

// next is the number of the entry that will be pushed next.
func (w *window) next() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first + uint64(len(w.entries))
}
