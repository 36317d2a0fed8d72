package deliver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

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
