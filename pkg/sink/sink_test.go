package sink

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// writes counts the calls of Write.
type writes struct {
	strings.Builder
	count int
	err   error
}

func (w *writes) Write(b []byte) (int, error) {
	w.count++
	if w.err != nil {
		return 0, w.err
	}
	return w.Builder.Write(b)
}

func factory() *alert.Factory { return &alert.Factory{Host: "host"} }

// finding is an alert of a hostile process.
func finding() *alert.Alert {
	e := event.Event{ID: event.Msgrcv, Args: [event.MaxArgs]uint64{3, 0x1000, 8, 0, 0o44000}, Return: 5,
		TimeNS: time.Date(2024, 5, 6, 9, 8, 7, 0, time.UTC).UnixNano(), DurationNS: 654321000}
	e.Process = event.Process{HostPID: 7, UID: 8, Comm: "a\n\x1b[2J", Executable: "/tmp/\xff x", ContainerID: strings.Repeat("ab", 32)}
	var d event.Document
	e.Document(&d)
	meta := &detect.Metadata{ID: "copied-message", Title: `Copied "<message>"`, Severity: detect.High}
	evidence := map[string]any{"text": "a\nb\u009b", "list": []any{"<\u202e\n", 1}, "b c": nil}
	return factory().FromFinding(meta, detect.Finding{Evidence: evidence}, &d)
}

func gap() *alert.Alert {
	from := time.Date(2024, 5, 6, 9, 8, 6, 654321000, time.UTC)
	return factory().FromGap(alert.Gap{From: from, To: from.Add(time.Second), Count: 3, Cause: "ring full", Hook: "tracepoint"})
}

func TestJSON(t *testing.T) {
	var w writes
	s := newSink(t, settings(KindStdout, nil), &w)
	if err := s.Deliver(t.Context(), []*Entry{entry(t, finding()), entry(t, gap())}); err != nil {
		t.Fatal(err)
	}
	out := w.String()
	if w.count != 2 || strings.Count(out, "\n") != 2 || !strings.HasSuffix(out, "\n") {
		t.Errorf("%d writes of %q, want one line each", w.count, out)
	}
	if !strings.Contains(out, `<message>`) {
		t.Errorf("HTML is escaped: %s", out)
	}
	for line := range strings.Lines(out) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestTable(t *testing.T) {
	var w writes
	s := NewTable(&w, false)
	for _, a := range []*alert.Alert{finding(), gap()} {
		if err := s.Deliver(a); err != nil {
			t.Fatal(err)
		}
	}
	want := `2024-05-06T09:08:07.654Z high     copied-message "Copied \"<message>\"" "a\n\x1b[2J"[7] uid=8 exe="/tmp/` + "\ufffd" + ` x" container=abababababab ` +
		`msgrcv(msqid=3, msgp=0x1000, msgsz=8, msgtyp=0, msgflg=IPC_NOWAIT|MSG_COPY) = 5 {"b c": null, list: ["<\u202e\n",1], text: "a\nb\u009b"}` + "\n" +
		"2024-05-06T09:08:07.654Z medium   gap 3 calls lost in 1s by tracepoint: ring full\n"
	if got := w.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if w.count != 2 {
		t.Errorf("%d writes, want 2", w.count)
	}
}

func TestTableSuspended(t *testing.T) {
	var w writes
	e := event.Event{ID: event.Shmdt}
	var d event.Document
	e.Document(&d)
	a := factory().FromSuspension(&detect.Metadata{ID: "id", Title: "Title"}, alert.Suspension{Overruns: 3, BudgetNS: 1e8}, &d)
	if err := NewTable(&w, false).Deliver(a); err != nil {
		t.Fatal(err)
	}
	if got, want := w.String(), `high     id "signature suspended: Title" `; !strings.Contains(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTableCorrelation(t *testing.T) {
	from := time.Date(2024, 5, 6, 9, 8, 6, 654321000, time.UTC)
	c := detect.Correlated{Type: detect.Temporal, Group: map[string]any{"processName": "a\n", "userId": uint32(8)}, Count: 2, From: from, To: from.Add(time.Second)}
	c.Steps = []detect.CorrelatedStep{{Name: "refused"}, {Name: "acted"}}
	e := event.Event{ID: event.Shmdt}
	var d event.Document
	e.Document(&d)
	for doc, want := range map[*event.Document]string{
		&d:  ` shmdt(shmaddr=NULL) = 0 [2 steps in 1s by {processName: "a\n", userId: 8}: refused, acted]` + "\n",
		nil: `id "Title" [2 steps in 1s by {processName: "a\n", userId: 8}: refused, acted]` + "\n",
	} {
		var w writes
		if err := NewTable(&w, false).Deliver(factory().FromFinding(&detect.Metadata{ID: "id", Title: "Title"}, detect.Finding{Correlated: &c}, doc)); err != nil {
			t.Fatal(err)
		}
		if got := w.String(); !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTableColor(t *testing.T) {
	var w writes
	if err := NewTable(&w, true).Deliver(gap()); err != nil {
		t.Fatal(err)
	}
	want := "2024-05-06T09:08:07.654Z \x1b[33mmedium  \x1b[0m gap 3 calls lost in 1s by tracepoint: ring full\n"
	if got := w.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWriteErrors(t *testing.T) {
	full := errors.New("disk full")
	a := gap()
	if err := NewTable(&writes{err: full}, false).Deliver(a); !errors.Is(err, full) || !strings.Contains(err.Error(), a.ID) {
		t.Errorf("table: error %v", err)
	}
	if err := newSink(t, settings(KindStdout, nil), &writes{err: full}).Deliver(t.Context(), []*Entry{entry(t, a)}); !errors.Is(err, full) {
		t.Errorf("stdout: error %v", err)
	}
}

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
