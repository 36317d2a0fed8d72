package deliver

import (
	"cmp"
	"encoding/json"
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

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
)

// receiver takes alerts, unless trouble does something else.
type receiver struct {
	*httptest.Server
	t       testing.TB
	mu      sync.Mutex
	tries   int
	seen    map[string]bool // idempotency keys, or ids in an array
	numbers []int           // of what arrived, each key once
	repeats int
	trouble func(try int, w http.ResponseWriter, r *http.Request) (handled bool)
	after   func(try int, w http.ResponseWriter) // has taken the request; may be nil
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
	r.take(request.Header.Get("Idempotency-Key"), body)
	if r.after != nil {
		r.after(try, w)
	}
}

func (r *receiver) take(key string, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := []json.RawMessage{body}
	if body[0] == '[' {
		if err := json.Unmarshal(body, &list); err != nil {
			r.t.Errorf("%v in %q", err, body)
		}
		key = "" // which is that of this array
	}
	for _, text := range list {
		id := key
		if id == "" {
			id = identify(r.t, text)
		}
		if r.seen[id] {
			r.repeats++
			continue
		}
		r.seen[id] = true
		r.numbers = append(r.numbers, number(r.t, text))
	}
}

func identify(t testing.TB, body []byte) string {
	t.Helper()
	var a struct{ ID string }
	if err := json.Unmarshal(body, &a); err != nil || a.ID == "" {
		t.Errorf("%v in %q", err, body)
	}
	return a.ID
}

func (r *receiver) got() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.numbers), func(n int) bool { return n < 0 })
}

// cut ends a connection after a text: with a reset if that is empty.
func cut(t *testing.T, w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	if text == "" {
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	_, _ = io.WriteString(conn, text)
}

// trouble is what a receiver does wrong, instead of taking a request or afterwards.
type trouble struct {
	instead func(try int, w http.ResponseWriter, r *http.Request) (handled bool)
	after   func(try int, w http.ResponseWriter)
	timeout time.Duration // of a request; 0 for a long one
	takes   time.Duration // at least
	harmful bool          // requests are sent again
	twice   bool          // of which some were taken
}

// mostly does it two times of three.
func mostly(do func(try int, w http.ResponseWriter, r *http.Request)) trouble {
	return trouble{harmful: true, instead: func(try int, w http.ResponseWriter, r *http.Request) bool {
		if try%3 == 0 {
			return false
		}
		do(try, w, r)
		return true
	}}
}

func answers(codes ...int) trouble {
	return mostly(func(try int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(codes[try/3%len(codes)]) })
}

func troubles(t *testing.T) map[string]trouble {
	return map[string]trouble{
		"none":             {},
		"500":              answers(http.StatusInternalServerError),
		"408, 425 and 503": answers(http.StatusRequestTimeout, http.StatusTooEarly, http.StatusServiceUnavailable),
		"redirects": mostly(func(try int, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("a redirect is followed")
			}
			http.Redirect(w, r, "/elsewhere", []int{http.StatusFound, http.StatusPermanentRedirect}[try%2])
		}),
		"429 with Retry-After": {harmful: true, takes: 900 * time.Millisecond, instead: func(try int, w http.ResponseWriter, _ *http.Request) bool {
			if try == 2 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
			}
			return try == 2
		}},
		"hangs": {harmful: true, timeout: 200 * time.Millisecond, takes: 200 * time.Millisecond, instead: func(try int, _ http.ResponseWriter, r *http.Request) bool {
			if try%8 == 1 {
				_, _ = io.Copy(io.Discard, r.Body) // only then the server sees that the client is gone
				<-r.Context().Done()
			}
			return try%8 == 1
		}},
		"resets": mostly(func(_ int, w http.ResponseWriter, _ *http.Request) { cut(t, w, "") }),
		"closes amid the request": mostly(func(_ int, w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 10)
			cut(t, w, "")
		}),
		"closes amid the status": mostly(func(_ int, w http.ResponseWriter, _ *http.Request) { cut(t, w, "HTTP/1.1 20") }),
		"closes amid the body of a 503": mostly(func(_ int, w http.ResponseWriter, _ *http.Request) {
			cut(t, w, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nsorr")
		}),
		"closes amid the body of a 200": {after: func(_ int, w http.ResponseWriter) {
			cut(t, w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthan")
		}},
		"takes, and then resets": {harmful: true, twice: true, after: func(try int, w http.ResponseWriter) {
			if try%2 == 1 {
				cut(t, w, "")
			}
		}},
	}
}

// deliverAll delivers so many alerts, and wants them to arrive, in order.
func deliverAll(t *testing.T, d *Delivery, r *receiver, n int) {
	t.Helper()
	for i := range n {
		d.Deliver(numbered(i, detect.High))
	}
	if err := end(d, patience); err != nil {
		t.Fatal(err)
	}
	if got := r.got(); !slices.Equal(got, count(n)) {
		t.Errorf("arrived: %v", got)
	}
}

// TestTrouble has receivers that do everything wrong for a while, with and without a
// spool, and with several alerts at a time. Every alert arrives, in order, and once for
// each idempotency key.
func TestTrouble(t *testing.T) {
	const alerts = 20
	for name, trouble := range troubles(t) {
		for _, batch := range []int{1, 4} {
			for _, spooling := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %d at a time, spool %t", name, batch, spooling), func(t *testing.T) {
					t.Parallel() // what takes time is waiting
					r := newReceiver(t, trouble.instead)
					r.after = trouble.after
					hook := webhook(r.URL + "/s3cret")
					hook.Webhook.Batch = batch
					if trouble.timeout > 0 {
						hook.Webhook.Timeout = setting.Duration(trouble.timeout)
					}
					settings := Settings{Sinks: map[string]sink.Settings{"hook": hook}, Retry: quick()}
					if spooling {
						settings.Spool = spool.Settings{Path: filepath.Join(t.TempDir(), "spool"), MaxBytes: 8 << 20}
						settings.Retry.Queue = 5 // most come from the disk
					}
					d, logs := start(t, settings, nil)
					begin := time.Now()
					deliverAll(t, d, r, alerts)
					c := d.Counters()
					if s := c.Sinks["hook"]; c.Taken != alerts || s.Sent != alerts || s.Waiting != 0 || s.Problem != "" || (s.Retries > 0) != trouble.harmful {
						t.Errorf("counters %+v", c)
					}
					if took := time.Since(begin); took < trouble.takes {
						t.Errorf("it took %s, less than %s", took, trouble.takes)
					}
					if (r.repeats > 0) != trouble.twice && trouble.timeout == 0 {
						t.Errorf("%d were delivered again", r.repeats)
					}
					for _, entry := range logs.All() {
						if strings.Contains(fmt.Sprint(entry.Message, entry.ContextMap()), "s3cret") {
							t.Errorf("the log has the address: %s %v", entry.Message, entry.ContextMap())
						}
					}
				})
			}
		}
	}
}

// TestDown has nobody listen for a while: until it was tried some times, or for
// $IPCWARDEN_DOWN, with the waits that are the default.
func TestDown(t *testing.T) {
	const alerts = 10
	settings := Settings{Retry: quick()}
	down, err := time.ParseDuration(cmp.Or(os.Getenv("IPCWARDEN_DOWN"), "0s"))
	if err != nil {
		t.Fatalf("IPCWARDEN_DOWN: %v", err)
	}
	if down > 0 {
		settings.Retry = DefaultRetry()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	settings.Sinks = map[string]sink.Settings{"hook": webhook("http://" + address)}
	d, _ := start(t, settings, nil)
	begin := time.Now()
	for i := range alerts {
		d.Deliver(numbered(i, detect.High))
	}
	time.Sleep(down)
	await(t, func() bool { return d.Counters().Sinks["hook"].Retries > 3 })
	if s := d.Counters().Sinks["hook"]; s.Problem == "" || s.Waiting < alerts || s.Sent != 0 {
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
	if err := end(d, patience+2*down); err != nil {
		t.Fatal(err)
	}
	t.Logf("all was delivered after %s", time.Since(begin).Round(time.Millisecond))
	if got := r.got(); !slices.Equal(got, count(alerts)) {
		t.Errorf("arrived: %v", got)
	}
	if s := d.Counters().Sinks["hook"]; s.Lost+s.Rejected != 0 || s.Sent < alerts {
		t.Errorf("%+v", s)
	}
}
