package e2e

import (
	"bufio"
	"io"
	"slices"
	"sync"
	"testing"
	"time"
)

// lines collects what a process writes, line by line.
type lines struct {
	mu      sync.Mutex
	all     [][]byte
	closed  bool
	changed chan struct{} // closed and replaced at every change
}

// collect reads r to its end in a goroutine of its own.
func collect(r io.Reader) *lines {
	l := &lines{changed: make(chan struct{})}
	go func() {
		in := bufio.NewReaderSize(r, 1<<16)
		for {
			line, err := in.ReadBytes('\n')
			l.mu.Lock()
			if len(line) > 0 {
				l.all = append(l.all, line)
			}
			l.closed = err != nil
			close(l.changed)
			l.changed = make(chan struct{})
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return l
}

// await returns the first line for which found is true, waiting for it at most
// within. ok is false if the time is over or no more lines can come.
func (l *lines) await(within time.Duration, found func([]byte) bool) (line []byte, ok bool) {
	return l.awaitAfter(0, within, found)
}

// awaitAfter is await without the first lines, as many as seen.
func (l *lines) awaitAfter(seen int, within time.Duration, found func([]byte) bool) (line []byte, ok bool) {
	timeout := time.After(within)
	for {
		l.mu.Lock()
		fresh, closed, changed := l.all[seen:], l.closed, l.changed
		l.mu.Unlock()
		for _, line := range fresh {
			if found(line) {
				return line, true
			}
		}
		seen += len(fresh)
		if closed {
			return nil, false
		}
		select {
		case <-changed:
		case <-timeout:
			return nil, false
		}
	}
}

// rest waits until no more lines can come, and returns all of them.
func (l *lines) rest(t *testing.T) [][]byte {
	t.Helper()
	if l.await(limit, func([]byte) bool { return false }); !l.isClosed() {
		t.Fatalf("output still open after %s", limit)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all
}

func (l *lines) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// text is everything so far, for failure messages.
func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s []byte
	for _, line := range l.all {
		s = append(s, line...)
	}
	return string(s)
}

// soFar returns the lines that have come until now.
func (l *lines) soFar() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}
