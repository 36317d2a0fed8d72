package deliver

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// TestWay has what lies between a sink and its receiver refuse at first: alerts wait for
// it, none is given up, and the reason can be read meanwhile.
func TestWay(t *testing.T) {
	const alerts, refusals = 10, 3
	var left atomic.Int64 // refusals
	inTheWay := func() bool { return left.Add(-1) >= 0 }

	r := newReceiver(t, nil)
	encrypted := httptest.NewUnstartedServer(r)
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	encrypted.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		config := encrypted.TLS.Clone()
		config.GetConfigForClient = nil
		if inTheWay() {
			config.ClientAuth = tls.RequireAnyClientCert // there is none
		}
		return config, nil
	}}
	encrypted.StartTLS()
	defer func() { encrypted.CloseClientConnections(); encrypted.Close() }()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if inTheWay() {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, request)
	}))
	defer proxy.Close()

	byTLS, byProxy := webhook(encrypted.URL), webhook(r.URL)
	byTLS.Webhook.TLS.CA = ca
	byProxy.Webhook.Proxy = setting.NewSecret(proxy.URL)
	for name, c := range map[string]struct {
		settings sink.Settings
		problem  string
	}{
		"client certificate": {byTLS, "certificate"},
		"proxy":              {byProxy, "the proxy answered 407 Proxy Authentication Required"},
	} {
		t.Run(name, func(t *testing.T) {
			r.mu.Lock()
			r.numbers, r.seen = nil, map[string]bool{}
			r.mu.Unlock()
			left.Store(refusals)
			d, logs := start(t, Settings{Sinks: map[string]sink.Settings{"hook": c.settings}, Retry: quick()}, nil)
			deliverAll(t, d, r, alerts)
			if s := d.Counters().Sinks["hook"]; s.Sent != alerts || s.Rejected != 0 || s.Retries != refusals {
				t.Errorf("counters %+v", s)
			}
			failed := logs.FilterMessageSnippet("alerts wait").All()
			if len(failed) != 1 || !strings.Contains(failed[0].ContextMap()["error"].(string), c.problem) {
				t.Errorf("log %v, want %s", failed, c.problem)
			}
		})
	}
}
