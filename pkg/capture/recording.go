package capture

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// Recording is recorded events as a pipeline.Source, for one goroutine.
type Recording struct {
	read     func(*event.Event) (*pipeline.Gap, error)
	header   Header
	blocks   *blocks // nil for lines of JSON
	detached bool
}

// Open reads the beginning of in, and finds out which kind of recording it is: one of
// a Writer, or lines of JSON as trace prints them.
func Open(in io.Reader) (*Recording, error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	start, err := buffered.Peek(len(magic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the recording: %w", err)
	}
	switch {
	case IsRecording(start):
		b, err := newBlocks(buffered)
		if err != nil {
			return nil, err
		}
		return &Recording{read: b.read, header: b.header, blocks: b}, nil
	case bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")):
		l := newLines(buffered)
		return &Recording{read: l.read, header: Header{Host: l.ahead.Process.HostName}}, nil
	case len(start) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrFormat)
	default:
		return nil, ErrFormat
	}
}

// IsRecording tells whether a file that begins with start was made by a Writer.
func IsRecording(start []byte) bool { return bytes.HasPrefix(start, []byte(magic)) }

// Header is what the recording says of itself; of lines of JSON only the host is known.
func (r *Recording) Header() Header { return r.header }

// Cut says, after io.EOF, why the recording may lack what came last; it is empty if
// the recording is complete.
func (r *Recording) Cut() string {
	if r.blocks == nil {
		return ""
	}
	return r.blocks.cut
}

// Next implements pipeline.Source. What e refers to is valid until the following Next.
func (r *Recording) Next(e *event.Event) (*pipeline.Gap, error) {
	if r.detached {
		return nil, io.EOF
	}
	return r.read(e)
}

// Detach implements pipeline.Source: nothing more is read.
func (r *Recording) Detach() error {
	r.detached = true
	return nil
}

// Lines turns a recording into what trace --output json prints.
func Lines(in io.Reader, out io.Writer) error {
	r, err := Open(in)
	if err != nil {
		return err
	}
	encoder := NewLineEncoder(json.NewEncoder(out))
	encoder.json.SetEscapeHTML(false)
	var e, raw event.Event
	for {
		gap, err := r.Next(&e)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case gap != nil:
			continue
		}
		if e.Multiplexer(&raw) {
			if err := encoder.Encode(&raw); err != nil {
				return err
			}
		}
		if err := encoder.Encode(&e); err != nil {
			return err
		}
	}
}
