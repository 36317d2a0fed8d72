package measure

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Cost is what one piece of work takes.
type Cost struct {
	// Nanoseconds are processor time of the whole process: what others do on the
	// machine does not count, and what collecting the garbage of the work takes does.
	Nanoseconds float64 `json:"ns"`
	Allocations float64 `json:"allocations"`
	Bytes       float64 `json:"bytes"` // that are allocated
}

// samples is of how many measurements the median counts. One of them may be spoilt,
// by whoever shares the processor's caches.
const samples = 5

// repeat calls round, which does n pieces of work, until budget is used up, and once
// before as a warm-up, and returns what one piece takes. The error says that ctx has
// ended.
func repeat(ctx context.Context, n int, budget time.Duration, round func()) (*Cost, error) {
	warmUp, err := timed(round)
	if err != nil {
		return nil, err
	}
	each := budget / samples
	rounds := int(max(1, each/max(warmUp, 1)))
	runtime.GC() // what was made before is not this work's to collect
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var times []time.Duration
	for used := time.Duration(0); len(times) == 0 || len(times) < samples && used < budget; {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("measuring: %w", ctx.Err())
		}
		took, err := timed(func() {
			for range rounds {
				round()
			}
		})
		if err != nil {
			return nil, err
		}
		times, used = append(times, took), used+took
	}
	runtime.ReadMemStats(&after)
	slices.Sort(times)
	all := float64(len(times) * rounds * n)
	return &Cost{
		Nanoseconds: float64(times[len(times)/2]) / float64(rounds*n),
		Allocations: float64(after.Mallocs-before.Mallocs) / all,
		Bytes:       float64(after.TotalAlloc-before.TotalAlloc) / all,
	}, nil
}

// timed is the processor time that the process takes while it works.
func timed(work func()) (time.Duration, error) {
	start, err := processorTime()
	if err != nil {
		return 0, err
	}
	work()
	end, err := processorTime()
	return end - start, err
}

func processorTime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("reading the processor time of this process: %w", err)
	}
	return time.Duration(t.Nano()), nil
}
