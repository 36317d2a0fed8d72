package capture

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// maxLineBytes bounds one event as JSON.
const maxLineBytes = 4 << 20

// lines reads events as trace --output json prints them.
type lines struct {
	in     *bufio.Scanner
	number int
	// What was read already, if held: an event, or an error if it is not nil.
	held  bool
	ahead event.Event
	err   error
}

// newLines reads the first event.
func newLines(in io.Reader) *lines {
	l := &lines{in: bufio.NewScanner(in)}
	l.in.Buffer(nil, maxLineBytes)
	l.look()
	return l
}

// read is Source.Next. A call through ipc(2) is printed as two events, of which the
// second lacks the parameters of the first: here they become one again.
func (l *lines) read(e *event.Event) (*pipeline.Gap, error) {
	if !l.held {
		l.look()
	}
	if l.err != nil {
		return nil, l.err
	}
	*e, l.held = l.ahead, false
	if e.ID != event.IPC {
		return nil, nil
	}
	l.look()
	if next := &l.ahead; l.err == nil && next.Multiplexed && next.ID != event.IPC && next.Call == e.Call &&
		next.BootNS == e.BootNS && next.Process.HostTID == e.Process.HostTID {
		next.Raw, next.RawReturn = e.Args, e.Return
		*e, l.held = *next, false
	}
	return nil, nil
}

// look reads ahead.
func (l *lines) look() {
	l.err = l.line(&l.ahead)
	l.held = true
}

// line reads the next event.
func (l *lines) line(e *event.Event) error {
	for l.in.Scan() {
		l.number++
		text := bytes.TrimSpace(l.in.Bytes())
		if len(text) == 0 {
			continue
		}
		var d event.Document
		err := json.Unmarshal(text, &d)
		if err == nil {
			err = d.Event(e)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", l.number, err)
		}
		return nil
	}
	if err := l.in.Err(); err != nil {
		return fmt.Errorf("line %d: %w", l.number+1, err)
	}
	return io.EOF
}
