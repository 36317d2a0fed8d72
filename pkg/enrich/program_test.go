package enrich

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

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

func TestProgramBits(t *testing.T) {
	proc := newFakeProc(t)
	proc.start(7, 1, "/bin/a", "")
	proc.start(8, 1, "/bin/b", "")
	proc.start(9, 1, "/bin/c", "")
	save := func(pid int, auxv []byte) {
		proc.check(os.WriteFile(filepath.Join(proc.dir, strconv.Itoa(pid), "auxv"), auxv, 0o600))
	}
	save(7, auxv64(33, 0x7ffd00000000, 3, 0x400040, 4, 56, 5, 13, 0, 0))
	save(8, auxv32(32, 0xf7fc0000, 3, 0x8048034, 4, 32, 5, 9, 0, 0))
	r := New("host", proc.dir)
	for _, c := range []struct {
		pid    uint32
		compat bool
		want   uint8
	}{{7, false, 0}, {7, true, 64}, {8, true, 32}, {9, true, 0}, {10, true, 0}, {7, true, 64}, {7, false, 0}} {
		e := eventOf(c.pid, "test", 2*second)
		if e.Compat = c.compat; e.Compat {
			e.Process.ProgramBits = 99 // of the event before, whose memory it is
		}
		if r.Enrich(e); e.Process.ProgramBits != c.want {
			t.Errorf("process %d, 32-bit call %t: %d bits, want %d", c.pid, c.compat, e.Process.ProgramBits, c.want)
		}
	}
	// Another process has the id by now.
	proc.start(8, 5, "/bin/b", "")
	save(8, auxv64(4, 56, 0, 0))
	e := eventOf(8, "other", 2*second)
	e.Compat = true
	if r.Enrich(e); e.Process.ProgramBits != 0 {
		t.Errorf("%d bits of another process", e.Process.ProgramBits)
	}
}

// TestOwnProgramBits asks the real kernel.
func TestOwnProgramBits(t *testing.T) {
	auxv, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		t.Skip("no /proc here")
	}
	if got := bitsOf(auxv); got != strconv.IntSize {
		t.Errorf("%d bits, want %d", got, strconv.IntSize)
	}
	if len(auxv) > maxAuxv {
		t.Errorf("%d bytes", len(auxv))
	}
}

func FuzzBitsOf(f *testing.F) {
	f.Add(auxv64(4, 56))
	f.Add(auxv32(4, 32))
	f.Add([]byte{4, 0, 0})
	f.Fuzz(func(t *testing.T, auxv []byte) {
		if n := bitsOf(auxv); n != 0 && n != 32 && n != 64 || n != 0 && len(auxv) < 8 {
			t.Errorf("%d bits of %x", n, auxv)
		}
	})
}

func TestCreatorGone(t *testing.T) {
	proc := newFakeProc(t)
	proc.start(7, 1, "/bin/a", "")
	proc.start(8, 1, "/bin/b", "")
	r := New("host", proc.dir)
	for name, c := range map[string]struct {
		id      event.ID
		mode    uint16
		creator uint32
		want    bool
	}{
		"gone":              {event.Shmat, 0o1600, 9, true},
		"there":             {event.Shmat, 0o1600, 8, false},
		"itself":            {event.Shmat, 0o1600, 7, false},
		"not to be removed": {event.Shmat, 0o600, 9, false},
		"another call":      {event.Shmctl, 0o1600, 9, false},
		"creator not known": {event.Shmat, 0o1600, 0, false},
	} {
		e := eventOf(7, "test", 2*second)
		e.ID = c.id
		e.Object = event.Object{Kind: event.SharedMemory, Mode: c.mode, CreatorPID: c.creator, CreatorGone: !c.want}
		if r.Enrich(e); e.Object.CreatorGone != c.want {
			t.Errorf("%s: gone %t", name, e.Object.CreatorGone)
		}
	}
}
