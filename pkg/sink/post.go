package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
)

const (
	// An answer's body says nothing to us. It is read, within bounds, so that
	// the connection can be used again.
	drainBytes   = 64 << 10
	drainTimeout = time.Second

	// maxRetryAfter bounds how long the receiver can make us wait.
	maxRetryAfter = 30 * time.Second
)

// errStatus is an answer other than 2xx.
type errStatus struct {
	code       int
	retryAfter time.Duration
}

func (e *errStatus) Error() string {
	text := http.StatusText(e.code)
	if e.code >= 300 && e.code < 400 {
		text += ": redirects are not followed"
	}
	return fmt.Sprintf("answered %d %s", e.code, text)
}

// deliver tries until a is acknowledged, refused for good, or given up.
func (w *Webhook) deliver(ctx context.Context, a *alert.Alert) {
	err := w.try(ctx, a)
	switch {
	case err == nil:
		w.sent.Add(1)
	case ctx.Err() != nil: // Close tells of it
		w.failed.Add(1)
	default:
		w.failed.Add(1)
		w.log.Error("alert not delivered", zap.String("alert", a.ID), zap.Error(err))
	}
}

func (w *Webhook) try(ctx context.Context, a *alert.Alert) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	body, err := encode(a)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := w.post(ctx, a.ID, body)
		if err == nil || try == webhookTries || !worthRetrying(err) {
			return err
		}
		w.log.Debug("alert not delivered yet", zap.String("alert", a.ID), zap.Int("try", try), zap.Error(err))
		if err := wait(ctx, w.pause(try, err)); err != nil {
			return err
		}
		w.retries.Add(1)
	}
}

func encode(a *alert.Alert) ([]byte, error) {
	var b bytes.Buffer
	if err := NewJSON(&b).Deliver(a); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// post makes one try. Its errors do not have the URL.
func (w *Webhook) post(ctx context.Context, id string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", withoutURL(err))
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", w.userAgent)
	request.Header.Set("Idempotency-Key", id)
	response, err := w.client.Do(request)
	if err != nil {
		return fmt.Errorf("send request: %w", withoutURL(err))
	}
	defer response.Body.Close()
	// The answer is known. Ending the context ends a body that does not come.
	defer time.AfterFunc(drainTimeout, cancel).Stop()
	_, _ = io.CopyN(io.Discard, response.Body, drainBytes)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return &errStatus{response.StatusCode, retryAfter(response.Header)}
	}
	return nil
}

// withoutURL takes off what package http wraps its errors in: method and URL.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// retryAfter is the wait that the receiver asks for in seconds, 0 for none; a
// date, the header's other form, is not honoured.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.ParseUint(header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}

// worthRetrying tells whether the same request may succeed later: after a
// network error, and where the receiver says so.
func worthRetrying(err error) bool {
	var status *errStatus
	if !errors.As(err, &status) {
		return true
	}
	switch status.code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return status.code >= 500
	}
}

// pause is how long to wait after the try-th failure, from 1: between half and
// one and a half of a time that doubles, so that many hosts do not come back at
// the same moment, and at least what the receiver asks for.
func (w *Webhook) pause(try int, err error) time.Duration {
	mean := w.backoff << (try - 1)
	pause := mean/2 + rand.N(mean)
	var status *errStatus
	if errors.As(err, &status) {
		pause = max(pause, status.retryAfter)
	}
	return pause
}

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
