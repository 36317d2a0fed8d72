package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// Syslog is the settings of a receiver of RFC 5424.
type Syslog struct {
	Address  string           `yaml:"address" doc:"where to send: unix:///dev/log, udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"`
	Facility string           `yaml:"facility" enum:"daemon,auth,authpriv,local0,local1,local2,local3,local4,local5,local6,local7" doc:"facility of the messages"`
	Timeout  setting.Duration `yaml:"timeout" doc:"time that connecting, and sending one message, may take"`
	TLS      TLS              `yaml:"tls" doc:"certificates, for tls"`
}

func (s *Syslog) setDefaults() {
	s.Address, s.Facility, s.Timeout = "unix:///dev/log", "authpriv", setting.Duration(10*time.Second)
}

// facilities are the numbers of RFC 5424, 6.2.1.
var facilities = map[string]uint8{
	"daemon": 3, "auth": 4, "authpriv": 10,
	"local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
}

// syslogSeverities are the numbers of RFC 5424, 6.2.1.
var syslogSeverities = [...]uint8{detect.Info: 6, detect.Low: 5, detect.Medium: 4, detect.High: 3, detect.Critical: 2}

// defaultPorts are those of RFC 5426, RFC 6587 and RFC 5425.
var defaultPorts = map[string]string{"udp": "514", "tcp": "601", "tls": "6514"}

func (s *Syslog) check() error {
	var errs []error
	if _, _, err := s.target(); err != nil {
		errs = append(errs, setting.Under("address", err))
	}
	if _, known := facilities[s.Facility]; !known {
		errs = append(errs, setting.Under("facility", fmt.Errorf("there is no facility %q", s.Facility)))
	}
	if s.Timeout <= 0 {
		errs = append(errs, setting.Under("timeout", errors.New("has to be more than 0s")))
	}
	return errors.Join(append(errs, setting.Under("tls", s.TLS.check()))...)
}

// target takes the address apart.
func (s *Syslog) target() (network, address string, err error) {
	u, err := url.Parse(s.Address)
	if err != nil {
		return "", "", fmt.Errorf("%q is malformed", s.Address)
	}
	port, known := defaultPorts[u.Scheme]
	switch {
	case u.Scheme == "unix" && u.Host == "" && u.Path != "":
		return u.Scheme, u.Path, nil
	case !known || u.Hostname() == "" || u.Path != "" && u.Path != "/":
		return "", "", fmt.Errorf("%q is none of unix:///PATH, udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT", s.Address)
	case u.Port() != "":
		port = u.Port()
	}
	return u.Scheme, net.JoinHostPort(u.Hostname(), port), nil
}

// syslog sends each alert as a message. What a peer has taken over TCP and lost is lost:
// the protocol knows no acknowledgement.
type syslog struct {
	settings         Syslog
	network, address string
	tls              *tls.Config
	host             string
	render           render
	conn             net.Conn
	stream           bool       // conn has no bounds of messages
	ended            chan error // of a stream: why it has ended, once it has
}

func newSyslog(s *Settings, env Environment) (*syslog, error) {
	l := &syslog{settings: s.Syslog, host: env.Host}
	var err error
	if l.network, l.address, err = s.Syslog.target(); err != nil {
		return nil, err
	}
	if l.tls, err = s.Syslog.TLS.config(nil); err != nil {
		return nil, setting.Under("syslog", setting.Under("tls", err))
	}
	l.render, err = s.line(false)
	return l, err
}

func (l *syslog) Batch() int { return 1 }

func (l *syslog) Close() error {
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close()
	l.conn = nil
	return err
}

func (l *syslog) Deliver(ctx context.Context, entries []*Entry) error {
	ctx, cancel := context.WithTimeout(ctx, l.settings.Timeout.Duration())
	defer cancel()
	if l.conn != nil && l.hasEnded() != nil {
		_ = l.Close() // it is gone anyhow
	}
	if l.conn == nil {
		if err := l.connect(ctx); err != nil {
			return fmt.Errorf("connect to %s: %w", l.settings.Address, err)
		}
	}
	conn := l.conn
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	for _, e := range entries {
		message, err := l.message(e)
		if err != nil {
			return &Rejected{err}
		}
		if _, err = conn.Write(message); err != nil {
			if errors.Is(err, syscall.EMSGSIZE) {
				return &Rejected{fmt.Errorf("send %d bytes: %w", len(message), err)}
			}
			_ = l.Close() // where the next message would begin, nobody knows
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

// refusalTime is how long a receiver has at least, after it has let us connect, to say
// that it will not have us.
const refusalTime = 50 * time.Millisecond

func (l *syslog) connect(ctx context.Context) (err error) {
	var dialer net.Dialer
	begin := time.Now()
	l.stream, l.ended = false, nil
	switch l.network {
	case "unix": // a datagram socket nearly everywhere
		if l.conn, err = dialer.DialContext(ctx, "unixgram", l.address); err == nil || !errors.Is(err, syscall.EPROTOTYPE) {
			return err
		}
		l.conn, err = dialer.DialContext(ctx, "unix", l.address)
	case "udp":
		l.conn, err = dialer.DialContext(ctx, "udp", l.address)
		return err
	case "tls":
		l.conn, err = (&tls.Dialer{Config: l.tls}).DialContext(ctx, "tcp", l.address)
	default:
		l.conn, err = dialer.DialContext(ctx, "tcp", l.address)
	}
	if err != nil {
		l.conn = nil
		return err
	}
	l.stream = true
	l.ended = make(chan error, 1)
	// Receivers say nothing: what ends the reading is the end of the connection.
	go func(conn net.Conn, ended chan<- error) {
		_, err := io.Copy(io.Discard, conn)
		if err == nil {
			err = errors.New("the receiver has closed the connection")
		}
		ended <- err
	}(l.conn, l.ended)
	if l.network == "unix" {
		return nil
	}
	// With TLS 1.3 we are done before the receiver looks at our certificate, and without
	// TLS the kernel accepts for it. What we write to one that refuses is lost in silence.
	select {
	case err = <-l.ended:
	case <-time.After(max(refusalTime, time.Since(begin))):
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		_ = l.Close() // it is of no use
	}
	return err
}

// hasEnded tells why a stream has ended; nil if it has not.
func (l *syslog) hasEnded() error {
	select {
	case err := <-l.ended:
		return err
	default:
		return nil
	}
}

// enterprise is the number that RFC 5612 reserves for documentation: ipcwarden has none.
const enterprise = "32473"

// message is an entry as RFC 5424 has it; in a stream its length stands before it
// (RFC 6587, 3.4.1).
func (l *syslog) message(e *Entry) ([]byte, error) {
	text, err := l.render(nil, e)
	if err != nil {
		return nil, err
	}
	a := e.Alert
	severity := syslogSeverities[min(int(a.Severity), len(syslogSeverities)-1)]
	const element = "ipcwarden@" + enterprise
	m := &rfc5424.SyslogMessage{}
	m.SetPriority(facilities[l.settings.Facility]*8 + severity)
	m.SetVersion(1)
	m.SetTimestamp(a.Time.UTC().Format(rfc5424.RFC3339MICRO))
	m.SetHostname(l.host)
	m.SetAppname("ipcwarden")
	m.SetProcID(strconv.Itoa(os.Getpid()))
	m.SetMsgID(string(a.Type))
	m.SetParameter(element, "id", a.ID)
	m.SetParameter(element, "severity", a.Severity.String())
	if a.Signature != nil {
		m.SetParameter(element, "signature", a.Signature.ID)
	}
	m.SetMessage(string(text))
	line, err := m.String()
	if err != nil {
		return nil, fmt.Errorf("write alert %s as RFC 5424 has it: %w", a.ID, err)
	}
	if !l.stream {
		return []byte(line), nil
	}
	return slices.Concat([]byte(strconv.Itoa(len(line))), []byte{' '}, []byte(line)), nil
}
