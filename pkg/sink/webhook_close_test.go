package sink

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

// TestWebhookFullQueue fills the queue while the receiver hangs, and closes.
func TestWebhookFullQueue(t *testing.T) {
	arrived := make(chan struct{}, 1)
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	w, logs := newHook(t, url, WebhookOptions{})
	a := gap()
	_ = w.Deliver(a)
	<-arrived // the first one is out of the queue
	start := time.Now()
	for range webhookQueue + 10 {
		if err := w.Deliver(a); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("Deliver blocked: %s for all", took)
	}
	if got, want := w.Counters(), (WebhookCounters{Queued: webhookQueue + 1, Dropped: 10}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	err := closeWithin(t, w, 50*time.Millisecond)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1025 alerts") {
		t.Errorf("Close: %v", err)
	}
	_ = w.Deliver(a)
	if got, want := w.Counters(), (WebhookCounters{Queued: webhookQueue + 1, Failed: webhookQueue + 1, Dropped: 11}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if entries := logs.FilterMessage("alerts dropped: the webhook's queue was full").All(); len(entries) != 1 {
		t.Errorf("log: %+v", entries)
	}
}

// TestWebhookCloseInterruptsBackoff closes while the webhook waits for its
// second try.
func TestWebhookCloseInterruptsBackoff(t *testing.T) {
	answered := make(chan struct{}, webhookTries)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		answered <- struct{}{}
	})
	w, _ := newHook(t, url, WebhookOptions{Backoff: time.Hour})
	_ = w.Deliver(gap())
	<-answered
	if err := closeWithin(t, w, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	if err := closeWithin(t, w, 50*time.Millisecond); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if got, want := w.Counters(), (WebhookCounters{Queued: 1, Failed: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestWebhookLeavesNoGoroutine counts before and after, with one webhook that
// delivered and one that could not.
func TestWebhookLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	func() {
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/hang" {
				<-r.Context().Done()
			}
		}))
		defer server.Close()
		for _, path := range []string{"/ok", "/hang"} {
			w, err := NewWebhook(server.URL+path, WebhookOptions{}, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			_ = w.Deliver(gap())
			_ = closeWithin(t, w, 100*time.Millisecond) // /hang is an error
		}
	}()
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(quick)
	}
}
