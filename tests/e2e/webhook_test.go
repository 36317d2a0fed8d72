package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver is a webhook that keeps what it gets.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies [][]byte
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil || req.Method != http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(r.Close)
	return r
}

// greeted is how many alerts greetings leads to, one of E2E-001 and those of E2E-END.
const greeted = 1 + endCalls

// greetings runs a program that is alerted, and returns ipcwarden after the alert was
// printed.
func greetings(t *testing.T, webhook string) *warden {
	t.Helper()
	dir := signatures(t, map[string]string{"end.rego": endSignature, "greeting.rego": sendSignature})
	path := variants[0].calls().build(t)
	w := start(t, "run", "--output", "json", "--no-builtin", "--signatures", dir, "--webhook", webhook)
	runProgram(t, path, "--private")
	_, ok := w.stdout.await(limit, func(line []byte) bool {
		return decode[alert](t, line).Signature.ID == "E2E-END"
	})
	if !ok {
		t.Fatalf("the webhook held up the alerts on stdout for %s\nstdout: %s\nstderr: %s", limit, w.stdout.text(), w.stderr.text())
	}
	return w
}

// TestWebhook wants every alert delivered as it is printed.
func TestWebhook(t *testing.T) {
	emulated(t)
	requireBPF(t)
	r := newReceiver(t)
	w := greetings(t, r.URL+"/alerts")
	w.stop()
	printed := w.stdout.rest(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(printed) != greeted || len(r.bodies) != len(printed) {
		t.Fatalf("%d alerts printed and %d posted, want %d each\nstderr: %s", len(printed), len(r.bodies), greeted, w.stderr.text())
	}
	for i, body := range r.bodies {
		if !json.Valid(body) {
			t.Errorf("not JSON: %s", body)
			continue
		}
		if got, want := dump(decode[any](t, body)), dump(decode[any](t, printed[i])); got != want {
			t.Errorf("alert %d\nposted:  %s\nprinted: %s", i, got, want)
		}
	}
}

// TestWebhookDead has a receiver that refuses, and one that accepts and never
// answers. Neither may stop the alerts on stdout, nor the end.
func TestWebhookDead(t *testing.T) {
	emulated(t)
	requireBPF(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String() + "/secret-path"
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	hanging, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	for name, url := range map[string]string{
		"closed port": closed,
		"hanging":     "http://" + hanging.Addr().String() + "/secret-path",
	} {
		t.Run(name, func(t *testing.T) {
			w := greetings(t, url)
			begin := time.Now()
			w.stop()
			if took := time.Since(begin); took > 15*time.Second {
				t.Errorf("it took %s to end", took)
			}
			if printed := w.stdout.rest(t); len(printed) != greeted {
				t.Errorf("%d alerts printed, want %d: %q", len(printed), greeted, printed)
			}
			log := w.stderr.text()
			mustContain(t, "stderr", log, "webhook")
			if strings.Contains(log, "secret-path") {
				t.Errorf("the log repeats the path of the webhook, which may be a secret:\n%s", log)
			}
		})
	}
}
