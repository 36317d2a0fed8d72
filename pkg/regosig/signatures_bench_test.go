package regosig

import (
	"context"
	"fmt"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// BenchmarkSignatures compares, on one mix of recorded events of which one in a
// thousand matches, four ways to evaluate the same signatures: by predicates in Go,
// by ipcwarden's engine, by OPA with the event parsed once for the signatures that
// select it, and by OPA with each event given to every signature. All of them start
// with the decoded event and evaluate one event at a time. cpu-ns/event is processor
// time, whatever else the machine does; the ratios are of that, in the same run.
func BenchmarkSignatures(b *testing.B) {
	twenty, many := varied(b, 20), varied(b, 200)
	m := compose(b, twenty, many, ofOneKind(200))
	for _, set := range []struct {
		name string
		*ruleSet
	}{{"20", twenty}, {"200", many}} {
		b.Run(set.name, func(b *testing.B) { compareOnMix(b, set.ruleSet, m) })
	}
	b.Run("one kind", func(b *testing.B) { growth(b, m) })
	b.Run("rate of 50", func(b *testing.B) {
		e := varied(b, 50).engine(b)
		cost := perEvent(b, m.events, ours(e))
		b.ReportMetric(1e9/cost, "events/cpu-s")
	})
	b.Run("match", func(b *testing.B) { matching(b, m) })
}

// way evaluates an event and returns how many signatures match.
type way func(*event.Event) int

func compareOnMix(b *testing.B, r *ruleSet, m *mix) {
	table, e, o := r.predicates(b), r.engine(b), r.stock(b)
	byHand := handwrittenWay(&table)
	costs := map[string]float64{}
	compare := func(name string, events []*event.Event, w way, ratio, a, of string) {
		b.Run(name, func(b *testing.B) {
			costs[name] = perEvent(b, events, w)
			if ratio != "" && costs[a] > 0 && costs[of] > 0 {
				b.ReportMetric(costs[a]/costs[of], ratio)
			}
		})
	}
	compare("quiet go", m.quiet, byHand, "", "", "")
	compare("quiet ours", m.quiet, ours(e), "ours/go", "quiet ours", "quiet go")
	compare("go", m.events, byHand, "", "", "")
	compare("ours", m.events, ours(e), "ours/go", "ours", "go")
	compare("opa dispatched", m.events, stockWay(b, o.dispatched), "dispatched/ours", "opa dispatched", "ours")
	compare("opa", m.events, stockWay(b, o.everySignature), "opa/ours", "opa", "ours")
}

// growth evaluates more and more signatures of one kind, on events of that kind and
// of others.
func growth(b *testing.B, m *mix) {
	var kind, others []*event.Event
	for _, e := range m.quiet {
		if e.ID == event.Msgsnd {
			kind = append(kind, e)
		} else {
			others = append(others, e)
		}
	}
	var first float64
	for _, n := range []int{20, 50, 200} {
		r := ofOneKind(n)
		e, table := r.engine(b), r.predicates(b)
		b.Run(fmt.Sprintf("%d go", n), func(b *testing.B) { perEvent(b, kind, handwrittenWay(&table)) })
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			cost := perEvent(b, kind, ours(e))
			if n == 20 {
				first = cost
			}
			if first > 0 {
				b.ReportMetric(cost/first, "times-of-20")
			}
		})
		b.Run(fmt.Sprintf("%d other events", n), func(b *testing.B) { perEvent(b, others, ours(e)) })
	}
}

// matching evaluates events that match one signature of the 20, each by itself:
// with the evidence of the signature, and without.
func matching(b *testing.B, m *mix) {
	var all []*event.Event
	byID := map[string][]*event.Event{}
	r := varied(b, 20)
	withEvidence, without := r.engine(b), bare(b).engine(b)
	for _, e := range m.matching {
		var ids []string
		withEvidence.Evaluate(b.Context(), e, func(md *detect.Metadata, _ detect.Finding, _ *detect.Input) { ids = append(ids, md.ID) })
		if len(ids) == 1 {
			all, byID[ids[0]] = append(all, e), append(byID[ids[0]], e)
		}
	}
	b.Run("bare", func(b *testing.B) { perEvent(b, all, ours(without)) })
	b.Run("evidence", func(b *testing.B) { perEvent(b, all, ours(withEvidence)) })
	for _, id := range r.ids {
		if events := byID[id]; len(events) > 0 {
			b.Run("bare "+id, func(b *testing.B) { perEvent(b, events, ours(without)) })
			b.Run("evidence "+id, func(b *testing.B) { perEvent(b, events, ours(withEvidence)) })
		}
	}
}

func handwrittenWay(table *[256][]predicate) way {
	return func(e *event.Event) (found int) {
		for _, p := range table[e.ID] {
			if p(e) {
				found++
			}
		}
		return found
	}
}

func ours(e *engine.Engine) way {
	found := 0
	count := func(*detect.Metadata, detect.Finding, *detect.Input) { found++ }
	ctx := context.Background()
	return func(ev *event.Event) int {
		found = 0
		e.Evaluate(ctx, ev, count)
		return found
	}
}

func stockWay(b *testing.B, evaluate func(context.Context, *event.Event) (int, error)) way {
	ctx := context.Background()
	return func(e *event.Event) int {
		found, err := evaluate(ctx, e)
		if err != nil {
			b.Fatal(err)
		}
		return found
	}
}
