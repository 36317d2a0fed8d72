package deliver

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// TestNews wants alerts that tell of a sink that fails, and of its recovery.
func TestNews(t *testing.T) {
	var mu sync.Mutex
	broken := true
	bad := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if broken {
			w.WriteHeader(http.StatusBadGateway)
		}
		return broken
	})
	var out lockedBuffer
	stdout := sink.Settings{Kind: sink.KindStdout}
	stdout.SetDefaults()
	retry := quick()
	retry.Alert = setting.Duration(10 * time.Millisecond)
	d, _ := start(t, Settings{Sinks: map[string]sink.Settings{"bad": webhook(bad.URL), "screen": stdout}, Retry: retry}, &out)
	d.Deliver(numbered(0, detect.High))
	await(t, func() bool { return strings.Contains(out.String(), `"state":"failing"`) })
	mu.Lock()
	broken = false
	mu.Unlock()
	await(t, func() bool { return strings.Contains(out.String(), `"state":"recovered"`) })
	for _, want := range []string{`"type":"delivery"`, `"sink":"bad"`, `"problem":"answered 502 Bad Gateway"`, `"severity":"high"`, `"severity":"info"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines, want 3:\n%s", n, out.String())
	}
}
