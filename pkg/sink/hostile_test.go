package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

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
	"\x7f", "\u009b31m", "\u2066", "\U000e0041", "<!channel>", "[a](http://x)", "{{.alert}}", "\u2028\u2029\u202e", "\x00", `"}]}`, "$(id)`id`", "]] x=\"y\"]", strings.Repeat("a\"", 5000),
}

// TestHostileLines: whatever the process says, an alert is one line of printable text,
// on stdout and in a file.
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
			path := filepath.Join(t.TempDir(), "alerts")
			s.Kind, s.File.Path = KindFile, path
			if err := newSink(t, s, nil).Deliver(context.Background(), []*Entry{entry(t, hostile(text))}); err != nil {
				t.Fatal(err)
			}
			if written, err := os.ReadFile(path); err != nil || string(written) != out.String() {
				t.Errorf("%v: the file has %q, stdout %q", err, written, out.String())
			}
		}
	}
}

func checkLine(t *testing.T, what, line string) {
	t.Helper()
	if !strings.HasSuffix(line, "\n") || strings.Count(line, "\n") != 1 {
		t.Errorf("%s: not one line: %q", what, line)
	}
	checkPrintable(t, what, strings.TrimSuffix(line, "\n"))
	if what == FormatJSON && !json.Valid([]byte(line)) {
		t.Errorf("no JSON: %s", line)
	}
}

// checkPrintable wants nothing that a terminal acts upon or hides.
func checkPrintable(t testing.TB, what, text string) {
	t.Helper()
	for _, r := range text {
		if !strconv.IsPrint(r) {
			t.Errorf("%s: %U in %q", what, r, text)
			return
		}
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
			checkPrintable(t, name, plain)
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
		for _, key := range slices.Sorted(maps.Keys(v)) {
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
