package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Program is struct program of record.h: what a process runs. It is told before the
// first call of the process that is sent, and has no event where a Record has one.
type Program struct {
	Length         uint32 `c:"length"`
	Format         uint8  `c:"format"`
	Event          uint8  `c:"event"` // 0
	Flags          uint8  `c:"flags"`
	_              uint8
	HostPID        uint32     `c:"host_pid"`
	PathBytes      uint32     `c:"path_bytes"`
	ProcessStartNS uint64     `c:"process_start_ns"`
	Auxv           [256]byte  `c:"auxv"` // the beginning of it
	Path           [1280]byte `c:"path"` // names from the last to the first, each with a NUL
}

// The flags of a program.
const (
	ProgramDeleted = 1 << iota // no directory has the file any more, or ever had
	ProgramCut                 // the path is longer than what is there of it
)

const programSize = int(unsafe.Sizeof(Program{}))

// eventAt is where both kinds of record have their event.
const eventAt = unsafe.Offsetof(Record{}.Event)

// IsProgram tells whether a record is a Program.
func IsProgram(b []byte) bool { return len(b) > int(eventAt) && b[eventAt] == 0 }

// ParseProgram reads a Program. Any bytes give a program or an error. The path is ""
// if it is too long for a record.
func ParseProgram(b []byte) (p event.Program, err error) {
	var r Program
	if len(b) < programSize {
		return p, fmt.Errorf("%w: %d bytes of a program, want %d", ErrMalformed, len(b), programSize)
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&r)), programSize), b)
	switch {
	case r.Format != Format:
		return p, fmt.Errorf("%w: format %d of a program, want %d", ErrMalformed, r.Format, Format)
	case int(r.PathBytes) > len(r.Path):
		return p, fmt.Errorf("%w: a path of %d bytes, of %d at most", ErrMalformed, r.PathBytes, len(r.Path))
	}
	p = event.Program{HostPID: r.HostPID, ProcessStartNS: r.ProcessStartNS, Bits: bitsOf(r.Auxv[:])}
	if r.Flags&ProgramCut == 0 {
		p.Path = r.path()
	}
	return p, nil
}

// path is what /proc/PID/exe leads to.
func (r *Program) path() string {
	names := bytes.Split(bytes.TrimSuffix(r.Path[:r.PathBytes], []byte{0}), []byte{0})
	slices.Reverse(names)
	path := "/" + string(bytes.Join(names, []byte{'/'}))
	if r.Flags&ProgramDeleted != 0 {
		path += " (deleted)"
	}
	return path
}

// The entry of the auxiliary vector that says how large a program header is
// (include/uapi/linux/auxvec.h), and how large it is in each ELF class.
const (
	atPhent    = 4
	phdr32Size = 32
	phdr64Size = 56
)

// bitsOf tells what the program was built for, 0 if that is not said. It goes by the
// auxiliary vector, as the file can lie where somebody holds up whoever reads it, and
// looks for the entry among pairs of words of either size: no pair of the one size
// looks like it in the other.
func bitsOf(auxv []byte) uint8 {
	for b := auxv; len(b) >= 16; b = b[16:] {
		if binary.NativeEndian.Uint64(b) == atPhent && binary.NativeEndian.Uint64(b[8:]) == phdr64Size {
			return 64
		}
	}
	for b := auxv; len(b) >= 8; b = b[8:] {
		if binary.NativeEndian.Uint32(b) == atPhent && binary.NativeEndian.Uint32(b[4:]) == phdr32Size {
			return 32
		}
	}
	return 0
}
