package sink

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// request is what a receiver got.
type request struct {
	header http.Header
	body   []byte
}

func capture(t *testing.T, status int) (url string, got *[]request) {
	got = new([]request)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*got = append(*got, request{r.Header, body})
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func hook(url string, change func(*Settings)) Settings {
	return settings(KindWebhook, func(s *Settings) {
		s.Webhook.URL = setting.NewSecret(url)
		if change != nil {
			change(s)
		}
	})
}

func TestWebhookRequest(t *testing.T) {
	url, got := capture(t, http.StatusNoContent)
	key := "whsec-key"
	w := newSink(t, hook(url, func(s *Settings) {
		s.Webhook.Headers = map[string]setting.Secret{"Authorization": setting.NewSecret("Bearer t0ken")}
		s.Webhook.Gzip, s.Webhook.Batch, s.Webhook.SigningKey = true, 10, setting.NewSecret(key)
	}), nil)
	a, b := entry(t, finding()), entry(t, gap())
	for _, entries := range [][]*Entry{{a}, {a, b}} {
		if err := w.Deliver(context.Background(), entries); err != nil {
			t.Fatal(err)
		}
	}
	r := (*got)[1]
	unpacked, err := gzip.NewReader(bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(unpacked)
	if want := "[" + string(a.JSON) + "," + string(b.JSON) + "]"; err != nil || string(body) != want {
		t.Errorf("%v, body %s", err, body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Content-Encoding": "gzip", "Authorization": "Bearer t0ken", "User-Agent": "ipcwarden/1.2",
		"Idempotency-Key": idempotencyKey([]*Entry{a, b}), "Webhook-Id": idempotencyKey([]*Entry{a, b}),
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if (*got)[0].header.Get("Idempotency-Key") != a.Alert.ID {
		t.Errorf("one alert has the key %s", (*got)[0].header.Get("Idempotency-Key"))
	}
	for _, r := range *got {
		check := http.Header{}
		seconds, err := strconv.ParseInt(r.header.Get("Webhook-Timestamp"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sign(check, []byte(key), r.header.Get("Webhook-Id"), time.Unix(seconds, 0), r.body)
		if got, want := r.header.Get("Webhook-Signature"), check.Get("Webhook-Signature"); got != want || time.Since(time.Unix(seconds, 0)) > time.Minute {
			t.Errorf("signature %s, want %s", got, want)
		}
	}
}

// TestSign is the example of Standard Webhooks, whose secret is MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
// in base64.
func TestSign(t *testing.T) {
	header := http.Header{}
	key := []byte{0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0}
	sign(header, key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got, want := header.Get("Webhook-Signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnswers(t *testing.T) {
	for status, want := range map[int]string{
		200: "taken", 202: "taken", 204: "taken", 299: "taken", 301: "again", 307: "again", 400: "rejected", 401: "rejected", 404: "rejected",
		408: "again", 413: "rejected", 425: "again", 429: "again", 500: "again", 503: "again", 599: "again",
	} {
		url, _ := capture(t, status)
		err := newSink(t, hook(url, nil), nil).Deliver(context.Background(), []*Entry{entry(t, gap())})
		got := "again"
		var rejected *Rejected
		switch {
		case err == nil:
			got = "taken"
		case errors.As(err, &rejected):
			got = "rejected"
		}
		if got != want {
			t.Errorf("%d: %s, want %s: %v", status, got, want, err)
		}
		if err != nil && strings.Contains(err.Error(), url) {
			t.Errorf("the error has the address: %v", err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "999999": maxRetryAfter, "-1": 0, "x": 0,
		"Wed, 06 May 2026 07:08:39 GMT": 30 * time.Second, "Wed, 06 May 2026 07:00:00 GMT": 0, "Wed, 06 May 2036 07:00:00 GMT": maxRetryAfter,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}
