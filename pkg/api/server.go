package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// Handler answers for a running ipcwarden, whose status it asks for each time.
func Handler(alerts *Alerts, now func() *status.Status) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = format.NewJSONEncoder(w).Encode(now()) // the client has gone
	})
	mux.HandleFunc("GET /v1/alerts", func(w http.ResponseWriter, r *http.Request) { serveAlerts(w, r, alerts) })
	return mux
}

// missed is the line that tells a follower that it was too slow.
type missed struct {
	Type  string `json:"type"`
	Count uint64 `json:"count"`
}

const missedType = "missed"

func serveAlerts(w http.ResponseWriter, r *http.Request, alerts *Alerts) {
	query := r.URL.Query()
	n := -1
	if text := query.Get("last"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 0 {
			http.Error(w, "last must be a number of alerts", http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", "application/jsonl")
	out := format.NewJSONEncoder(w)
	if !query.Has("follow") {
		_ = writeAll(out, alerts.Last(n)) // the client has gone
		return
	}
	last, f := alerts.follow(n)
	if f == nil {
		http.Error(w, fmt.Sprintf("%d followers are as many as there can be", maxFollowers), http.StatusServiceUnavailable)
		return
	}
	defer alerts.leave(f)
	stream := http.NewResponseController(w)
	// It lasts as long as the client wants.
	err := errors.Join(stream.SetWriteDeadline(time.Time{}), writeAll(out, last))
	for err == nil {
		if n := alerts.missed(f); n > 0 {
			err = out.Encode(missed{missedType, n})
		}
		if err = errors.Join(err, stream.Flush()); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case a := <-f.alerts:
			err = out.Encode(a)
		}
	}
}

func writeAll(out *json.Encoder, list []*alert.Alert) error {
	for _, a := range list {
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return nil
}

// ErrInUse is that another process answers at the socket.
var ErrInUse = errors.New("another process answers there")

// dialTime bounds how long a socket is tried.
const dialTime = time.Second

// Listen makes a Unix socket at path that only the user can open, and its directory.
// A socket that nobody answers at any more makes room; with one at which somebody
// does, the error is ErrInUse. Closing the listener removes the socket.
func Listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the directory of the socket: %w", err)
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	// From the first moment on nobody else can connect. The mask is that of the whole
	// process: a file that is made meanwhile has a narrower mode than it could.
	old := unix.Umask(0o177)
	listener, err := net.Listen("unix", path)
	unix.Umask(old)
	return listener, err
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("there is something that is no socket; it is left alone")
	}
	conn, err := net.DialTimeout("unix", path, dialTime)
	if err == nil {
		conn.Close() //nolint:errcheck // nothing was sent
		return ErrInUse
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
