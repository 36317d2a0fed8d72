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

// RepeatsKey is the key of a line that its document does not have: the calls like this
// one that the kernel has counted. Signatures do not see it.
const RepeatsKey = "repeats"

// line is an event as trace prints it.
type line struct {
	*event.Document
	Repeats *repeats `json:"repeats,omitempty"`
}

// repeats is event.Repeats with times as documents have them, nanoseconds since the Unix
// epoch.
type repeats struct {
	Count uint64 `json:"count"`
	First int64  `json:"first"` // end of the first of them
	Last  int64  `json:"last"`
	Alone bool   `json:"alone,omitempty"`
}

// LineEncoder writes events as lines that Open reads.
type LineEncoder struct {
	json     *json.Encoder
	document event.Document
}

// NewLineEncoder makes one that writes by to.
func NewLineEncoder(to *json.Encoder) *LineEncoder { return &LineEncoder{json: to} }

// Encode writes an event. Of a call through ipc(2) it takes the raw event before.
func (l *LineEncoder) Encode(e *event.Event) error {
	e.Document(&l.document)
	one := line{Document: &l.document}
	if r := &e.Repeats; r.Count > 0 {
		toUnix := e.TimeNS - int64(e.BootNS)
		one.Repeats = &repeats{r.Count, int64(r.FirstNS) + toUnix, int64(r.LastNS) + toUnix, r.Alone}
	}
	return l.json.Encode(one)
}

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
		one := line{Document: &event.Document{}}
		err := json.Unmarshal(text, &one)
		if err == nil {
			err = one.Event(e)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", l.number, err)
		}
		if r := one.Repeats; r != nil { // events of documents began at the epoch
			e.Repeats = event.Repeats{Count: r.Count, FirstNS: uint64(r.First), LastNS: uint64(r.Last), Alone: r.Alone}
		}
		return nil
	}
	if err := l.in.Err(); err != nil {
		return fmt.Errorf("line %d: %w", l.number+1, err)
	}
	return io.EOF
}
