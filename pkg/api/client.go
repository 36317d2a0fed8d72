package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// maxLine bounds one alert, of which a server that is none could make anything.
const maxLine = 64 << 20

// Client asks a running ipcwarden. It is safe for concurrent use.
type Client struct {
	socket string
	http   *http.Client
}

// NewClient makes a client of the ipcwarden that listens at socket. Close it in the
// end.
func NewClient(socket string) *Client {
	return &Client{socket, &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// Close ends connections that wait for another request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status returns the state of ipcwarden.
func (c *Client) Status(ctx context.Context) (*status.Status, error) {
	body, err := c.get(ctx, "/v1/status")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	s := &status.Status{}
	if err := json.NewDecoder(io.LimitReader(body, maxLine)).Decode(s); err != nil {
		return nil, fmt.Errorf("read the status: %w", err)
	}
	return s, nil
}

// Entry is one line of the alerts: an alert, or the news that alerts were missed.
type Entry struct {
	Raw    []byte       // the line, without its end
	Alert  *alert.Alert // nil if some were missed; numbers of any type are json.Number
	Missed uint64       // number of alerts that came too fast for this client
}

// Alerts calls take with the last n alerts, all for n < 0, the oldest first.
func (c *Client) Alerts(ctx context.Context, n int, take func(Entry) error) error {
	body, err := c.get(ctx, alertsPath(n))
	if err != nil {
		return err
	}
	defer body.Close()
	return read(body, take)
}

// Follow calls take with the last n alerts, and then with each that comes, until ctx
// ends, which is no error, take returns one, or ipcwarden ends, which is io.EOF. Once
// it has called started, which may be nil, no alert is missed but those that it tells of.
func (c *Client) Follow(ctx context.Context, n int, started func(), take func(Entry) error) error {
	err := c.follow(ctx, n, started, take)
	if err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (c *Client) follow(ctx context.Context, n int, started func(), take func(Entry) error) error {
	body, err := c.get(ctx, alertsPath(n)+"&follow")
	if err != nil {
		return err
	}
	defer body.Close()
	if started != nil {
		started()
	}
	err = read(body, func(e Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return take(e)
	})
	if err != nil {
		return err
	}
	return io.EOF
}

func alertsPath(n int) string {
	if n < 0 {
		return "/v1/alerts?"
	}
	return "/v1/alerts?last=" + strconv.Itoa(n)
}

func read(body io.Reader, take func(Entry) error) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		entry, err := parse(lines.Bytes())
		if err != nil {
			return fmt.Errorf("read an alert: %w", err)
		}
		if err := take(entry); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the alerts: %w", err)
	}
	return nil
}

func parse(line []byte) (Entry, error) {
	entry := Entry{Raw: bytes.Clone(line)}
	var m missed
	if err := json.Unmarshal(line, &m); err != nil {
		return entry, err
	}
	if m.Type == missedType {
		entry.Missed = m.Count
		return entry, nil
	}
	entry.Alert = &alert.Alert{}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber() // addresses and ids have up to 64 bits
	return entry, decoder.Decode(entry.Alert)
}

// get asks, and returns the body of the answer.
func (c *Client) get(ctx context.Context, path string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://ipcwarden"+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.explain(err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000)) // the code says enough
		return nil, fmt.Errorf("ipcwarden answers %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	return response.Body, nil
}

// explain says what to do about a socket that does not answer.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no ipcwarden answers at %s: is ipcwarden run running, and is that its --api? %w", c.socket, syscall.ECONNREFUSED)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("only the user that ipcwarden runs as can open %s: %w", c.socket, fs.ErrPermission)
	}
	return err
}
