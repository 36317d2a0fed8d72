// Package probe puts the BPF programs into the kernel and reads what they
// write. It is the only importer of libbpfgo.
package probe

// #cgo LDFLAGS: -lbpf -lelf -lz
import "C"

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
	"unsafe"

	"github.com/aquasecurity/libbpfgo"
	cilium "github.com/cilium/ebpf"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/ebpf"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
	"github.com/ipcwarden/ipcwarden/pkg/wire"
)

// MaxSnapshotBytes bounds Options.SnapshotBytes: LARGE_BYTES of ebpf/maps.h less
// the type of a message.
const MaxSnapshotBytes = 3072 - 8

// MaxDigestBytes bounds Options.DigestBytes: the kernel keeps that much of a message
// in one piece, on every architecture (ipc/msgutil.c: DATALEN_MSG).
const MaxDigestBytes = 4048

// Filter says which calls to capture; the kernel side applies it. An empty list
// means no restriction.
type Filter struct {
	Events event.Set // ipc wants every call through ipc(2)
	PIDs   []uint32  // process or thread, in the initial PID namespace
	UIDs   []uint32  // real user id
	Comms  []string  // of the thread; the kernel has 15 bytes of it
}

// Options are the settings of a probe.
type Options struct {
	Filter Filter
	// MayWant has the events that SetEvents can ask for, beside those of Filter.
	MayWant event.Set
	// Wanted says what of these events is wanted; calls that cannot be are not
	// captured. SetWanted replaces it. Nil is for all.
	Wanted *pushdown.Set
	// SnapshotBytes is how much of a message's text is captured, 0 for none.
	SnapshotBytes int
	// DigestBytes is how much of a message's text, and of the values of SETALL and
	// GETALL, goes into the digest of what is longer than SnapshotBytes.
	DigestBytes int
	// Hook is where to attach; Auto, which is also what "" means, chooses.
	Hook Hook
	// MaxActive is how many calls hook kprobe can follow at a time at each entry
	// function; 0 for a number that goes by the CPUs.
	MaxActive int
	Log       *zap.Logger

	unattachable []string      // functions that tests have fail
	blind        bool          // does not look at memory, for benchmarks
	verified     func(Program) // called for each program that is loaded
}

// Probe is the attached BPF program. Its methods are for one goroutine.
type Probe struct {
	attachment Attachment
	module     *libbpfgo.Module
	links      []link         // in the order in which they were attached
	entries    []*program     // whose misses are lost calls
	tracefs    *tracefs       // where hook kprobe has its probes
	missed     uint64         // entries that were missed by what is detached by now
	counters   *cilium.Memory // an array of kernelCounts
	ring       *ring
	clock      clock
	untimed    uint // records since the clock was looked at
	log        *zap.Logger
	draining   bool
	malformed  uint64
	muter      muter
	repeater   *repeater // nil if every call is sent
	repeated   uint64
	programs   func(event.Program)
}

// Open loads the BPF object and attaches its programs. The error says what the
// kernel or the privileges lack.
func Open(opts Options) (*Probe, error) {
	if opts.SnapshotBytes < 0 || opts.SnapshotBytes > MaxSnapshotBytes {
		return nil, fmt.Errorf("snapshot of %d bytes: want 0 to %d", opts.SnapshotBytes, MaxSnapshotBytes)
	}
	if opts.DigestBytes < 0 || opts.DigestBytes > MaxDigestBytes {
		return nil, fmt.Errorf("digest of %d bytes: want 0 to %d", opts.DigestBytes, MaxDigestBytes)
	}
	if opts.MaxActive < 0 || opts.MaxActive > MaxKretprobes {
		return nil, fmt.Errorf("kretprobes for %d calls: want 1 to %d, or 0 to choose by the CPUs", opts.MaxActive, MaxKretprobes)
	}
	if err := missing(); err != nil {
		return nil, err
	}
	p := &Probe{log: opts.Log}
	p.clock.refresh(time.Now())
	if err := p.attach(opts); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// newModule opens the object from an anonymous file: libbpfgo raises
// RLIMIT_MEMLOCK for an object in memory even if told not to, which fails
// without CAP_SYS_RESOURCE. libbpf itself does so on the kernels that need it.
//
// verified, unless it is nil, is called for each program that the verifier passes, and
// otherwise complain for each that it refuses, with the reason.
func newModule(log *zap.Logger, verified func(Program), complain func(string)) (*libbpfgo.Module, error) {
	level := uint32(0)
	if verified != nil {
		level = verifierStatistics
	}
	libbpfgo.SetLoggerCbs(libbpfgo.Callbacks{Log: func(level int, text string) {
		if m := verifierLog.FindStringSubmatch(text); m != nil && verified != nil {
			instructions, _ := strconv.Atoi(m[2]) // digits
			verified(Program{Name: m[1], Instructions: instructions})
		} else if reason := refused(text); reason != "" && verified == nil {
			complain(reason)
		}
		log.Debug("libbpf", zap.Int("level", level), zap.String("text", text))
	}})
	fd, err := unix.MemfdCreate("ipcwarden.bpf.o", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("hold the BPF object: %w", err)
	}
	file := os.NewFile(uintptr(fd), "ipcwarden.bpf.o")
	defer file.Close()
	if _, err := file.Write(ebpf.Object); err != nil {
		return nil, fmt.Errorf("hold the BPF object: %w", err)
	}
	module, err := libbpfgo.NewModuleFromFileArgs(libbpfgo.NewModuleArgs{
		BPFObjPath:      fmt.Sprintf("/proc/self/fd/%d", fd),
		BPFObjName:      "ipcwarden",
		SkipMemlockBump: true,
		KernelLogLevel:  level,
	})
	if err != nil {
		return nil, fmt.Errorf("open BPF object: %w", err)
	}
	return module, nil
}

// setConstants sets the constants that the verifier folds into the programs, and
// what the variables begin with.
func setConstants(module *libbpfgo.Module, opts Options, atTracepoints [2]uint64, kmalloc bool) error {
	f := opts.Filter
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails
	for _, constant := range []struct {
		name  string
		value any
	}{
		{"tracepoint_events", atTracepoints},
		{"wanted_events", uint64(f.Events)},
		{"snapshot_bytes", uint32(opts.SnapshotBytes)},
		{"digest_bytes", uint32(opts.DigestBytes)},
		{"digest_key", key},
		{"pushdown", flag(opts.Wanted != nil)},
		{"kmalloc_watched", flag(kmalloc)},
		{"memory_watched", flag(!opts.blind)},
		{"filter_pids", flag(len(f.PIDs) > 0)},
		{"filter_uids", flag(len(f.UIDs) > 0)},
		{"filter_comms", flag(len(f.Comms) > 0)},
	} {
		if err := module.InitGlobalVariable(constant.name, constant.value); err != nil {
			return fmt.Errorf("set BPF constant %s: %w", constant.name, err)
		}
	}
	return nil
}

func flag(on bool) uint8 {
	if on {
		return 1
	}
	return 0
}

func fillFilter(module *libbpfgo.Module, f Filter) error {
	for i := range f.PIDs {
		if err := put(module, "wanted_pids", unsafe.Pointer(&f.PIDs[i])); err != nil {
			return err
		}
	}
	for i := range f.UIDs {
		if err := put(module, "wanted_uids", unsafe.Pointer(&f.UIDs[i])); err != nil {
			return err
		}
	}
	for _, comm := range f.Comms {
		var key [16]byte
		copy(key[:len(key)-1], comm)
		if err := put(module, "wanted_comms", unsafe.Pointer(&key)); err != nil {
			return err
		}
	}
	return nil
}

func put(module *libbpfgo.Module, name string, key unsafe.Pointer) error {
	m, err := module.GetMap(name)
	if err != nil {
		return fmt.Errorf("find BPF map %s: %w", name, err)
	}
	present := uint8(1)
	if err := m.Update(key, unsafe.Pointer(&present)); err != nil {
		return fmt.Errorf("fill BPF map %s: %w", name, err)
	}
	return nil
}

// Hook names the way in which the probe is attached.
func (p *Probe) Hook() string { return string(p.attachment.Hook) }

// Attachment says where the probe is attached, and why there.
func (p *Probe) Attachment() Attachment { return p.attachment }

// Attached tells whether the programs are in the kernel.
func (p *Probe) Attached() bool { return p.links != nil }

// Ring is how many bytes of the ring are in use, and how many it has.
func (p *Probe) Ring() (used, size int) {
	if p.ring == nil {
		return 0, 0
	}
	return p.ring.reader.AvailableBytes(), p.ring.reader.BufferSize()
}

// OnProgram has Next call f for each program that a process runs, before the first
// call that the process makes with it and that is captured.
func (p *Probe) OnProgram(f func(event.Program)) { p.programs = f }

// Next fills e with the next call that ended. e and what it refers to are valid
// until the following Next. It returns os.ErrDeadlineExceeded if nothing came for
// a moment, and io.EOF after Detach once everything captured has been read. A
// record that cannot be parsed is counted as lost and passed over. Calls that the
// kernel has counted come as the repeats of an event: of the next of their kind, or
// alone, with the one that they followed.
func (p *Probe) Next(e *event.Event) error {
	for {
		if p.repeater.next(p.clock.bootToUnixNS, e) {
			p.repeated += e.Repeats.Count
			return nil
		}
		record, err := p.ring.next()
		p.repeater.look(err != nil)
		if p.untimed++; err != nil || p.untimed > untimedRecords {
			p.clock.refresh(time.Now())
			p.untimed = 0
		}
		switch {
		case err == nil && wire.IsProgram(record):
			p.learn(record)
			continue
		case err == nil:
			if err := wire.Parse(record, p.clock.bootToUnixNS, e); err != nil {
				p.malformed++
				p.log.Error("record refused", zap.Error(err))
				continue
			}
			p.repeater.see(record)
			p.repeated += e.Repeats.Count
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("read the ring: %w", err)
		case p.draining && p.repeater.flush():
			continue
		case p.draining:
			return io.EOF
		}
		if p.links != nil {
			return os.ErrDeadlineExceeded
		}
		p.draining = true // nothing is written any more: one more look is the last
	}
}

// learn reads what a process runs. What cannot be read is no lost call.
func (p *Probe) learn(record []byte) {
	program, err := wire.ParseProgram(record)
	switch {
	case err != nil:
		p.log.Error("record refused", zap.Error(err))
	case p.programs != nil:
		p.programs(program)
	}
}

// Detach takes the programs out of the kernel. What they have captured can
// still be read.
func (p *Probe) Detach() error {
	if p.links == nil && p.tracefs == nil {
		return nil
	}
	err := p.detachLinks()
	missed, counted := p.missedEntries()
	err = errors.Join(err, counted)
	p.missed, p.entries = missed, nil
	if p.tracefs != nil {
		err = errors.Join(err, p.tracefs.remove())
		p.tracefs = nil
	}
	return err
}

// Close detaches and frees everything.
func (p *Probe) Close() error { return p.release() }

// release undoes load.
func (p *Probe) release() error {
	err := p.Detach()
	if p.ring != nil {
		err = errors.Join(err, p.ring.close())
		p.ring = nil
	}
	if p.repeater != nil {
		err = errors.Join(err, p.repeater.close())
		p.repeater = nil
	}
	if p.module != nil {
		p.module.Close()
		p.module = nil
	}
	return err
}
