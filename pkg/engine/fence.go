package engine

import (
	"context"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

const (
	// Budget is how much CPU time one evaluation of a signature may take: more
	// than a thousand times what one in OPA's interpreter does take, and little
	// enough that the ring holds what is captured meanwhile.
	Budget = 500 * time.Millisecond

	// patience is how many budgets an evaluation may take by the clock, if it
	// waits instead of computing. It is not one: whoever keeps the CPUs from
	// ipcwarden must not get its signatures suspended.
	patience = 10

	// looks is how often within a budget the fence looks at what is going on.
	looks = 4
)

// fence bounds what an evaluation takes. The evaluating goroutine does no more
// than to write down the number of the evaluation that it is in: no clock, no
// timer. Another goroutine looks from time to time whether that number is still
// the same, and ends the evaluation's context if it has been for too long.
type fence struct {
	budget time.Duration
	cpu    func() time.Duration // of this process, all threads

	// current is the number of the evaluation under way, 0 between events. Whoever
	// watches marks it as overrun; only the evaluating goroutine moves on. The
	// numbers are even, and none is used twice.
	current atomic.Uint64
	// scope is the context that evaluations have in common until one overruns.
	// It changes only while current is none of those that were given it.
	scope atomic.Pointer[scope]

	// What follows is of the evaluating goroutine.
	own    *scope // the value of scope
	number uint64 // last that was used
}

// overrun marks the number of an evaluation that has used up its budget.
const overrun = 1

type scope struct {
	parent context.Context
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newFence(budget time.Duration) *fence {
	f := &fence{budget: budget, cpu: processTime}
	f.renew(context.Background())
	return f
}

// begin comes before the evaluations for an event.
func (f *fence) begin(parent context.Context) {
	if f.own.parent != parent {
		f.renew(parent)
	}
}

// enter begins an evaluation and returns its context.
func (f *fence) enter() context.Context {
	f.number += 2
	if f.current.Swap(f.number)&overrun != 0 {
		f.renew(f.own.parent)
		// Had this one been marked already, that would have ended the old scope.
		f.number += 2
		f.current.Store(f.number)
	}
	return f.own.ctx
}

// overran tells whether the evaluation under way has used up its budget.
func (f *fence) overran() bool { return f.current.Load()&overrun != 0 }

// end comes after the evaluations for an event.
func (f *fence) end() {
	if f.current.Swap(0)&overrun != 0 {
		f.renew(f.own.parent)
	}
}

func (f *fence) renew(parent context.Context) {
	if f.own != nil {
		f.own.cancel(nil) // frees what it holds of a parent that can end
	}
	s := &scope{parent: parent}
	s.ctx, s.cancel = context.WithCancelCause(parent)
	f.own = s
	f.scope.Store(s)
}

// watch ends the context of each evaluation that overruns, until done is closed.
func (f *fence) watch(done <-chan struct{}) {
	ticker := time.NewTicker(f.budget / looks)
	defer ticker.Stop()
	var (
		seen  uint64 // number of an evaluation
		since time.Time
		cpu   time.Duration
	)
	for {
		select {
		case <-done:
			return
		case now := <-ticker.C:
			switch number := f.current.Load(); {
			case number == 0 || number&overrun != 0:
			case number != seen:
				seen, since, cpu = number, now, f.cpu()
			case now.Sub(since) >= patience*f.budget,
				now.Sub(since) >= f.budget && f.cpu()-cpu >= f.budget:
				f.expire(number)
			}
		}
	}
}

// expire ends an evaluation, unless it is over by now.
func (f *fence) expire(number uint64) {
	s := f.scope.Load() // of number, if that is current still
	if f.current.CompareAndSwap(number, number|overrun) {
		s.cancel(detect.ErrBudget)
	}
}

// processTime is the CPU time of this process. The evaluation's own is no more
// than that, on whichever threads it ran.
func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // leaves the clock
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
