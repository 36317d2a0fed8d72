package probe

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// nobody is a test that no caller passes.
var nobody = pushdown.Is(pushdown.UID, math.MaxUint64, 123456789)

// BenchmarkPushdown is what a call costs its caller that nothing can match: captured
// all the same, rejected when it ends, and rejected when it begins; the last two also
// as a multiple of the first, under "x-captured".
func BenchmarkPushdown(b *testing.B) {
	late := []pushdown.Clause{
		{Events: event.All, Tests: []pushdown.Test{pushdown.Differs.Test(true)}},
		{Events: event.All, Tests: []pushdown.Test{pushdown.MapsSegment.Test(true)}},
		{Events: event.All, Tests: []pushdown.Test{pushdown.Unfinished.Test(true), pushdown.Copied.Test(true)}},
	}
	for _, bench := range benchedCalls(b) {
		b.Run(bench.name, func(b *testing.B) {
			var captured float64
			for _, how := range []struct {
				name   string
				wanted *pushdown.Set
			}{
				{"captured", nil},
				{"rejected-at-exit", &pushdown.Set{Clauses: late}},
				{"rejected-at-entry", &pushdown.Set{Clauses: []pushdown.Clause{{Events: event.All, Tests: []pushdown.Test{nobody}}}}},
			} {
				b.Run(how.name, func(b *testing.B) {
					p := openWith(b, Options{
						Filter: Filter{Events: event.All}, SnapshotBytes: 64, DigestBytes: MaxDigestBytes, Wanted: how.wanted,
					})
					perOp := whileRead(b, p, bench.call)
					if how.wanted == nil {
						captured = perOp
					} else if captured > 0 {
						b.ReportMetric(perOp/captured, "x-captured")
					}
					counts, err := p.Counts()
					if err != nil {
						b.Fatal(err)
					}
					if how.wanted != nil && counts.Emitted > 0 {
						b.Errorf("events were sent: %+v", counts)
					}
				})
			}
		})
	}
}

// BenchmarkRepeats is what a call costs its caller that repeats another in a flood, by
// little that is read of it and by its memory as well; both also as a multiple of a call
// that is captured, under "x-captured". Nobody reads, so that there is a flood.
func BenchmarkRepeats(b *testing.B) {
	little := &pushdown.Repeat{Span: time.Hour}
	little.Add(pushdown.Return)
	memory := new(*little)
	memory.AddMemory()
	for _, bench := range benchedCalls(b) {
		b.Run(bench.name, func(b *testing.B) {
			var captured float64
			for _, how := range []struct {
				name   string
				repeat *pushdown.Repeat
			}{{"captured", nil}, {"repeated", little}, {"repeated-with-memory", memory}} {
				b.Run(how.name, func(b *testing.B) {
					opts := Options{Filter: Filter{Events: event.All}, SnapshotBytes: 64, DigestBytes: MaxDigestBytes}
					if how.repeat == nil {
						captured = whileRead(b, openWith(b, opts), bench.call)
						return
					}
					opts.Wanted = &pushdown.Set{Clauses: []pushdown.Clause{{Events: event.All, Repeat: how.repeat}}}
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					p := openWith(b, opts)
					var before Counts
					for before.Aggregated == 0 {
						bench.call()
						before, _ = p.Counts() // the error comes again
					}
					for b.Loop() {
						bench.call()
					}
					after, err := p.Counts()
					if err != nil || after.Emitted > before.Emitted+2 {
						b.Errorf("%d events were sent: %v", after.Emitted-before.Emitted, err)
					}
					if captured > 0 {
						b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/captured, "x-captured")
					}
				})
			}
		})
	}
}
