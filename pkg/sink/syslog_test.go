package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
)

func message(t testing.TB, text string) *rfc5424.SyslogMessage {
	t.Helper()
	s := settings(KindSyslog, nil)
	l, err := newSyslog(&s, Environment{Host: "host.example"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.message(entry(t, hostile(text)))
	if err != nil {
		t.Fatal(err)
	}
	checkPrintable(t, "syslog", string(b))
	m, err := rfc5424.NewParser().Parse(b)
	if err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	return m.(*rfc5424.SyslogMessage)
}

func TestSyslogMessage(t *testing.T) {
	m := message(t, "x")
	if *m.Priority != 10*8+3 || *m.Appname != "ipcwarden" || *m.MsgID != "finding" || (*m.StructuredData)["ipcwarden@32473"]["signature"] != "A" {
		t.Errorf("%+v %+v", m, *m.StructuredData)
	}
	if !json.Valid([]byte(*m.Message)) {
		t.Errorf("no JSON: %s", *m.Message)
	}
	for _, text := range hostileTexts {
		message(t, text)
	}
}

// TestSyslogNetworks receives over each network; a stream has the length before each
// message, and a connection that was closed is made again.
func TestSyslogNetworks(t *testing.T) {
	dir := t.TempDir()
	packets := map[string]string{"udp": "127.0.0.1:0", "unixgram": filepath.Join(dir, "dgram")}
	for network, address := range packets {
		conn, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		target := "udp://" + conn.LocalAddr().String()
		if network == "unixgram" {
			target = "unix://" + address
		}
		l := newSink(t, settings(KindSyslog, func(s *Settings) { s.Syslog.Address = target }), nil)
		for range 2 {
			if err := l.Deliver(context.Background(), []*Entry{entry(t, finding())}); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 64<<10)
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, _, err := conn.ReadFrom(b)
			if err != nil || !bytes.HasPrefix(b[:n], []byte("<83>1 2024-05-06T09:08:07")) {
				t.Errorf("%s: %v %q", network, err, b[:n])
			}
		}
	}
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(dir, "stream")} {
		listener, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		target := "tcp://" + listener.Addr().String()
		if network == "unix" {
			target = "unix://" + address
		}
		l := newSink(t, settings(KindSyslog, func(s *Settings) { s.Syslog.Address = target }), nil)
		for range 2 { // each on a connection of its own
			for range 2 {
				deliverSoon(t, l, finding())
			}
			conn, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			b := make([]byte, 1<<20)
			n := 0
			for range 2 {
				m, err := io.ReadAtLeast(conn, b[n:], 1)
				if err != nil {
					t.Fatal(err)
				}
				n += m
				if bytes.Count(b[:n], []byte("<83>1 ")) == 2 {
					break
				}
			}
			if !regexp.MustCompile(`^\d+ <83>1 2024`).Match(b[:n]) || bytes.Count(b[:n], []byte("<83>1 ")) != 2 {
				t.Errorf("%s: %q", network, b[:n])
			}
			conn.Close()
			time.Sleep(50 * time.Millisecond) // until the other end sees that
		}
	}
}

// deliverSoon tries until it works, as package deliver does.
func deliverSoon(t *testing.T, s Sink, a *alert.Alert) {
	t.Helper()
	var err error
	for range 100 {
		if err = s.Deliver(context.Background(), []*Entry{entry(t, a)}); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(err)
}
