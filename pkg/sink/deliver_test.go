package sink

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// settings are the defaults with some changes.
func settings(kind string, change func(*Settings)) Settings {
	var s Settings
	s.SetDefaults()
	s.Kind = kind
	if change != nil {
		change(&s)
	}
	return s
}

func newSink(t testing.TB, s Settings, out io.Writer) Sink {
	t.Helper()
	made, err := New(s, Environment{Stdout: out, Version: "1.2", Host: "host.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}

func entry(t testing.TB, a *alert.Alert) *Entry {
	t.Helper()
	e, err := NewEntry(a)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// hostile is an alert with a text wherever a process can put one.
func hostile(text string) *alert.Alert {
	e := event.Event{ID: event.Msgsnd, Args: [event.MaxArgs]uint64{1, 2, 3, 4}}
	e.Process = event.Process{HostPID: 7, UID: 8, Comm: text, Executable: text, HostName: text, ContainerID: text}
	var d event.Document
	e.Document(&d)
	group := map[string]any{"processName": text}
	return (&alert.Factory{Host: text}).FromFinding(&detect.Metadata{ID: "A", Title: text, Severity: detect.High, Description: text},
		detect.Finding{Evidence: map[string]any{"text": text, text: text}, Correlated: &detect.Correlated{Type: detect.EventCount, Count: 2, Group: group}}, &d)
}

var hostileTexts = []string{
	"a\nforged", "\r\n<34>1 2026-01-01T00:00:00Z x - - - - forged", "\x1b[2J\x9b31m", `","severity":"info","x":"`, `\`, `\"`, "\xff\xfe\xc0\x80",
	"<!channel>", "[a](http://x)", "{{.alert}}", "\u2028\u2029\u202e", "\x00", `"}]}`, "$(id)`id`", "]] x=\"y\"]", strings.Repeat("a\"", 5000),
}

// TestHostileLines: whatever the process says, an alert is one line of printable text.
func TestHostileLines(t *testing.T) {
	template := "{{.alert.severity}} {{get .alert \"event.processName\"}} {{.summary}} {{.title}} {{json .alert.evidence}} {{.alert.host | upper}}"
	for _, format := range []string{FormatJSON, FormatTable, FormatTemplate} {
		for _, text := range hostileTexts {
			var out bytes.Buffer
			s := settings(KindStdout, func(s *Settings) {
				if s.Format = format; format == FormatTemplate {
					s.Template = template
				}
			})
			if err := newSink(t, s, &out).Deliver(context.Background(), []*Entry{entry(t, hostile(text))}); err != nil {
				t.Fatal(err)
			}
			checkLine(t, format, out.String())
		}
	}
}

func checkLine(t *testing.T, what, line string) {
	t.Helper()
	if !strings.HasSuffix(line, "\n") || strings.Count(line, "\n") != 1 {
		t.Errorf("%s: not one line: %q", what, line)
	}
	if i := strings.IndexFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		t.Errorf("%s: a control character in %q", what, line)
	}
	if what == FormatJSON && !json.Valid([]byte(line)) {
		t.Errorf("no JSON: %s", line)
	}
}

// TestHostileTemplates compares the shape of what ready templates make of hostile and of
// harmless text: only strings may differ.
func TestHostileTemplates(t *testing.T) {
	for name := range readyTemplates {
		s := settings(KindWebhook, func(s *Settings) {
			s.Format, s.Webhook.URL, s.Webhook.RoutingKey = name, setting.NewSecret("http://x"), setting.NewSecret("key")
		})
		b, err := newBodyMaker(&s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body := func(text string) (tree any, plain string) {
			text2, _, err := b.make([]*Entry{entry(t, hostile(text))})
			if err != nil {
				t.Fatalf("%s of %q: %v", name, text, err)
			}
			if err := json.Unmarshal(text2, &tree); err != nil {
				t.Fatalf("%s of %q: %v in %s", name, text, err, text2)
			}
			return tree, string(text2)
		}
		harmless, _ := body("harmless")
		for _, text := range hostileTexts {
			tree, plain := body(text)
			if got, want := shape(tree), shape(harmless); got != want && name != "pagerduty" && name != "cloudevents" { // those have the evidence, whose key is hostile
				t.Errorf("%s of %q has the shape\n%s\nand not\n%s", name, text, got, want)
			}
			if name == "slack" && strings.Contains(plain, "<!channel>") {
				t.Errorf("%s mentions a channel", plain)
			}
		}
	}
}

// shape is JSON without what is in its strings.
func shape(tree any) string {
	switch v := tree.(type) {
	case string:
		return "s"
	case map[string]any:
		var b strings.Builder
		for _, key := range sortedKeys(v) {
			b.WriteString(strconv.Quote(key) + ":" + shape(v[key]) + ",")
		}
		return "{" + b.String() + "}"
	case []any:
		var b strings.Builder
		for _, element := range v {
			b.WriteString(shape(element) + ",")
		}
		return "[" + b.String() + "]"
	default:
		return "v"
	}
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	for i := range keys { // few
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

func FuzzTemplateData(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	text := `{"a": "x {{.alert.host}} \" {{get .alert "event.processName" | mrkdwn}}", "b": {{.alert.evidence}}, "c": [{{range $k, $v := .alert.evidence}}"{{$k}}={{$v}}", {{end}}0],
		"d": {{.summary}}, "e": "{{.title | markdown | truncate 20}}"}`
	asJSON, err := parseTemplate("fuzz", text, escapeJSON, "")
	if err != nil {
		f.Fatal(err)
	}
	asLine, err := parseTemplate("fuzz", "{{.alert.host}} {{.alert.evidence}} {{.summary}} {{printable .title}}", escapeLine, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := entry(t, hostile(text))
		b, err := asJSON.append(nil, e)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var tree map[string]any
		if err := json.Unmarshal(b, &tree); err != nil || len(tree) != 5 {
			t.Fatalf("%q gives %s: %v", text, b, err)
		}
		if b, err = asLine.append(nil, e); err != nil {
			t.Fatal(err)
		}
		checkLine(t, FormatTemplate, string(b)+"\n")
		if m := message(t, text); m.Message == nil || *m.Hostname != "host.example" {
			t.Errorf("message %+v", m)
		}
	})
}

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
	if bytes.ContainsAny(b, "\r\n\x00\x1b") {
		t.Errorf("a control character in %q", b)
	}
	m, err := rfc5424.NewParser().Parse(b)
	if err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	return m.(*rfc5424.SyslogMessage)
}

func TestTemplateErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "empty",
		`{"a": "{{.x}`:                       "template",
		`{"a": {{if .x}}"{{else}}1{{end}}}`:  "one branch only",
		`{"a": "{{range .x}}"{{end}}`:        "one branch only",
		`{"a": "b}`:                          "does not end",
		`{{define "y"}}1{{end}}{}`:           "cannot define",
		`{{template "x"}}`:                   "",
		`{"a": {{break}}}`:                   "break",
		`{"a" {{.alert}}}`:                   "no JSON",
		`{"a": {{.alert.signature.id.x.y}}}`: "of an alert of type",
		`{"a": {{nope}}}`:                    "nope",
	} {
		if _, err := parseTemplate("x", text, escapeJSON, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
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

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "alerts.json")
	f := newSink(t, settings(KindFile, func(s *Settings) { s.File.Path, s.File.MaxBytes, s.File.Keep = path, mebibyte, 2 }), nil)
	e := entry(t, finding())
	for range 4 * mebibyte / len(e.JSON) {
		if err := f.Deliver(context.Background(), []*Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	files := func() []string {
		list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for range 100 { // old ones are removed beside
		if len(files()) == 3 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(files()) != 3 {
		t.Errorf("files: %v", files())
	}
	for _, name := range files() {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			if !bytes.Equal(bytes.TrimSuffix(line, []byte("\n")), e.JSON) {
				t.Fatalf("%s has the line %s", name, line)
			}
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 || info.Size() > mebibyte {
			t.Errorf("%s: %v, mode %v, %d bytes", name, err, info.Mode(), info.Size())
		}
	}
}

// TestFullFile writes to a file that may not grow beyond a size: no part of a line stays.
func TestTornLines(t *testing.T) {
	w := &short{room: 100}
	s := newSink(t, settings(KindStdout, nil), w)
	e := entry(t, finding())
	if err := s.Deliver(context.Background(), []*Entry{e}); err == nil {
		t.Error("no error")
	}
	w.room = 1 << 20
	if err := s.Deliver(context.Background(), []*Entry{e}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(w.String(), "\n")
	if len(lines) != 3 || lines[1] != string(e.JSON) {
		t.Errorf("lines %q", lines)
	}
}

// short takes so many bytes and no more.
type short struct {
	strings.Builder
	room int
}

func (s *short) Write(b []byte) (int, error) {
	n := min(len(b), s.room)
	s.room -= n
	s.Builder.Write(b[:n])
	if n < len(b) {
		return n, errors.New("full")
	}
	return n, nil
}

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

func TestValidate(t *testing.T) {
	url := "http://x"
	for want, s := range map[string]Settings{
		`kind: "" is none`:                   settings("", nil),
		`format: there is no format "x"`:     settings(KindStdout, func(s *Settings) { s.Format = "x" }),
		"format: slack is for webhooks":      settings(KindStdout, func(s *Settings) { s.Format = "slack" }),
		"format: table is for people":        hook(url, func(s *Settings) { s.Format = FormatTable }),
		"template: the template is empty":    settings(KindStdout, func(s *Settings) { s.Format = FormatTemplate }),
		"template: is used with":             settings(KindStdout, func(s *Settings) { s.Template = "x" }),
		"webhook.url: is missing":            hook("", nil),
		"webhook.url: the URL must begin":    hook("ftp://x/s3cret", nil),
		"webhook.routing_key: is missing":    hook(url, func(s *Settings) { s.Format = "pagerduty" }),
		"webhook.batch: 0 is not":            hook(url, func(s *Settings) { s.Webhook.Batch = 0 }),
		"webhook.batch: receivers of format": hook(url, func(s *Settings) { s.Format, s.Webhook.Batch = "slack", 2 }),
		"webhook.headers: ":                  hook(url, func(s *Settings) { s.Webhook.Headers = map[string]setting.Secret{"a": setting.NewSecret("s3cret\r\n")} }),
		"webhook.tls.certificate: ":          hook(url, func(s *Settings) { s.Webhook.TLS.Key = "/x" }),
		"webhook.proxy: the URL":             hook(url, func(s *Settings) { s.Webhook.Proxy = setting.NewSecret("s3cret") }),
		"file.path: ":                        settings(KindFile, func(s *Settings) { s.File.Path = "x" }),
		"file.max_bytes: ":                   settings(KindFile, func(s *Settings) { s.File.Path, s.File.MaxBytes = "/x", 5 }),
		"syslog.address: ":                   settings(KindSyslog, func(s *Settings) { s.Syslog.Address = "x" }),
		"syslog.facility: ":                  settings(KindSyslog, func(s *Settings) { s.Syslog.Facility = "x" }),
	} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
