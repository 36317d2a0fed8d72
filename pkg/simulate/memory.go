package simulate

import (
	"encoding/binary"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// region is memory for the kernel to read or to write, at an address that stays.
type region []byte

func (r region) address() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(r))) }

func (r region) putUint32(at int, value uint32) { binary.NativeEndian.PutUint32(r[at:], value) }
func (r region) uint32At(at int) uint32         { return binary.NativeEndian.Uint32(r[at:]) }

// arenaBytes is more than any act takes.
const arenaBytes = 4 << 20

// arena is memory that 32-bit calls reach, outside of Go's heap, for one act.
type arena struct {
	free region
	word int // bytes of a long and of a pointer of the caller
}

func newArena(way Way) (*arena, error) {
	a := &arena{word: 8}
	flags := unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
	if way == Multiplexed {
		a.word = 4
		flags |= lowMemory
	}
	var err error
	if a.free, err = unix.Mmap(-1, 0, arenaBytes, unix.PROT_READ|unix.PROT_WRITE, flags); err != nil {
		return nil, fmt.Errorf("map %d bytes: %w", arenaBytes, err)
	}
	return a, nil
}

// take returns new memory, zeroed, that begins at a multiple of align, a power of two.
func (a *arena) take(size, align int) region {
	skip := -int(a.free.address()) & (align - 1)
	taken := a.free[skip : skip+size : skip+size]
	a.free = a.free[skip+size:]
	return taken
}

// pages returns n new pages, which nobody has touched.
func (a *arena) pages(n int) region {
	size := unix.Getpagesize()
	return a.take(n*size, size)
}

func (a *arena) word32(value uint32) region {
	r := a.take(4, 4)
	r.putUint32(0, value)
	return r
}

// putWord writes a long of the caller.
func (a *arena) putWord(r region, at int, value uint64) {
	if a.word == 4 {
		r.putUint32(at, uint32(value))
		return
	}
	binary.NativeEndian.PutUint64(r[at:], value)
}

// message is a struct msgbuf with room for size bytes.
func (a *arena) message(kind int, text string, size int) region {
	r := a.take(a.word+max(size, len(text)), 8)
	a.putMessage(r, kind, text)
	return r
}

func (a *arena) putMessage(r region, kind int, text string) {
	a.putWord(r, 0, uint64(kind))
	copy(r[a.word:], text)
}

// operation is a struct sembuf.
type operation struct {
	number uint16
	add    int16
	flags  int16
}

// operations is an array of struct sembuf.
func (a *arena) operations(list ...operation) region {
	r := a.take(len(list)*event.SembufSize, 8)
	for i, op := range list {
		r.putOperation(i, op)
	}
	return r
}

func (r region) putOperation(i int, op operation) {
	at := r[i*event.SembufSize:]
	binary.NativeEndian.PutUint16(at, op.number)
	binary.NativeEndian.PutUint16(at[2:], uint16(op.add))
	binary.NativeEndian.PutUint16(at[4:], uint16(op.flags))
}

// putTimeout writes the struct timespec that semtimedop takes by this way: ipc(2) has
// 32-bit seconds.
func (a *arena) putTimeout(r region, d time.Duration) {
	a.putWord(r, 0, uint64(d/time.Second))
	a.putWord(r, a.word, uint64(d%time.Second))
}

// settings is room for a struct msqid_ds, semid_ds or shmid_ds.
func (a *arena) settings() region { return a.take(settingsBytes, 8) }

// settingsBytes is the size of the largest of them, struct msqid64_ds.
const settingsBytes = 120

// at is memory that the kernel has mapped at an address.
func at(address uintptr, size int) region {
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&address))), size)
}
