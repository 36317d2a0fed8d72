package sink

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// authority issues certificates.
type authority struct {
	t           *testing.T
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	file        string // of its certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	var made tls.Certificate
	made, a.file, _ = a.issue(func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.DNSNames = true, true, x509.KeyUsageCertSign, nil
	})
	a.key, a.certificate = made.PrivateKey.(*ecdsa.PrivateKey), made.Leaf
	return a
}

// issue makes a certificate for a server or a client on this host, signed by itself if
// there is no authority yet, and writes it and its key to files.
func (a *authority) issue(change func(*x509.Certificate)) (made tls.Certificate, certificate, key string) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &private.PublicKey, signer)
	a.must(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	a.must(err)
	certificatePEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	dir := a.t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	a.must(os.WriteFile(certificate, certificatePEM, 0o600))
	a.must(os.WriteFile(key, keyPEM, 0o600))
	made, err = tls.X509KeyPair(certificatePEM, keyPEM)
	a.must(err)
	return made, certificate, key
}

func (a *authority) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func expired(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }

func elsewhere(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.example"} }

// tlsCase is a receiver that wants a client certificate, and a sink that has some.
type tlsCase struct {
	server  tls.Certificate
	sink    TLS
	problem string // what the error has to tell, a regular expression; empty if there is to be none
}

func tlsCases(t *testing.T) (serverTrusts *x509.CertPool, cases map[string]tlsCase) {
	ours, others := newAuthority(t), newAuthority(t)
	serverTrusts = x509.NewCertPool()
	serverTrusts.AddCert(ours.certificate)
	server, _, _ := ours.issue(nil)
	old, _, _ := ours.issue(expired)
	misnamed, _, _ := ours.issue(elsewhere)
	_, certificate, key := ours.issue(nil)
	_, oldCertificate, oldKey := ours.issue(expired)
	_, foreignCertificate, foreignKey := others.issue(nil)
	good := TLS{CA: ours.file, Certificate: certificate, Key: key}
	with := func(change func(*TLS)) TLS {
		s := good
		change(&s)
		return s
	}
	return serverTrusts, map[string]tlsCase{
		"good":                   {server, good, ""},
		"by another name":        {misnamed, with(func(s *TLS) { s.ServerName = "elsewhere.example" }), ""},
		"unknown authority":      {server, with(func(s *TLS) { s.CA = "" }), "certificate signed by unknown authority"},
		"another authority":      {server, with(func(s *TLS) { s.CA = others.file }), "certificate signed by unknown authority"},
		"expired":                {old, good, "certificate has expired"},
		"wrong name":             {misnamed, good, "certificate is valid for elsewhere.example, not localhost"},
		"no client certificate":  {server, TLS{CA: ours.file}, "tls: certificate required"},
		"client of another":      {server, with(func(s *TLS) { s.Certificate, s.Key = foreignCertificate, foreignKey }), "tls: unknown certificate authority"},
		"expired of the client":  {server, with(func(s *TLS) { s.Certificate, s.Key = oldCertificate, oldKey }), "tls: expired certificate"},
		"key of another":         {server, with(func(s *TLS) { s.Key = foreignKey }), "webhook.tls.certificate: tls: private key does not match public key"},
		"certificate that isn't": {server, with(func(s *TLS) { s.CA = key }), "webhook.tls.ca: " + key + " has no certificate in PEM"},
		"missing file":           {server, with(func(s *TLS) { s.CA = "/nowhere.pem" }), "webhook.tls.ca: open /nowhere.pem: no such file"},
	}
}

// judgeProblem compares what came of a delivery with what has to.
func judgeProblem(t *testing.T, problem string, err error) {
	t.Helper()
	var rejected *Rejected
	switch {
	case problem == "" && err != nil:
		t.Error(err)
	case problem != "" && (err == nil || !regexp.MustCompile(problem).MatchString(err.Error())):
		t.Errorf("error %v, want %s", err, problem)
	case errors.As(err, &rejected):
		t.Errorf("an alert is given up, but what is in the way can be mended: %v", err)
	}
}

// deliverOnce makes a sink and delivers an alert by it.
func deliverOnce(t *testing.T, s Settings) error {
	t.Helper()
	made, err := New(s, Environment{Host: "host.example"})
	if err != nil {
		return err
	}
	defer made.Close()
	return made.Deliver(context.Background(), []*Entry{entry(t, finding())})
}

func TestWebhookTLS(t *testing.T) {
	trusted, cases := tlsCases(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := 0
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.TLS != nil && len(r.TLS.PeerCertificates) == 1 {
					got++
				}
			}))
			server.TLS = &tls.Config{Certificates: []tls.Certificate{c.server}, ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			url := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/s3cret"
			err := deliverOnce(t, hook(url, func(s *Settings) { s.Webhook.TLS = c.sink }))
			problem := c.problem
			if strings.HasPrefix(problem, "tls: ") { // it may have closed before all was sent
				problem += "|perhaps because of the client certificate"
			}
			judgeProblem(t, problem, err)
			if want := c.problem == ""; (got == 1) != want {
				t.Errorf("%d requests got through", got)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error has the address: %v", err)
			}
		})
	}
}

// TestClientCertificateIsRenewed replaces the files between two connections.
func TestClientCertificateIsRenewed(t *testing.T) {
	a := newAuthority(t)
	server, _, _ := a.issue(nil)
	_, certificate, key := a.issue(expired)
	trusted := x509.NewCertPool()
	trusted.AddCert(a.certificate)
	receiver := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	receiver.TLS = &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert}
	receiver.Config.ErrorLog = log.New(io.Discard, "", 0)
	receiver.StartTLS()
	defer receiver.Close()
	url := strings.Replace(receiver.URL, "127.0.0.1", "localhost", 1)
	w := newSink(t, hook(url, func(s *Settings) { s.Webhook.TLS = TLS{CA: a.file, Certificate: certificate, Key: key} }), nil)
	judgeProblem(t, "tls: expired certificate|perhaps because of the client certificate", w.Deliver(context.Background(), []*Entry{entry(t, finding())}))
	_, freshCertificate, freshKey := a.issue(nil)
	a.must(os.Rename(freshCertificate, certificate))
	a.must(os.Rename(freshKey, key))
	judgeProblem(t, "", w.Deliver(context.Background(), []*Entry{entry(t, finding())}))
}

// TestSyslogTLS wants to hear of a refusal although the receiver's word comes after the
// handshake: with TLS 1.3 it looks at the client's certificate when that is over.
func TestSyslogTLS(t *testing.T) {
	trusted, cases := tlsCases(t)
	for name, c := range cases {
		for version, max := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
			t.Run(name+" by "+version, func(t *testing.T) {
				listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
					Certificates: []tls.Certificate{c.server}, ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: max,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer listener.Close()
				got := make(chan string, 1)
				go receiveSyslog(listener, got)
				_, port, _ := net.SplitHostPort(listener.Addr().String())
				err = deliverOnce(t, settings(KindSyslog, func(s *Settings) { s.Syslog.Address, s.Syslog.TLS = "tls://localhost:"+port, c.sink }))
				problem := strings.Replace(c.problem, "webhook.", "syslog.", 1)
				if max == tls.VersionTLS12 { // which has no alert of that name
					problem = strings.Replace(problem, "tls: certificate required", "remote error: tls: ", 1)
				}
				judgeProblem(t, problem, err)
				if c.problem != "" {
					return
				}
				if line := <-got; !strings.Contains(line, " host.example ipcwarden ") {
					t.Errorf("the receiver got %q", line)
				}
			})
		}
	}
}

// receiveSyslog takes one connection, and sends the first line of what it gets.
func receiveSyslog(listener net.Listener, got chan<- string) {
	conn, err := listener.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	length, err := bufio.NewReader(conn).ReadString('}')
	if err == nil {
		got <- length
	}
}

func TestSyslogRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() { // takes no more sessions
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	err = deliverOnce(t, settings(KindSyslog, func(s *Settings) { s.Syslog.Address = "tcp://" + listener.Addr().String() }))
	judgeProblem(t, "the receiver has closed the connection", err)
}
