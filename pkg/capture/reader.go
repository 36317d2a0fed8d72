package capture

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// blocks reads the items of a recording.
type blocks struct {
	in     io.Reader
	offset int64 // of the next block
	zstd   *zstd.Decoder
	packed []byte
	block  []byte // unpacked
	items  []byte // what is left of it
	fields coder
	header Header
	closed bool   // the end was there
	cut    string // why the end is not, once that is known
}

// newBlocks reads the header; in is at its beginning.
func newBlocks(in io.Reader) (*blocks, error) {
	start := make([]byte, len(magic)+1)
	if _, err := io.ReadFull(in, start); err != nil {
		return nil, fmt.Errorf("read the recording's header: %w", err)
	}
	if v := start[len(magic)]; v != Version {
		return nil, fmt.Errorf("the recording has version %d of the format; this ipcwarden reads version %d", v, Version)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlockBytes))
	if err != nil {
		return nil, fmt.Errorf("unpack the recording: %w", err)
	}
	b := &blocks{in: in, offset: int64(len(start)), zstd: decoder, fields: coder{reading: true, strings: map[string]string{}}}
	if err := b.next(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read the recording's header: %w", err)
	}
	if err := json.Unmarshal(b.items, &b.header); err != nil {
		return nil, fmt.Errorf("read the recording's header: %w", err)
	}
	b.items = nil
	return b, nil
}

// next reads the next block.
func (b *blocks) next() error {
	packed, size, err := readBlock(b.in, b.packed)
	switch {
	case errors.Is(err, io.EOF):
		if !b.closed {
			b.cut = "it was not closed: what came last may be missing"
		}
		return io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.cut = fmt.Sprintf("it ends within the block at byte %d, which is left out", b.offset)
		return io.EOF
	case err != nil:
		return &DamageError{b.offset, err}
	}
	if cap(b.block) < size {
		b.block = make([]byte, 0, size)
	}
	b.packed = packed
	if b.block, err = b.zstd.DecodeAll(packed, b.block[:0]); err == nil && len(b.block) != size {
		err = fmt.Errorf("%d bytes unpacked, want %d", len(b.block), size)
	}
	if err != nil {
		return &DamageError{b.offset, err}
	}
	b.items = b.block
	b.offset += headBytes + int64(len(packed))
	return nil
}

// item is the next item of the recording.
func (b *blocks) item() (kind byte, body []byte, err error) {
	for len(b.items) == 0 {
		if err := b.next(); err != nil {
			return 0, nil, err
		}
	}
	kind = b.items[0]
	n, size := binary.Uvarint(b.items[1:])
	rest := b.items[1+max(size, 0):]
	if size <= 0 || n > uint64(len(rest)) {
		return 0, nil, &DamageError{b.offset, errors.New("an item before that is longer than its block")}
	}
	b.items = rest[n:]
	return kind, rest[:n:n], nil
}

// read is Source.Next.
func (b *blocks) read(e *event.Event) (*pipeline.Gap, error) {
	for {
		kind, body, err := b.item()
		if err != nil {
			return nil, err
		}
		b.fields.bytes = body
		switch kind {
		case eventItem:
			*e = event.Event{Overlaps: e.Overlaps}
			b.fields.eventFields(e)
			if event.Lookup(e.ID) == nil {
				return nil, fmt.Errorf("the recording has event %d, which this ipcwarden does not know: it is from a newer one", e.ID)
			}
			return nil, nil
		case gapItem:
			g := new(pipeline.Gap)
			b.fields.gapFields(g)
			return g, nil
		case endItem:
			b.closed = true
		}
	}
}
