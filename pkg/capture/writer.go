package capture

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// Writer writes a recording. It is for one goroutine. An error is final: all that
// comes after it returns it again, and what was written before stays readable.
type Writer struct {
	out    io.Writer
	zstd   *zstd.Encoder
	items  []byte // of the block to come
	packed []byte
	fields coder
	err    error

	events, bytes uint64
}

// NewWriter begins a recording: with an error it has written nothing, or not all of
// the header.
func NewWriter(out io.Writer, h Header) (*Writer, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("compress the recording: %w", err)
	}
	w := &Writer{out: out, zstd: encoder}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("write the recording's header: %w", err)
	}
	w.items = text
	w.packed = append(w.packed, magic...)
	w.packed = append(w.packed, Version)
	w.write(w.packed)
	return w, w.Flush()
}

// Event adds an event. Nothing of e is kept.
func (w *Writer) Event(e *event.Event) error {
	w.fields.bytes = w.fields.bytes[:0]
	w.fields.eventFields(e)
	w.events++
	return w.add(eventItem)
}

// Gap adds a gap.
func (w *Writer) Gap(g pipeline.Gap) error {
	w.fields.bytes = w.fields.bytes[:0]
	w.fields.gapFields(&g)
	return w.add(gapItem)
}

// add adds what is in fields.
func (w *Writer) add(kind byte) error {
	item := w.fields.bytes
	if len(w.items)+len(item) > blockBytes {
		_ = w.Flush() // kept
	}
	w.items = append(w.items, kind)
	w.items = append(binary.AppendUvarint(w.items, uint64(len(item))), item...)
	return w.err
}

// Flush writes what was added, so that it can be read. That costs up to a block.
func (w *Writer) Flush() error {
	if len(w.items) == 0 || w.err != nil {
		w.items = w.items[:0]
		return w.err
	}
	w.packed = append(w.packed[:0], make([]byte, headBytes)...)
	w.packed = w.zstd.EncodeAll(w.items, w.packed)
	appendHead(w.packed[:0], w.packed[headBytes:], len(w.items))
	w.items = w.items[:0]
	w.write(w.packed)
	return w.err
}

// write writes with one call, so that a block is whole or the last.
func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.out.Write(b)
	w.bytes += uint64(n)
	if err != nil {
		w.err = fmt.Errorf("write the recording: %w", err)
	}
}

// Close says in the recording that it is complete. It does not close what NewWriter
// was given.
func (w *Writer) Close() error {
	w.fields.bytes = w.fields.bytes[:0]
	_ = w.add(endItem) // kept
	return w.Flush()
}

// Events is how many events were added.
func (w *Writer) Events() uint64 { return w.events }

// Bytes is how many bytes were written.
func (w *Writer) Bytes() uint64 { return w.bytes }
