package sink

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// bodyMaker makes the bodies of requests.
type bodyMaker struct {
	render      render
	contentType string // of one alert
	arrayType   string // of several
	array       bool   // also one alert is sent as an array
	gzip        bool
}

func newBodyMaker(s *Settings) (bodyMaker, error) {
	b := bodyMaker{
		render: appendJSON, contentType: contentJSON, arrayType: contentJSON,
		array: s.Webhook.Batch > 1, gzip: s.Webhook.Gzip,
	}
	if r, isReady := readyTemplates[s.Format]; isReady {
		text, err := readyTemplate(s.Format)
		if err != nil {
			return b, err
		}
		t, err := parseTemplate(s.Format, text, escapeJSON, s.Webhook.RoutingKey.Reveal())
		if err != nil {
			return b, err
		}
		b.render, b.contentType, b.arrayType = t.append, r.contentType, r.batchType
		b.array = b.array || r.alwaysArray
	}
	if s.Format == FormatTemplate {
		t, err := s.parseTemplate()
		if err != nil {
			return b, err
		}
		b.render, b.contentType, b.arrayType = t.append, s.Webhook.ContentType, s.Webhook.ContentType
	}
	return b, nil
}

func (b *bodyMaker) make(entries []*Entry) (body []byte, contentType string, err error) {
	contentType = b.contentType
	if b.array {
		contentType = b.arrayType
		body = append(body, '[')
	}
	for i, e := range entries {
		if i > 0 {
			body = append(body, ',')
		}
		if body, err = b.render(body, e); err != nil {
			return nil, "", fmt.Errorf("alert %s: %w", e.Alert.ID, err)
		}
	}
	if b.array {
		body = append(body, ']')
	}
	if b.gzip {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(body); err != nil {
			return nil, "", err
		}
		if err := w.Close(); err != nil {
			return nil, "", err
		}
		body = packed.Bytes()
	}
	return body, contentType, nil
}

// idempotencyKey is the id of an alert, and a hash of those of several: the same for
// the same alerts.
func idempotencyKey(entries []*Entry) string {
	if len(entries) == 1 {
		return entries[0].Alert.ID
	}
	h := sha256.New()
	for _, e := range entries {
		_, _ = h.Write([]byte(e.Alert.ID + "\n")) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// sign signs a body as Standard Webhooks does: receivers need no code for ipcwarden.
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
func sign(header http.Header, key []byte, id string, now time.Time, body []byte) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + timestamp + ".")) // a hash takes everything
	_, _ = mac.Write(body)
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", timestamp)
	header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// mediaTypeOf is a content type without its parameters; "" if it is none.
func mediaTypeOf(contentType string) string {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return mediaType
}
