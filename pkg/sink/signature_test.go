package sink

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// pythonReceiver answers 204 to what is genuine, by the function of docs/delivery.md that
// stands before it, and 401 to all else. The key is its first argument.
const pythonReceiver = `
import http.server, sys

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204 if genuine(self.headers, body, sys.argv[1].encode()) else 401)
        self.end_headers()
    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
`

// startDocumented runs the receiver of the documentation.
func startDocumented(t *testing.T, key string) (url string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 to run the receiver of docs/delivery.md with")
	}
	page, err := os.ReadFile("../../docs/delivery.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(page)
	if code == nil {
		t.Fatal("docs/delivery.md has no receiver in Python")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, python, "-c", string(code[1])+pythonReceiver, key)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cancel()
		_ = cmd.Wait()
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}

// TestDocumentedReceiver delivers to the receiver of the documentation, which has to tell
// what is genuine from what is not.
func TestDocumentedReceiver(t *testing.T) {
	const key = "whsec-key"
	url := startDocumented(t, key)
	for signingKey, want := range map[string]bool{key: true, "whsec-kez": false} {
		w := newSink(t, hook(url, func(s *Settings) {
			s.Webhook.SigningKey, s.Webhook.Gzip, s.Webhook.Batch = setting.NewSecret(signingKey), true, 2
		}), nil)
		err := w.Deliver(context.Background(), []*Entry{entry(t, finding()), entry(t, hostile("\xff\r\n"))})
		var rejected *Rejected
		if want && err != nil || !want && (!errors.As(err, &rejected) || err.Error() != "answered 401 Unauthorized") {
			t.Errorf("signed by %s: %v", signingKey, err)
		}
	}

	now := time.Now()
	for name, c := range map[string]struct {
		at      time.Time
		change  func(http.Header)
		body    string
		genuine bool
	}{
		"as signed":         {now, nil, "body", true},
		"a little old":      {now.Add(-4 * time.Minute), nil, "body", true},
		"old":               {now.Add(-6 * time.Minute), nil, "body", false},
		"of the future":     {now.Add(6 * time.Minute), nil, "body", false},
		"another body":      {now, nil, "bodY", false},
		"another id":        {now, func(h http.Header) { h.Set("Webhook-Id", "other") }, "body", false},
		"another signature": {now, func(h http.Header) { h.Set("Webhook-Signature", "v1,"+strings.Repeat("A", 43)+"=") }, "body", false},
		"old, made to look new": {now.Add(-6 * time.Minute), func(h http.Header) {
			h.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
		}, "body", false},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		sign(request.Header, []byte(key), "id", c.at, []byte("body"))
		if c.change != nil {
			c.change(request.Header)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		response.Body.Close()
		if want := map[bool]int{true: http.StatusNoContent, false: http.StatusUnauthorized}[c.genuine]; response.StatusCode != want {
			t.Errorf("%s: answered %d, want %d", name, response.StatusCode, want)
		}
	}
}
