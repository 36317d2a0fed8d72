package wire

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// encodeProgram gives the bytes that the BPF program would write.
func encodeProgram(r Program, auxv []byte, names ...string) []byte {
	r.Length, r.Format = uint32(programSize), Format
	copy(r.Auxv[:], auxv)
	for _, name := range names {
		r.PathBytes += uint32(copy(r.Path[r.PathBytes:], name+"\x00"))
	}
	return slices.Clone(unsafe.Slice((*byte)(unsafe.Pointer(&r)), programSize))
}

// auxv64 and auxv32 are the beginning of what the kernel gives programs of either size.
func auxv64(pairs ...uint64) (b []byte) {
	for _, word := range pairs {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return b
}

func auxv32(pairs ...uint32) (b []byte) {
	for _, word := range pairs {
		b = binary.LittleEndian.AppendUint32(b, word)
	}
	return b
}

func TestParseProgram(t *testing.T) {
	for want, b := range map[event.Program][]byte{
		{HostPID: 7, ProcessStartNS: 5, Path: "/usr/bin/ipcs", Bits: 64}:        encodeProgram(Program{HostPID: 7, ProcessStartNS: 5}, auxv64(33, 1, 4, 56), "ipcs", "bin", "usr"),
		{Path: "/memfd:x (deleted)", Bits: 32}:                                  encodeProgram(Program{Flags: ProgramDeleted}, auxv32(32, 1, 4, 32), "memfd:x"),
		{Path: "/" + strings.Repeat("n", 255) + "/" + strings.Repeat("m", 255)}: encodeProgram(Program{}, nil, strings.Repeat("m", 255), strings.Repeat("n", 255)),
		{}:          encodeProgram(Program{Flags: ProgramCut}, nil, "d", "c"),
		{Path: "/"}: encodeProgram(Program{}, nil),
	} {
		if !IsProgram(b) {
			t.Errorf("%q is no program", want.Path)
		}
		if got, err := ParseProgram(b); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if b := encode(msgsnd()); IsProgram(b) {
		t.Error("a call is a program")
	}
}

func TestBadPrograms(t *testing.T) {
	good := encodeProgram(Program{}, nil, "a")
	otherFormat, long := slices.Clone(good), slices.Clone(good)
	otherFormat[unsafe.Offsetof(Program{}.Format)]++
	binary.NativeEndian.PutUint32(long[unsafe.Offsetof(Program{}.PathBytes):], 1281)
	for name, b := range map[string][]byte{"empty": nil, "short": good[:len(good)-1], "format": otherFormat, "path": long} {
		if _, err := ParseProgram(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOwnProgramBits asks the real kernel.
func TestOwnProgramBits(t *testing.T) {
	auxv, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		t.Skip("no /proc here")
	}
	if got := bitsOf(auxv[:min(len(auxv), len(Program{}.Auxv))]); got != strconv.IntSize {
		t.Errorf("%d bits, want %d", got, strconv.IntSize)
	}
}

func FuzzParseProgram(f *testing.F) {
	f.Add(encodeProgram(Program{}, auxv64(4, 56), "a", "b"))
	f.Add(encodeProgram(Program{Flags: ProgramCut}, auxv32(4, 32), "a"))
	f.Add([]byte{4, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProgram(b)
		if err == nil && (p.Path != "" && p.Path[0] != '/' || p.Bits != 0 && p.Bits != 32 && p.Bits != 64) {
			t.Errorf("%+v of %x", p, b)
		}
	})
}
