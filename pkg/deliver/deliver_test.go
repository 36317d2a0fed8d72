package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

var factory = &alert.Factory{Host: "host"}

// numbered is an alert whose evidence has a number.
func numbered(n int, severity detect.Severity) *alert.Alert {
	e := event.Event{ID: event.Shmget, TimeNS: int64(n)}
	var d event.Document
	e.Document(&d)
	return factory.FromFinding(&detect.Metadata{ID: "A", Severity: severity}, detect.Finding{Evidence: map[string]any{"n": n}}, &d)
}

// number reads it; -1 for another alert.
func number(t testing.TB, body []byte) int {
	t.Helper()
	var a struct{ Evidence struct{ N *int } }
	if err := json.Unmarshal(body, &a); err != nil {
		t.Errorf("%v in %q", err, body)
	}
	if a.Evidence.N == nil {
		return -1
	}
	return *a.Evidence.N
}

func webhook(url string) sink.Settings {
	s := sink.Settings{Kind: sink.KindWebhook}
	s.SetDefaults()
	s.Webhook.URL = setting.NewSecret(url)
	s.Webhook.Timeout = setting.Duration(patience)
	return s
}

// quick retries at once, so that tests do not take long.
func quick() Retry {
	r := DefaultRetry()
	r.First, r.Max, r.Alert = setting.Duration(5*time.Millisecond), setting.Duration(20*time.Millisecond), setting.Duration(time.Hour)
	return r
}

func start(t testing.TB, s Settings, out io.Writer) (*Delivery, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	d, err := New(s, sink.Environment{Stdout: out, Host: "host"}, factory, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = end(d, 0) })
	return d, logs
}

func end(d *Delivery, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return d.Close(ctx)
}

func count(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

func await(t testing.TB, what func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !what(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to that within " + patience.String())
		}
	}
}

// TestSinksAreApart has one that hangs, and one that wants only what is severe.
func TestSinksAreApart(t *testing.T) {
	hangs := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees that the client is gone
		<-r.Context().Done()
		return true
	})
	works := newReceiver(t, nil)
	slow, severe := webhook(hangs.URL), webhook(works.URL)
	slow.Webhook.Timeout = setting.Duration(time.Minute)
	severe.MinSeverity = detect.High
	retry := quick()
	retry.Queue = 50
	d, _ := start(t, Settings{Sinks: map[string]sink.Settings{"slow": slow, "severe": severe}, Retry: retry}, nil)
	for i := range 100 {
		d.Deliver(numbered(i, detect.Low+detect.Severity(i%2)*2))
		if i%20 == 0 {
			await(t, func() bool { s := d.Counters().Sinks["severe"]; return s.Sent+s.Below == uint64(i+1) })
		}
	}
	await(t, func() bool { s := d.Counters().Sinks["severe"]; return s.Sent == 50 && s.Below == 50 })
	begin := time.Now()
	err := end(d, 50*time.Millisecond)
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("Close took %s", took)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "sink slow: ") {
		t.Errorf("Close: %v", err)
	}
	d.Deliver(numbered(1, detect.High))
	if c := d.Counters(); c.Dropped != 1 || c.Taken != 100 {
		t.Errorf("%+v", c)
	}
}

// TestLost keeps what is newest where nobody takes anything, and says what was lost.
func TestLost(t *testing.T) {
	var down sync.Mutex
	down.Lock()
	var once sync.Once
	var got []int
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		down.Lock()
		defer down.Unlock()
		body, _ := io.ReadAll(r.Body)
		if n := number(t, body); n >= 0 && r.Context().Err() == nil {
			got = append(got, n)
		}
	}))
	defer server.Close()
	defer once.Do(down.Unlock)
	s := webhook(server.URL)
	s.Webhook.Timeout = setting.Duration(time.Minute)
	retry := quick()
	retry.Queue = 10
	d, _ := start(t, Settings{Sinks: map[string]sink.Settings{"hook": s}, Retry: retry}, nil)
	d.Deliver(numbered(0, detect.High))
	await(t, func() bool { return d.Counters().Sinks["hook"].Waiting == 1 })
	time.Sleep(10 * time.Millisecond) // until it is under way
	for i := range 50 {
		d.Deliver(numbered(i+1, detect.High))
	}
	await(t, func() bool { return d.Counters().Taken == 51 })
	once.Do(down.Unlock)
	if err := end(d, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	c := d.Counters().Sinks["hook"]
	if c.Sent != 11 || c.Lost != 40 || got[0] != 0 || !slices.Equal(got[1:], count(51)[41:]) {
		t.Errorf("%+v; got %v", c, got)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestErrors(t *testing.T) {
	bad := webhook("ftp://x")
	for want, s := range map[string]Settings{
		"sinks.hook.webhook.url: the URL must begin": {Sinks: map[string]sink.Settings{"hook": bad}, Retry: quick()},
		"first: has to be more":                      {Retry: Retry{Queue: 1}},
		`dead letters: "x" is no absolute`:           {Retry: quick(), DeadLetters: "x"},
	} {
		if _, err := New(s, sink.Environment{}, factory, zap.NewNop()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
