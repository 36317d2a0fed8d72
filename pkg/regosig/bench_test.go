package regosig

import (
	"encoding/json"
	"testing"

	oparego "github.com/open-policy-agent/opa/v1/rego"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// BenchmarkMatch evaluates one event against every built-in signature that
// selects it, and beside it what a straightforward use of OPA would do: each
// signature on a map, converted for each.
func BenchmarkMatch(b *testing.B) {
	set, err := Load(Builtin())
	if err != nil {
		b.Fatal(err)
	}
	e := sample(event.Shmat)
	selected := 0
	for _, s := range set.Signatures() {
		if s.Metadata().Events.Has(e.ID) {
			selected++
		}
	}
	b.Run("prepared", func(b *testing.B) {
		b.ReportAllocs()
		var in detect.Input
		var found []detect.Finding
		for b.Loop() {
			in.Reset(e)
			for _, s := range set.Signatures() {
				if !s.Metadata().Events.Has(e.ID) {
					continue
				}
				if found, err = s.Match(b.Context(), &in, found[:0]); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(selected), "signatures")
	})
	b.Run("naive", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var d event.Document
			e.Document(&d)
			text, err := json.Marshal(&d)
			if err != nil {
				b.Fatal(err)
			}
			var document map[string]any
			if err := json.Unmarshal(text, &document); err != nil {
				b.Fatal(err)
			}
			for _, s := range set.Signatures() {
				prepared := s.(*native).verdict.prepared
				if _, err := prepared.Eval(b.Context(), oparego.EvalInput(document)); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(len(set.Signatures())), "signatures")
	})
}
