package deliver

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// BenchmarkDeliver is what an alert costs until it is taken, in a stream that lets nothing
// be dropped: with a sink that takes everything, with one beside it that hangs, and with a
// spool; the last two also as a multiple of the first, under "x-plain".
func BenchmarkDeliver(b *testing.B) {
	hang := make(chan struct{})
	hanging := newReceiver(b, func(int, http.ResponseWriter, *http.Request) bool { <-hang; return true })
	b.Cleanup(func() { close(hang) })
	screen := sink.Settings{Kind: sink.KindStdout}
	screen.SetDefaults()
	alerts := make([]*alert.Alert, 1024)
	for i := range alerts {
		alerts[i] = numbered(i, detect.High)
	}
	var plain float64
	for _, bench := range []struct {
		name     string
		settings func() Settings
	}{
		{"plain", func() Settings { return Settings{} }},
		{"beside a hanging webhook", func() Settings {
			return Settings{Sinks: map[string]sink.Settings{"hook": webhook(hanging.URL)}}
		}},
		{"spool", func() Settings { return spooled(b.TempDir()+"/spool", hanging.URL) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			settings := bench.settings()
			settings.Retry = quick()
			if settings.Sinks == nil {
				settings.Sinks = map[string]sink.Settings{}
			}
			settings.Sinks["screen"] = screen
			d, _ := start(b, settings, io.Discard)
			b.ReportAllocs()
			n := uint64(0)
			for b.Loop() {
				d.Deliver(alerts[n%uint64(len(alerts))])
				for n++; n-d.taken.Load() > intake/2; {
					time.Sleep(50 * time.Microsecond)
				}
			}
			each := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			if plain == 0 {
				plain = each
			}
			b.ReportMetric(each/plain, "x-plain")
			if c := d.Counters(); c.Dropped > 0 {
				b.Errorf("%d alerts dropped", c.Dropped)
			}
		})
	}
}
