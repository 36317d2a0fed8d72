package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

const patience = 20 * time.Second

// numbered is an alert that is told apart by its number.
func numbered(i int) *alert.Alert {
	return &alert.Alert{
		Version: 1, ID: fmt.Sprint(i), Type: alert.TypeFinding, Severity: detect.High, Host: "<h>", Signature: &alert.Signature{ID: "A"},
		Evidence: map[string]any{"text": "\x1b[31m\n"}, Event: &event.Document{EventName: "msgsnd", ProcessName: "p"},
	}
}

// serve answers at a socket, and returns a client.
func serve(t *testing.T, alerts *Alerts, now func() *status.Status) (*Client, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run", "api.sock")
	listener, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: Handler(alerts, now)}
	ended := make(chan struct{})
	go func() { defer close(ended); server.Serve(listener) }()
	client := NewClient(path)
	t.Cleanup(func() { client.Close(); server.Close(); <-ended })
	return client, path
}

func ids(entries []Entry) (list []string) {
	for _, e := range entries {
		if e.Alert == nil {
			list = append(list, fmt.Sprintf("missed %d", e.Missed))
			continue
		}
		list = append(list, e.Alert.ID)
	}
	return list
}

func TestStatusAndLastAlerts(t *testing.T) {
	alerts := NewAlerts(3)
	want := &status.Status{Version: "v", Ready: true, Capture: status.Capture{Hook: "<kprobe>", Lost: map[string]uint64{"ring_full": 1}}, Sinks: []status.Sink{{Name: "a"}}}
	client, _ := serve(t, alerts, func() *status.Status { return want })
	if got, err := client.Status(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	last := func(n int) string {
		var got []Entry
		if err := client.Alerts(t.Context(), n, func(e Entry) error { got = append(got, e); return nil }); err != nil {
			t.Fatal(err)
		}
		return strings.Join(ids(got), " ")
	}
	for i, want := range []string{"", "0", "0 1", "0 1 2", "1 2 3", "2 3 4"} {
		if got := last(-1); got != want {
			t.Errorf("after %d: %s, want %s", i, got, want)
		}
		alerts.Deliver(numbered(i))
	}
	if got := last(2); got != "4 5" {
		t.Errorf("the last two: %s", got)
	}
	if got := last(0); got != "" {
		t.Errorf("the last none: %s", got)
	}
	stop := errors.New("enough")
	err := client.Alerts(t.Context(), 1, func(e Entry) error {
		if !reflect.DeepEqual(e.Alert.Evidence, numbered(5).Evidence) || e.Alert.Event.ProcessName != "p" || !strings.Contains(string(e.Raw), `"host":"<h>"`) {
			t.Errorf("%s is read as %+v", e.Raw, e.Alert)
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Errorf("%v, want the error of take", err)
	}
}

func TestFollow(t *testing.T) {
	alerts := NewAlerts(10)
	client, _ := serve(t, alerts, nil)
	alerts.Deliver(numbered(0))
	alerts.Deliver(numbered(1))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got []Entry
	err := client.Follow(ctx, 1, func() { alerts.Deliver(numbered(2)) }, func(e Entry) error {
		if got = append(got, e); len(got) == 5 {
			cancel()
			return nil
		}
		return alerts.Deliver(numbered(len(got) + 2))
	})
	if want := []string{"1", "2", "3", "4", "5"}; err != nil || !slices.Equal(ids(got), want) {
		t.Errorf("%v, %v, want %v", err, ids(got), want)
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if n, _ := alerts.Counts(); n == 0 {
			break
		} else if time.Now().After(end) {
			t.Fatalf("%d followers are left", n)
		}
	}
}

// TestSlowFollower has a follower that reads nothing while many alerts come: nobody
// waits for it, and it is told.
func TestSlowFollower(t *testing.T) {
	alerts := NewAlerts(1)
	client, _ := serve(t, alerts, nil)
	const n = 20_000 // more than queue and socket buffers hold
	var seen, missed uint64
	err := client.Follow(t.Context(), 0, func() {
		for i := range n {
			alerts.Deliver(numbered(i))
		}
	}, func(e Entry) error {
		if e.Alert == nil {
			missed += e.Missed
		} else {
			seen++
		}
		if seen+missed == n {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
	_, dropped := alerts.Counts()
	if !errors.Is(err, io.ErrUnexpectedEOF) || missed == 0 || dropped != missed || seen+missed != n {
		t.Errorf("%v: %d seen, %d missed, %d dropped of %d", err, seen, missed, dropped, n)
	}
}

func TestFollowersAreBounded(t *testing.T) {
	alerts := NewAlerts(1)
	client, _ := serve(t, alerts, nil)
	var enter func(n int) error
	enter = func(n int) error {
		return client.Follow(t.Context(), 0, func() {
			if err := enter(n + 1); err == nil || n+1 < maxFollowers && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("follower %d: %v", n+1, err)
			} else if n+1 == maxFollowers && !strings.Contains(err.Error(), "503") {
				t.Errorf("one too many: %v", err)
			}
			alerts.Deliver(numbered(n))
		}, func(Entry) error { return io.ErrUnexpectedEOF })
	}
	if err := enter(0); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestMistakes(t *testing.T) {
	client, path := serve(t, NewAlerts(1), nil)
	response, err := client.http.Get("http://x/v1/alerts?last=x")
	if err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("%v, %v", response, err)
	}
	if response, err = client.http.Post("http://x/v1/alerts", "", nil); err != nil || response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%v, %v", response, err)
	}
	_, err = NewClient(path + "x").Status(t.Context())
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "is ipcwarden run running") {
		t.Errorf("%v", err)
	}
}

func TestListen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "deep", "api.sock")
	first, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("%v, want ErrInUse", err)
	}
	// A process that was killed leaves its socket.
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	first.Close()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	second, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(file); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("%v", err)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "mine" {
		t.Errorf("%s, %v", content, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"type":"missed","count":3}`, `{"type":"finding","severity":"high","event":{"args":[]}}`, `{}`, `[]`, `null`, "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		entry, err := parse(line)
		if err == nil && entry.Alert == nil && !strings.Contains(strings.ToLower(string(line)), `"type"`) {
			t.Errorf("%q is %+v", line, entry)
		}
	})
}
