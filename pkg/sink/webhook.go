package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

const contentJSON = "application/json"

// maxBatch bounds the alerts of one request.
const maxBatch = 1000

// Webhook is the settings of a receiver by HTTP.
type Webhook struct {
	URL         setting.Secret            `yaml:"url" example:"https://alerts.example/hook" doc:"address to post to; as file:PATH or env:NAME if it holds a secret"`
	Headers     map[string]setting.Secret `yaml:"headers" doc:"headers to add, each as text, file:PATH or env:NAME"`
	ContentType string                    `yaml:"content_type" doc:"content type of format template; only with one of JSON, application/json or another that ends in +json, are its values escaped for JSON"`
	Timeout     setting.Duration          `yaml:"timeout" doc:"time that one request may take"`
	Batch       int                       `yaml:"batch" doc:"number of alerts to send at a time, at most, as a JSON array; 1 sends each by itself, which slack, teams and pagerduty need"`
	Gzip        bool                      `yaml:"gzip" doc:"compress requests"`
	Proxy       setting.Secret            `yaml:"proxy" doc:"address of a proxy, http, https or socks5; that of the environment, HTTPS_PROXY and so on, without it"`
	SigningKey  setting.Secret            `yaml:"signing_key" example:"file:/etc/ipcwarden/signing-key" doc:"secret to sign requests with, as in docs/delivery.md"`
	RoutingKey  setting.Secret            `yaml:"routing_key" example:"file:/etc/ipcwarden/routing-key" doc:"integration key, for pagerduty"`
	TLS         TLS                       `yaml:"tls" doc:"certificates, for https"`
}

func (w *Webhook) setDefaults() {
	w.ContentType, w.Timeout, w.Batch = contentJSON, setting.Duration(10*time.Second), 1
}

// isJSON tells whether a template makes JSON.
func (w *Webhook) isJSON() bool {
	mediaType := mediaTypeOf(w.ContentType)
	return mediaType == contentJSON || len(mediaType) > 5 && mediaType[len(mediaType)-5:] == "+json"
}

func (w *Webhook) check(format string) error {
	errs := []error{
		setting.Under("url", w.checkURL()),
		setting.Under("proxy", setting.CheckURL(w.Proxy.Reveal(), "http", "https", "socks5")),
		setting.Under("tls", w.TLS.check()),
	}
	if w.Timeout <= 0 {
		errs = append(errs, setting.Under("timeout", errors.New("has to be more than 0s")))
	}
	r, isReady := readyTemplates[format]
	switch {
	case w.Batch < 1 || w.Batch > maxBatch:
		errs = append(errs, setting.Under("batch", fmt.Errorf("%d is not within 1 and %d", w.Batch, maxBatch)))
	case w.Batch > 1 && (isReady && r.batchType == "" || format == FormatTemplate && !w.isJSON()):
		errs = append(errs, setting.Under("batch", fmt.Errorf("receivers of format %s take one alert at a time", format)))
	}
	if r.needsKey && w.RoutingKey.IsZero() {
		errs = append(errs, setting.Under("routing_key", fmt.Errorf("is missing, which format %s needs", format)))
	}
	if !httpguts.ValidHeaderFieldValue(w.ContentType) || mediaTypeOf(w.ContentType) == "" {
		errs = append(errs, setting.Under("content_type", fmt.Errorf("%q is none", w.ContentType)))
	}
	for name, value := range w.Headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value.Reveal()) {
			errs = append(errs, setting.Under("headers", fmt.Errorf("%q or its value cannot be in a request", name)))
		}
	}
	return errors.Join(errs...)
}

// webhook posts alerts. Its errors have neither its address nor its headers in them.
type webhook struct {
	settings  Webhook
	userAgent string
	body      bodyMaker
	client    *http.Client
	transport *http.Transport
	asked     atomic.Bool // the receiver, for a client certificate
}

func newWebhook(s *Settings, env Environment) (*webhook, error) {
	body, err := newBodyMaker(s)
	if err != nil {
		return nil, err
	}
	w := &webhook{settings: s.Webhook, userAgent: "ipcwarden", body: body, transport: http.DefaultTransport.(*http.Transport).Clone()}
	if env.Version != "" {
		w.userAgent += "/" + env.Version
	}
	if w.transport.TLSClientConfig, err = s.Webhook.TLS.config(func() { w.asked.Store(true) }); err != nil {
		return nil, setting.Under("webhook", setting.Under("tls", err))
	}
	if proxy := s.Webhook.Proxy.Reveal(); proxy != "" {
		address, err := url.Parse(proxy)
		if err != nil {
			return nil, setting.Under("webhook", setting.Under("proxy", withoutURL(err)))
		}
		w.transport.Proxy = http.ProxyURL(address)
	}
	w.transport.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
		if response.StatusCode != http.StatusOK {
			return refusedByProxy(response)
		}
		return nil
	}
	w.client = &http.Client{
		Transport: w.transport,
		// An alert goes where the operator said, or nowhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w, nil
}

func (w *webhook) Batch() int { return w.settings.Batch }

func (w *webhook) Close() error {
	w.transport.CloseIdleConnections()
	return nil
}

func (w *webhook) Deliver(ctx context.Context, entries []*Entry) error {
	body, contentType, err := w.body.make(entries)
	if err != nil {
		return &Rejected{err}
	}
	ctx, cancel := context.WithTimeout(ctx, w.settings.Timeout.Duration())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.settings.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", withoutURL(err))
	}
	for name, value := range w.settings.Headers {
		request.Header.Set(name, value.Reveal())
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", w.userAgent)
	if w.settings.Gzip {
		request.Header.Set("Content-Encoding", "gzip")
	}
	id := idempotencyKey(entries)
	request.Header.Set("Idempotency-Key", id)
	if key := w.settings.SigningKey.Reveal(); key != "" {
		sign(request.Header, []byte(key), id, time.Now(), body)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return fmt.Errorf("send request: %w", w.explained(err))
	}
	defer response.Body.Close()
	// The answer is known. Ending the context ends a body that does not come.
	defer time.AfterFunc(drainTimeout, cancel).Stop()
	_, _ = io.CopyN(io.Discard, response.Body, drainBytes)
	if response.StatusCode == http.StatusProxyAuthRequired && w.proxied(request) {
		return refusedByProxy(response) // which a receiver does not see, let alone judge
	}
	return judge(response, time.Now())
}

// proxied tells whether a request goes by a proxy.
func (w *webhook) proxied(request *http.Request) bool {
	proxy, err := w.transport.Proxy(request)
	return proxy != nil && err == nil
}

func refusedByProxy(response *http.Response) error {
	return fmt.Errorf("the proxy answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
}

// explained is an error of package http without the address. A receiver that refuses the
// client certificate says so and closes, of which sometimes only the latter is seen.
func (w *webhook) explained(err error) error {
	err = withoutURL(err)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s: %w", w.settings.Timeout, err)
	}
	if w.asked.Load() && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)) {
		return fmt.Errorf("%w: perhaps because of the client certificate, for which the receiver asks", err)
	}
	return err
}

func (w *Webhook) checkURL() error {
	if w.URL.IsZero() {
		return errors.New("is missing")
	}
	return setting.CheckURL(w.URL.Reveal(), "http", "https")
}

// withoutURL takes off what package http wraps its errors in: method and URL.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
