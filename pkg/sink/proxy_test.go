package sink

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// proxy is one for HTTP: it forwards requests, and tunnels what is asked for by CONNECT.
type proxy struct {
	authorization string // that it wants; empty for none
	refuse        int    // status that it refuses with; 0 if it does not
	used          atomic.Int64
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case p.refuse != 0:
		w.WriteHeader(p.refuse)
	case p.authorization != "" && r.Header.Get("Proxy-Authorization") != p.authorization:
		w.WriteHeader(http.StatusProxyAuthRequired)
	case r.Method != http.MethodConnect:
		p.used.Add(1)
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, r)
	default:
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		p.used.Add(1)
		_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
		tunnel(here, there)
	}
}

// tunnel copies in both directions until one ends.
func tunnel(a, b net.Conn) {
	var group sync.WaitGroup
	group.Go(func() { _, _ = io.Copy(a, b); a.Close() })
	group.Go(func() { _, _ = io.Copy(b, a); b.Close() })
	group.Wait()
}

// socks is a proxy of SOCKS 5 without authentication (RFC 1928), for names and for
// addresses of IPv4.
func socks(t *testing.T, used *atomic.Int64) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	serve := func(here net.Conn) error {
		defer here.Close()
		b := make([]byte, 300)
		if _, err := io.ReadFull(here, b[:2]); err != nil {
			return err
		}
		if _, err := io.ReadFull(here, b[:b[1]]); err != nil { // methods
			return err
		}
		if _, err := here.Write([]byte{5, 0}); err != nil {
			return err
		}
		if _, err := io.ReadFull(here, b[:5]); err != nil { // version, command, 0, type, first byte of the address
			return err
		}
		length := 3
		if b[3] == 3 {
			length = int(b[4])
		}
		rest := b[5 : 5+length+2]
		if _, err := io.ReadFull(here, rest); err != nil {
			return err
		}
		host := string(rest[:length])
		if b[3] == 1 {
			host = net.IP(b[4:8]).String()
		}
		port := strconv.Itoa(int(binary.BigEndian.Uint16(rest[length:])))
		there, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			_, err = here.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
			return err
		}
		used.Add(1)
		if _, err := here.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
			return err
		}
		tunnel(here, there)
		return nil
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				if err := serve(conn); err != nil && !errors.Is(err, io.EOF) {
					t.Error(err)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// TestProxy goes by a proxy to receivers with and without TLS. A proxy that is in the way
// is no receiver that rejects an alert.
func TestProxy(t *testing.T) {
	ours := newAuthority(t)
	certificate, _, _ := ours.issue(nil)
	arrived := atomic.Int64{}
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) })
	plain := httptest.NewServer(handler)
	defer plain.Close()
	encrypted := httptest.NewUnstartedServer(handler)
	encrypted.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	encrypted.StartTLS()
	defer encrypted.Close()
	byName := func(url string) string { return strings.Replace(url, "127.0.0.1", "localhost", 1) }
	receivers := map[string]string{"http": byName(plain.URL), "https": byName(encrypted.URL)}

	start := func(p *proxy, encrypted bool) (url string) {
		server := httptest.NewUnstartedServer(p)
		if encrypted {
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
		return byName(server.URL)
	}
	deliver := func(receiver, proxy string) error {
		arrived.Store(0)
		return deliverOnce(t, hook(receiver+"/s3cret", func(s *Settings) {
			s.Webhook.Proxy, s.Webhook.TLS.CA = setting.NewSecret(proxy), ours.file
		}))
	}

	const authorization = "Basic b3BlcjpzM2NyZXQ=" // oper:s3cret
	with := func(url, user string) string { return strings.Replace(url, "://", "://"+user+"@", 1) }
	for scheme, receiver := range receivers {
		good, wants := &proxy{}, &proxy{authorization: authorization}
		secure := &proxy{}
		var bySocks atomic.Int64
		for name, c := range map[string]struct {
			url  string
			used *atomic.Int64
		}{
			"plain": {start(good, false), &good.used}, "with a password": {with(start(wants, false), "oper:s3cret"), &wants.used},
			"by TLS": {start(secure, true), &secure.used}, "socks": {"socks5://" + socks(t, &bySocks), &bySocks},
		} {
			t.Run(scheme+", "+name, func(t *testing.T) {
				if err := deliver(receiver, c.url); err != nil || arrived.Load() != 1 || c.used.Load() != 1 {
					t.Errorf("%v; %d alerts arrived, %d went by the proxy", err, arrived.Load(), c.used.Load())
				}
			})
		}
		for name, c := range map[string]struct{ url, problem string }{
			"wrong password": {with(start(wants, false), "oper:wr0ng-s3cret"), "the proxy answered 407 Proxy Authentication Required"},
			"not there":      {"http://127.0.0.1:1", "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused"},
			"unavailable":    {start(&proxy{refuse: http.StatusServiceUnavailable}, false), "answered 503 Service Unavailable"},
		} {
			t.Run(scheme+", "+name, func(t *testing.T) {
				err := deliver(receiver, c.url)
				judgeProblem(t, c.problem, err)
				if arrived.Load() != 0 || err != nil && strings.Contains(err.Error(), "s3cret") {
					t.Errorf("%d alerts arrived: %v", arrived.Load(), err)
				}
			})
		}
	}
	t.Run("refuses to connect", func(t *testing.T) {
		judgeProblem(t, "the proxy answered 403 Forbidden", deliver(receivers["https"], start(&proxy{refuse: http.StatusForbidden}, false)))
	})
	t.Run("finds nobody", func(t *testing.T) {
		judgeProblem(t, "the proxy answered 502 Bad Gateway", deliver("https://127.0.0.1:1", start(&proxy{}, false)))
	})
}
