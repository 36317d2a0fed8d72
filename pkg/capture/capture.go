// Package capture is the recording: a file of everything that a source of events
// gave, from which a replay gets the same again.
//
// A recording is a magic number with the version, and then blocks. A block is a head,
// three little-endian 32-bit numbers (the length of what is packed, its length once
// unpacked, and the CRC-32C of both lengths and of what is packed), and a zstd frame.
// The first block is the Header as JSON, each other one a sequence of items: a byte
// that tells their kind, their length as a varint, and as many bytes. Items of a kind
// that a reader does not know are passed over. In the item of an event fields are only
// ever added, at its end: those that are not there are zero, and those that are not
// known are passed over. So the version changes only with the blocks themselves.
//
// Each block can be read once it is written: a crash costs what was not written yet.
package capture

import (
	"errors"
	"fmt"
	"time"
)

const (
	magic = "ipcwcap"
	// Version is that of the format, and of the blocks.
	Version = 1

	// blockBytes is how much of the items, before it is packed, makes a block.
	blockBytes = 256 << 10
	// maxBlockBytes bounds a block, packed or not: nothing in a file can make a
	// reader take more memory than that. An event has at most three pieces of memory
	// of three views each, of probe.MaxSnapshotBytes or of 512 operations.
	maxBlockBytes = 1 << 20
)

// Header is what a recording says of itself.
type Header struct {
	Host    string    `json:"host"`    // where the events are from
	Hook    string    `json:"hook"`    // the way of capture
	Program string    `json:"program"` // version of the ipcwarden that recorded
	Started time.Time `json:"started"`
}

// The kinds of items.
const (
	eventItem = 1 + iota
	gapItem
	endItem // the recording was closed, and has all that the source gave
)

// ErrFormat is what a file that is no recording leads to, in whichever way.
var ErrFormat = errors.New("neither a recording nor lines as trace --output json prints them")

// DamageError tells where a recording cannot be read. What lies before was.
type DamageError struct {
	Offset int64 // of the block, in bytes
	Err    error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("the recording is damaged: block at byte %d: %v", e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }
