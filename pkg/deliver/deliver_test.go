package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	"github.com/ipcwarden/ipcwarden/pkg/spool"
)

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
	s.Webhook.Timeout = setting.Duration(200 * time.Millisecond)
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

// receiver takes alerts, unless trouble does something else.
type receiver struct {
	*httptest.Server
	t       testing.TB
	mu      sync.Mutex
	tries   int
	seen    map[string]bool // idempotency keys
	numbers []int           // of what arrived, each key once
	repeats int
	trouble func(try int, w http.ResponseWriter, r *http.Request) (handled bool)
}

func newReceiver(t testing.TB, trouble func(int, http.ResponseWriter, *http.Request) bool) *receiver {
	r := &receiver{t: t, seen: map[string]bool{}, trouble: trouble}
	r.Server = httptest.NewServer(r)
	t.Cleanup(func() { r.CloseClientConnections(); r.Close() })
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.tries++
	try := r.tries
	r.mu.Unlock()
	if r.trouble != nil && r.trouble(try, w, request) {
		return
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if key := request.Header.Get("Idempotency-Key"); !r.seen[key] {
		r.seen[key] = true
		r.numbers = append(r.numbers, number(r.t, body))
		return
	}
	r.repeats++
}

func (r *receiver) got() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.numbers), func(n int) bool { return n < 0 })
}

func count(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// reset ends a connection without an answer.
func reset(t *testing.T, w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// TestTrouble has receivers that do everything wrong for a while. Every alert arrives, in
// order, and once for each idempotency key.
func TestTrouble(t *testing.T) {
	const alerts = 20
	often := func(try int) bool { return try%3 != 0 }
	for name, trouble := range map[string]func(int, http.ResponseWriter, *http.Request) bool{
		"none": nil,
		"500": func(try int, w http.ResponseWriter, _ *http.Request) bool {
			if often(try) {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return often(try)
		},
		"408, 425 and 503": func(try int, w http.ResponseWriter, _ *http.Request) bool {
			if often(try) {
				w.WriteHeader([]int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusServiceUnavailable}[try/3%3])
			}
			return often(try)
		},
		"hangs": func(try int, _ http.ResponseWriter, r *http.Request) bool {
			if try%8 == 1 {
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
				return true
			}
			return false
		},
		"resets": func(try int, w http.ResponseWriter, _ *http.Request) bool {
			if often(try) {
				reset(t, w)
			}
			return often(try)
		},
		"takes, and then resets": nil, // below
		"redirects": func(try int, w http.ResponseWriter, r *http.Request) bool {
			if often(try) {
				http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
			}
			return often(try) || r.URL.Path == "/elsewhere" && true
		},
		"429 with Retry-After": func(try int, w http.ResponseWriter, _ *http.Request) bool {
			if try == 2 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
			}
			return try == 2
		},
		"closes amid the answer": func(try int, w http.ResponseWriter, r *http.Request) bool {
			if !often(try) {
				return false
			}
			_, _ = io.CopyN(io.Discard, r.Body, 10)
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return true
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 20")
			conn.Close()
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, trouble)
			if name == "takes, and then resets" {
				inner := r.Config.Handler
				r.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
					inner.ServeHTTP(httptest.NewRecorder(), request)
					r.mu.Lock()
					again := r.repeats < 5 && r.tries%2 == 1
					r.mu.Unlock()
					if again {
						reset(t, w)
					}
				})
			}
			d, logs := start(t, Settings{Sinks: map[string]sink.Settings{"hook": webhook(r.URL + "/s3cret")}, Retry: quick()}, nil)
			begin := time.Now()
			for i := range alerts {
				d.Deliver(numbered(i, detect.High))
			}
			if err := end(d, 20*time.Second); err != nil {
				t.Fatal(err)
			}
			if got := r.got(); !slices.Equal(got, count(alerts)) {
				t.Errorf("arrived: %v", got)
			}
			c := d.Counters()
			if s := c.Sinks["hook"]; c.Taken != alerts || s.Sent != alerts || s.Waiting != 0 || s.Problem != "" || (trouble != nil) != (s.Retries > 0) && name == "none" {
				t.Errorf("counters %+v", c)
			}
			if name == "429 with Retry-After" && time.Since(begin) < 900*time.Millisecond {
				t.Errorf("it took %s, without the second that was asked for", time.Since(begin))
			}
			if name == "takes, and then resets" && r.repeats == 0 {
				t.Error("nothing was delivered twice")
			}
			for _, entry := range logs.All() {
				if strings.Contains(fmt.Sprint(entry.Message, entry.ContextMap()), "s3cret") {
					t.Errorf("the log has the address: %s %v", entry.Message, entry.ContextMap())
				}
			}
		})
	}
}

// TestDown has nobody listen for a while.
func TestDown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	d, _ := start(t, Settings{Sinks: map[string]sink.Settings{"hook": webhook("http://" + address)}, Retry: quick()}, nil)
	for i := range 10 {
		d.Deliver(numbered(i, detect.High))
	}
	await(t, func() bool { return d.Counters().Sinks["hook"].Retries > 3 })
	if s := d.Counters().Sinks["hook"]; s.Problem == "" || s.Waiting != 10 {
		t.Errorf("%+v", s)
	}
	r := &receiver{t: t, seen: map[string]bool{}}
	listener, err = net.Listen("tcp", address)
	if err != nil {
		t.Skipf("the port is taken by now: %v", err)
	}
	server := &http.Server{Handler: r}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	if err := end(d, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := r.got(); !slices.Equal(got, count(10)) {
		t.Errorf("arrived: %v", got)
	}
}

func await(t testing.TB, what func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !what(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to that within 20 seconds")
		}
	}
}

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

// TestSpoolOutlivesTheProcess closes a delivery whose receiver is down, and opens it
// again with another sink beside.
func TestSpoolOutlivesTheProcess(t *testing.T) {
	down := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	works := newReceiver(t, nil)
	dir := filepath.Join(t.TempDir(), "spool")
	settings := Settings{Retry: quick(), Spool: spool.Settings{Path: dir, MaxBytes: 8 << 20}}
	settings.Retry.Queue = 5 // the rest has to come from the disk
	settings.Sinks = map[string]sink.Settings{"a": webhook(down.URL), "b": webhook(works.URL)}
	d, _ := start(t, settings, nil)
	for i := range 100 {
		d.Deliver(numbered(i, detect.High))
	}
	await(t, func() bool { return d.Counters().Sinks["b"].Sent == 100 })
	if err := end(d, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "sink a: 100 alerts not delivered") {
		t.Errorf("Close: %v", err)
	}
	again, fresh := newReceiver(t, nil), newReceiver(t, nil)
	settings.Sinks = map[string]sink.Settings{"a": webhook(again.URL), "b": webhook(works.URL), "c": webhook(fresh.URL)}
	d, _ = start(t, settings, nil)
	for i := range 10 {
		d.Deliver(numbered(100+i, detect.High))
	}
	if err := end(d, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := again.got(); !slices.Equal(got, count(110)) {
		t.Errorf("a got %v", got)
	}
	if got := works.got(); !slices.Equal(got, count(110)) {
		t.Errorf("b got %v", got)
	}
	if got := fresh.got(); !slices.Equal(got, count(110)[100:]) {
		t.Errorf("c got %v", got)
	}
	if c := d.Counters(); c.Sinks["a"].Lost != 0 || c.Unstored != 0 {
		t.Errorf("%+v", c)
	}
}

// TestUnchanging is about an alert that is read from the spool.
func TestUnchanging(t *testing.T) {
	e, err := sink.NewEntry(numbered(3, detect.High))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := sink.ParseEntry(e.JSON)
	if err != nil {
		t.Fatal(err)
	}
	again, err := sink.NewEntry(parsed.Alert)
	if err != nil || string(again.JSON) != string(e.JSON) {
		t.Errorf("%v\n%s\n%s", err, e.JSON, again.JSON)
	}
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
