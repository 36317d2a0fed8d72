package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

const (
	webhookQueue   = 1024
	webhookTries   = 5
	webhookTimeout = 10 * time.Second
	webhookBackoff = time.Second

	// dropNotice is how often the log tells of dropped alerts.
	dropNotice = time.Minute
)

// WebhookOptions are the settings of a webhook. The zero value is the default
// of each.
type WebhookOptions struct {
	// Version is ipcwarden's, for the User-Agent header.
	Version string
	// Backoff is the mean wait before the second try, 1 s by default. It doubles
	// with each further try.
	Backoff time.Duration
	// Timeout bounds one try, 10 s by default.
	Timeout time.Duration
}

// WebhookCounters is what became of the alerts. After Close, Queued is the sum of
// Sent and Failed.
type WebhookCounters struct {
	Queued  uint64 // accepted by Deliver
	Sent    uint64 // acknowledged with 2xx
	Failed  uint64 // refused, given up, or left over when Close ran out of time
	Dropped uint64 // not accepted: the queue was full, or the webhook closed
	Retries uint64 // tries after the first one
}

// Webhook POSTs each alert as JSON, in the order of Deliver, from a goroutine
// and a bounded queue of its own: a slow or dead receiver delays nobody. It is
// safe for concurrent use.
type Webhook struct {
	url       string
	userAgent string
	backoff   time.Duration
	timeout   time.Duration
	client    *http.Client
	log       *zap.Logger

	mu     sync.Mutex // guards closed, and the queue against Close
	closed bool
	queue  chan *alert.Alert

	cancel context.CancelFunc // ends the delivery in flight
	ended  chan struct{}      // closed when the goroutine has ended

	queued, sent, failed, dropped, retries atomic.Uint64
}

// NewWebhook makes a webhook and starts its goroutine, which Close ends. No
// error and no line of the log holds more of rawURL than scheme and host: the
// rest may be a secret.
func NewWebhook(rawURL string, opts WebhookOptions, log *zap.Logger) (*Webhook, error) {
	u, err := parseWebhookURL(rawURL)
	if err != nil {
		return nil, err
	}
	if opts.Backoff == 0 {
		opts.Backoff = webhookBackoff
	}
	if opts.Timeout == 0 {
		opts.Timeout = webhookTimeout
	}
	userAgent := "ipcwarden"
	if opts.Version != "" {
		userAgent += "/" + opts.Version
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &Webhook{
		url:       u.String(),
		userAgent: userAgent,
		backoff:   opts.Backoff,
		timeout:   opts.Timeout,
		client:    newWebhookClient(),
		log:       log.With(zap.String("webhook", u.Scheme+"://"+u.Host)),
		queue:     make(chan *alert.Alert, webhookQueue),
		cancel:    cancel,
		ended:     make(chan struct{}),
	}
	go w.run(ctx)
	return w, nil
}

// parseWebhookURL does not repeat the URL, and so not the parser's error either.
func parseWebhookURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, errors.New("webhook: the URL is malformed (it is not repeated here, as it may hold a secret)")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("webhook: the URL must begin with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("webhook: the URL has no host")
	}
	return u, nil
}

// newWebhookClient makes a client with connections of its own. It follows no
// redirect: an alert goes where the operator said, or nowhere.
func newWebhookClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Deliver puts a into the queue. It never blocks and never fails: where the
// queue is full, a is dropped, counted, and the log tells.
func (w *Webhook) Deliver(a *alert.Alert) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		w.dropped.Add(1)
		return nil
	}
	select {
	case w.queue <- a:
		w.queued.Add(1)
	default:
		w.dropped.Add(1)
	}
	return nil
}

// Counters is what became of the alerts so far.
func (w *Webhook) Counters() WebhookCounters {
	return WebhookCounters{
		Queued:  w.queued.Load(),
		Sent:    w.sent.Load(),
		Failed:  w.failed.Load(),
		Dropped: w.dropped.Load(),
		Retries: w.retries.Load(),
	}
}

// Status is what became of the alerts so far, and how many wait.
func (w *Webhook) Status() status.Sink {
	c := w.Counters()
	return status.Sink{
		Name: "webhook", Queue: len(w.queue), Capacity: cap(w.queue),
		Sent: c.Sent, Failed: c.Failed, Dropped: c.Dropped, Retries: c.Retries,
	}
}

// Close accepts no more alerts and delivers those that wait, until ctx ends.
// What is left then has failed, and the error says how much that is. No
// goroutine is left behind.
func (w *Webhook) Close(ctx context.Context) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	defer w.client.CloseIdleConnections()
	select {
	case <-w.ended:
		w.cancel()
		return nil
	case <-ctx.Done():
	}
	before := w.failed.Load()
	w.cancel()
	<-w.ended // soon: nothing waits for the network any more
	if left := w.failed.Load() - before; left > 0 {
		return fmt.Errorf("close webhook: %d alerts not delivered: %w", left, context.Cause(ctx))
	}
	return nil
}

func (w *Webhook) run(ctx context.Context) {
	defer close(w.ended)
	var reported uint64
	var last time.Time
	for a := range w.queue {
		w.deliver(ctx, a)
		if dropped := w.dropped.Load(); dropped > reported && time.Since(last) >= dropNotice {
			w.log.Warn("alerts dropped: the webhook's queue was full", zap.Uint64("alerts", dropped-reported))
			reported, last = dropped, time.Now()
		}
	}
	if dropped := w.dropped.Load(); dropped > reported {
		w.log.Warn("alerts dropped: the webhook's queue was full", zap.Uint64("alerts", dropped-reported))
	}
}
