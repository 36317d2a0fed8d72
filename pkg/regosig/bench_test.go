package regosig

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	oparego "github.com/open-policy-agent/opa/v1/rego"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// BenchmarkMatch evaluates one event against every built-in signature that
// selects it: as they are, with their filters in front of their plans; by the plans
// alone; by OPA's interpreter, as for a signature that cannot be planned; and as a
// straightforward use of OPA would, each on a map that was made of JSON, once.
func BenchmarkMatch(b *testing.B) {
	set, err := Load(Builtin())
	if err != nil {
		b.Fatal(err)
	}
	matching := sample(event.Shmat)
	matching.Args[2], matching.Return = 0o100000, 0x7f0000000000
	quiet := sample(event.Shmget)
	quiet.Args, quiet.Process.EUID = [event.MaxArgs]uint64{0, 4096, 0o1600}, 1000
	sending := sample(event.Msgsnd)
	sending.Args[3], sending.Return, sending.Object.CreatorUID, sending.Process.EUID = 0, 0, 1000, 1000
	for _, bb := range []struct {
		name string
		e    *event.Event
	}{{"no memory, no match", quiet}, {"memory, no match", sending}, {"match", matching}} {
		b.Run(bb.name, func(b *testing.B) { benchmarkMatch(b, set, bb.e) })
	}
}

func benchmarkMatch(b *testing.B, set *Set, e *event.Event) {
	var selected []detect.Signature
	for _, s := range set.Signatures() {
		if s.Metadata().Events.Has(e.ID) {
			selected = append(selected, s)
		}
	}
	var in detect.Input
	var found []detect.Finding
	each := func(evaluate func(detect.Signature) error) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				in.Reset(e)
				for _, s := range selected {
					if err := evaluate(s); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N)/float64(len(selected)), "cpu-ns/signature")
		}
	}
	verdict := func(s detect.Signature) error {
		_, _, err := s.(*native).verdict.onEvent(b.Context(), &in)
		return err
	}
	b.Run("signature", each(func(s detect.Signature) (err error) {
		if s.(*native).filter.MayMatch(e) {
			found, err = s.Match(b.Context(), &in, found[:0])
		}
		return err
	}))
	b.Run("plan", each(verdict))
	viewOf(&in).interpreted = true
	b.Run("topdown", each(verdict))
	b.Run("naive", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			text, err := json.Marshal(in.Document())
			if err != nil {
				b.Fatal(err)
			}
			var document map[string]any
			if err := json.Unmarshal(text, &document); err != nil {
				b.Fatal(err)
			}
			for _, s := range selected {
				if _, err := s.(*native).verdict.prepared.Eval(b.Context(), oparego.EvalInput(document)); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// processorTime is what the process has used, which says more than the time that
// has passed where others use the processor as well.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
