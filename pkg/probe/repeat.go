package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/aquasecurity/libbpfgo"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/wire"
)

const (
	// repeatsMap is the map that has the map of repeats in use, for SHAPES of
	// ebpf/maps.h.
	repeatsMap = "repeats_in_use"
	maxShapes  = 4096

	// takeInterval is for how long repeats are counted before they are taken, unless a
	// record has them: long enough that the kernel is not asked all the time, and short
	// enough that they are not late for a correlation.
	takeInterval = 200 * time.Millisecond
)

// repeatValue is struct repeat of ebpf/maps.h.
type repeatValue struct{ openedNS, firstNS, lastNS, count uint64 }

// repeater has the repeats of calls that the kernel counts in a flood, until they can be
// told. Its methods are for the goroutine that reads records, but for take.
type repeater struct {
	log      *zap.Logger
	module   *libbpfgo.Module
	carriers map[uint64][]byte // by shape: records of calls that may have been repeated
	asked    bool              // take will be called, or what it took is not told yet
	ended    bool              // and will not be any more
	taking   sync.WaitGroup
	timer    *time.Timer
	answer   chan taken
	last     *taken // what is not told yet, as the ring may have records that it is about
	told     uint64 // since when carriers may be needed: calls that ended before are told
	pending  []carried
	inUse    *libbpfgo.BPFMapLow // for whoever runs take
}

// taken is what was in a map that programs ceased to use at some time between two, on
// CLOCK_BOOTTIME.
type taken struct {
	sinceNS, untilNS uint64
	counts           map[uint64]repeatValue
}

// carried is a record with what repeats it.
type carried struct {
	record  []byte
	repeats event.Repeats
}

func newRepeater(module *libbpfgo.Module, log *zap.Logger) (*repeater, error) {
	r := &repeater{log: log, module: module, carriers: map[uint64][]byte{}, answer: make(chan taken, 1)}
	_, err := r.swap()
	return r, err
}

// see remembers a record if calls like it may be counted.
func (r *repeater) see(record []byte) {
	if r == nil {
		return
	}
	if r.last != nil && wire.ExitedNS(record) > r.last.untilNS {
		r.match()
	}
	if shape := wire.Shape(record); shape != 0 {
		r.carriers[shape] = append(r.carriers[shape][:0], record...)
		r.ask()
	}
}

// ask has the counts taken before long.
func (r *repeater) ask() {
	if r.asked || r.ended {
		return
	}
	r.asked = true
	r.taking.Add(1)
	r.timer = time.AfterFunc(takeInterval, func() {
		defer r.taking.Done()
		r.answer <- r.take()
	})
}

// look takes what was counted, if it is there. idle tells that nothing is in the ring.
func (r *repeater) look(idle bool) {
	if r == nil {
		return
	}
	select {
	case t := <-r.answer:
		r.last = &t
	default:
	}
	if idle && r.last != nil {
		r.match()
	}
}

// match finds the records of calls that what was taken repeats. All that were written
// before are read by now, and for each call with a shape there is one.
func (r *repeater) match() {
	for shape, v := range r.last.counts {
		if carrier := r.carriers[shape]; carrier != nil && v.count > 0 {
			r.pending = append(r.pending, carried{carrier, event.Repeats{
				Count: v.count, FirstNS: v.firstNS, LastNS: v.lastNS, Alone: true,
			}})
		}
	}
	// In the map that is in use now each shape begins with a record again.
	for shape, carrier := range r.carriers {
		if wire.ExitedNS(carrier) < r.told {
			delete(r.carriers, shape)
		}
	}
	r.told, r.last, r.asked = r.last.sinceNS, nil, false
	if len(r.carriers) > 0 {
		r.ask()
	}
}

// next fills e with an event that has repeats, unless all are told.
func (r *repeater) next(bootToUnixNS int64, e *event.Event) bool {
	if r == nil || len(r.pending) == 0 {
		return false
	}
	c := r.pending[0]
	r.pending = r.pending[1:]
	if err := wire.Parse(c.record, bootToUnixNS, e); err != nil {
		r.log.Error("record refused", zap.Error(err)) // it was not before
		return r.next(bootToUnixNS, e)
	}
	e.Repeats = c.repeats
	return true
}

// flush takes the last, once, when no more is counted and every record is read. It
// returns whether there are some to be told.
func (r *repeater) flush() bool {
	if r == nil || r.ended {
		return false
	}
	r.ended = true
	r.stop()
	r.look(true)
	if len(r.carriers) > 0 {
		t := r.take()
		r.last = &t
		r.match()
	}
	return len(r.pending) > 0
}

// stop waits until take has returned, or sees to that it is not called.
func (r *repeater) stop() {
	if r.timer != nil && r.timer.Stop() {
		r.taking.Done()
	}
	r.taking.Wait()
}

// close ends it; the module must not have been closed before.
func (r *repeater) close() error {
	r.stop()
	return unix.Close(r.inUse.FileDescriptor())
}

// take takes what is counted. The kernel counts on in another map.
func (r *repeater) take() taken {
	t := taken{sinceNS: uint64(bootNS()), counts: map[uint64]repeatValue{}}
	old, err := r.swap()
	t.untilNS = uint64(bootNS())
	if err == nil {
		err = errors.Join(t.read(old), unix.Close(old.FileDescriptor()))
	}
	if err != nil {
		r.log.Error("calls counted in a flood are not told", zap.Error(err))
	}
	return t
}

// swap replaces the map of repeats, and returns the old one, which no program uses any
// more.
func (r *repeater) swap() (old *libbpfgo.BPFMapLow, err error) {
	next, err := libbpfgo.CreateMap(libbpfgo.MapTypeHash, "repeats", int(unsafe.Sizeof(uint64(0))), int(unsafe.Sizeof(repeatValue{})), maxShapes, nil)
	if err != nil {
		return nil, fmt.Errorf("make a BPF map of repeats: %w", err)
	}
	if err := replaceMap(r.module, repeatsMap, next); err != nil {
		return nil, errors.Join(err, unix.Close(next.FileDescriptor()))
	}
	old, r.inUse = r.inUse, next
	return old, nil
}

// read takes what a map has that is not in use any more.
func (t *taken) read(m *libbpfgo.BPFMapLow) error {
	it := m.Iterator()
	for it.Next() {
		shape := binary.NativeEndian.Uint64(it.Key())
		b, err := m.GetValue(unsafe.Pointer(&shape))
		if err != nil {
			return fmt.Errorf("read the BPF map of repeats: %w", err)
		}
		var v repeatValue
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v)), b)
		t.counts[shape] = v
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("read the BPF map of repeats: %w", err)
	}
	return nil
}
