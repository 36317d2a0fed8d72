package sink

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
)

const (
	quick  = time.Millisecond
	secret = "s3cret"
)

// newHook makes a webhook for the server's secret address.
func newHook(t *testing.T, address string, opts WebhookOptions) (*Webhook, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	if opts.Backoff == 0 {
		opts.Backoff = quick
	}
	w, err := NewWebhook(address+"/"+secret+"?key="+secret, opts, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = w.Close(ctx) // most tests have closed it themselves
		for _, entry := range logs.All() {
			line, err := json.Marshal(entry.ContextMap())
			if err != nil || strings.Contains(entry.Message+string(line), secret) {
				t.Errorf("the log tells the secret: %s %s %v", entry.Message, line, err)
			}
		}
	})
	return w, logs
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func closeWithin(t *testing.T, w *Webhook, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	start := time.Now()
	err := w.Close(ctx)
	if took := time.Since(start); took > limit+2*time.Second {
		t.Errorf("Close took %s, allowed were %s", took, limit)
	}
	return err
}

func TestWebhookAnswers(t *testing.T) {
	tests := map[string]struct {
		answers []int
		want    WebhookCounters
	}{
		"200":                 {[]int{200}, WebhookCounters{Queued: 1, Sent: 1}},
		"202":                 {[]int{202}, WebhookCounters{Queued: 1, Sent: 1}},
		"204":                 {[]int{204}, WebhookCounters{Queued: 1, Sent: 1}},
		"500 then 200":        {[]int{500, 200}, WebhookCounters{Queued: 1, Sent: 1, Retries: 1}},
		"408, 425, 429, 503":  {[]int{408, 425, 429, 503, 200}, WebhookCounters{Queued: 1, Sent: 1, Retries: 4}},
		"five tries":          {[]int{500, 500, 500, 500, 500, 200}, WebhookCounters{Queued: 1, Failed: 1, Retries: 4}},
		"404 is final":        {[]int{404, 200}, WebhookCounters{Queued: 1, Failed: 1}},
		"a redirect is final": {[]int{307, 200}, WebhookCounters{Queued: 1, Failed: 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			a := finding()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				checkRequest(t, r, a)
				w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
				w.WriteHeader(test.answers[tries.Add(1)-1])
			})
			w, _ := newHook(t, url, WebhookOptions{Version: "1.2"})
			if err := w.Deliver(a); err != nil {
				t.Fatal(err)
			}
			if err := closeWithin(t, w, 5*time.Second); err != nil {
				t.Fatal(err)
			}
			if got := w.Counters(); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if want := int32(test.want.Retries) + 1; tries.Load() != want {
				t.Errorf("%d requests, want %d", tries.Load(), want)
			}
		})
	}
}

func checkRequest(t *testing.T, r *http.Request, a *alert.Alert) {
	body, err := io.ReadAll(r.Body)
	var got alert.Alert
	if err == nil {
		err = json.Unmarshal(body, &struct {
			ID *string `json:"id"`
		}{&got.ID})
	}
	if err != nil || got.ID != a.ID {
		t.Errorf("body %s: %v", body, err)
	}
	if r.Method != http.MethodPost || r.URL.Path != "/"+secret || r.URL.RawQuery != "key="+secret {
		t.Errorf("%s %s", r.Method, r.URL)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "ipcwarden/1.2", "Idempotency-Key": a.ID,
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestWebhookUserInfoIsSentAndNotLogged(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != secret {
			t.Errorf("password %q", password)
		}
		w.WriteHeader(http.StatusForbidden)
	})
	w, logs := newHook(t, strings.Replace(url, "://", "://user:"+secret+"@", 1), WebhookOptions{})
	_ = w.Deliver(gap())
	if err := closeWithin(t, w, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	entries := logs.FilterMessage("alert not delivered").All()
	if len(entries) != 1 || entries[0].ContextMap()["webhook"] != url {
		t.Errorf("log: %+v", entries)
	}
}

func TestWebhookRetryAfter(t *testing.T) {
	var tries atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if tries.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	w, _ := newHook(t, url, WebhookOptions{})
	_ = w.Deliver(gap())
	start := time.Now()
	if err := closeWithin(t, w, 5*time.Second); err != nil || w.Counters().Sent != 1 {
		t.Fatalf("%v, %+v", err, w.Counters())
	}
	if waited := time.Since(start); waited < 900*time.Millisecond {
		t.Errorf("waited %s, want the second that was asked for", waited)
	}
}

func TestWebhookHang(t *testing.T) {
	var tries atomic.Int32
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done() // until the webhook gives up
		}
	})
	w, _ := newHook(t, url, WebhookOptions{Timeout: 50 * time.Millisecond})
	_ = w.Deliver(gap())
	if err := closeWithin(t, w, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Counters(), (WebhookCounters{Queued: 1, Sent: 1, Retries: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWebhookDeadPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	listener.Close()
	w, _ := newHook(t, url, WebhookOptions{})
	_ = w.Deliver(gap())
	if err := closeWithin(t, w, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Counters(), (WebhookCounters{Queued: 1, Failed: 1, Retries: 4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestWebhookBody answers at once, but never ends the body.
func TestWebhookBody(t *testing.T) {
	for name, chunk := range map[string]int{"slow": 1, "endless": 32 << 10} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				for r.Context().Err() == nil {
					if _, err := w.Write(make([]byte, chunk)); err != nil {
						return
					}
					_ = http.NewResponseController(w).Flush()
					time.Sleep(quick)
				}
			})
			w, _ := newHook(t, url, WebhookOptions{})
			_ = w.Deliver(gap())
			if err := closeWithin(t, w, 3*time.Second); err != nil {
				t.Fatal(err)
			}
			if got, want := w.Counters(), (WebhookCounters{Queued: 1, Sent: 1}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestWebhookRedirectIsNotFollowed(t *testing.T) {
	other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other, http.StatusPermanentRedirect)
	})
	w, logs := newHook(t, url, WebhookOptions{})
	_ = w.Deliver(gap())
	if err := closeWithin(t, w, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Counters(), (WebhookCounters{Queued: 1, Failed: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if entries := logs.FilterMessage("alert not delivered").All(); len(entries) != 1 ||
		!strings.Contains(entries[0].ContextMap()["error"].(string), "redirects are not followed") {
		t.Errorf("log: %+v", entries)
	}
}

func TestWebhookURL(t *testing.T) {
	for _, url := range []string{
		"", "host/" + secret, "ftp://host/" + secret, "http:///" + secret, "http://:80/" + secret, "https://",
		"http://host:p0rt/" + secret, "http://user:" + secret + " @host/", "http://host/%zz" + secret, "\x7f" + secret,
	} {
		w, err := NewWebhook(url, WebhookOptions{}, zap.NewNop())
		if err == nil {
			t.Errorf("%q was accepted", url)
			_ = w.Close(context.Background())
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}
