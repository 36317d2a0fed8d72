package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress tells on a terminal what is being done, in a line that is replaced. It is safe
// for concurrent use.
type progress struct {
	out      io.Writer
	terminal bool
	mu       sync.Mutex
	shown    bool
}

func newProgress(out io.Writer) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// clearLine goes to the beginning of the line, and clears it.
const clearLine = "\r\x1b[K"

func (p *progress) show(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		fmt.Fprintf(p.out, clearLine+format, args...)
		p.shown = true
	}
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, clearLine)
		p.shown = false
	}
}

// below is out, whose lines the progress, on the same terminal, makes room for.
func (p *progress) below(out io.Writer) io.Writer { return &belowProgress{out, p} }

type belowProgress struct {
	io.Writer
	progress *progress
}

func (b *belowProgress) Write(text []byte) (int, error) {
	b.progress.clear()
	return b.Writer.Write(text)
}

// progressInterval is how often a progress of reading is shown.
const progressInterval = 200 * time.Millisecond

// progressReader shows how much of a file was read.
type progressReader struct {
	io.Reader
	progress   *progress
	read, size int64 // size is 0 where it is not known
	next       time.Time
}

func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.read += int64(n)
	if err != nil { // the end
		r.progress.clear()
		return n, err
	}
	if now := time.Now(); r.progress.terminal && now.After(r.next) {
		r.next = now.Add(progressInterval)
		if r.size > 0 {
			r.progress.show("%d%% of %.1f MiB", 100*r.read/r.size, mebibytes(r.size))
		} else {
			r.progress.show("%.1f MiB", mebibytes(r.read))
		}
	}
	return n, nil
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
