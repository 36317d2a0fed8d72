package deliver

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// TestDeadLetters rejects some alerts, also in a batch.
func TestDeadLetters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.json")
	var mu sync.Mutex
	var taken []int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var list []json.RawMessage
		if err := json.Unmarshal(body, &list); err != nil {
			t.Errorf("%v in %q", err, body)
		}
		mu.Lock()
		defer mu.Unlock()
		var numbers []int
		for _, a := range list {
			if number(t, a) == 7 {
				w.WriteHeader(http.StatusUnprocessableEntity)
				return
			}
			numbers = append(numbers, number(t, a))
		}
		taken = append(taken, numbers...)
	}))
	defer server.Close()
	s := webhook(server.URL)
	s.Webhook.Batch = 4
	d, _ := start(t, Settings{Sinks: map[string]sink.Settings{"hook": s}, Retry: quick(), DeadLetters: path}, nil)
	for i := range 12 {
		d.Deliver(numbered(i, detect.High))
	}
	if err := end(d, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if want := slices.DeleteFunc(count(12), func(n int) bool { return n == 7 }); !slices.Equal(taken, want) {
		t.Errorf("taken: %v", taken)
	}
	text, err := os.ReadFile(path)
	var letter deadLetter
	if err == nil {
		err = json.Unmarshal(text, &letter)
	}
	if err != nil || letter.Sink != "hook" || letter.Reason != "answered 422 Unprocessable Entity" || number(t, letter.Alert) != 7 {
		t.Errorf("%v: %s", err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	if c := d.Counters().Sinks["hook"]; c.Sent != 11 || c.Rejected != 1 {
		t.Errorf("%+v", c)
	}
}
