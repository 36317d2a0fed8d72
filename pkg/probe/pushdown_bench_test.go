package probe

import (
	"math"
	"testing"

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
