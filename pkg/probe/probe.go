// Package probe puts the BPF programs into the kernel and reads what they
// write. It is the only importer of libbpfgo.
package probe

// #cgo LDFLAGS: -lbpf -lelf -lz
import "C"

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unsafe"

	"github.com/aquasecurity/libbpfgo"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/ebpf"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/wire"
)

// HookTracepoint is the hook that every supported kernel has: the raw
// tracepoints sys_enter and sys_exit.
const HookTracepoint = "tracepoint"

// MaxSnapshotBytes bounds Options.SnapshotBytes: LARGE_BYTES of ebpf/maps.h less
// the type of a message.
const MaxSnapshotBytes = 3072 - 8

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
	// SnapshotBytes is how much of a message's text is captured, 0 for none.
	SnapshotBytes int
	Log           *zap.Logger
}

// Probe is the attached BPF program. Its methods are for one goroutine.
type Probe struct {
	module    *libbpfgo.Module
	links     []*libbpfgo.BPFLink
	ring      *ring
	clock     clock
	log       *zap.Logger
	draining  bool
	malformed uint64
}

// programs are attached in this order: an exit without its entry is harmless,
// an entry without its exit is not.
var programs = []struct{ function, tracepoint string }{
	{"sched_process_exit", "sched_process_exit"},
	{"sys_exit", "sys_exit"},
	{"sys_enter", "sys_enter"},
}

// Open loads the BPF object and attaches its programs. The error says what the
// kernel or the privileges lack.
func Open(opts Options) (*Probe, error) {
	if opts.SnapshotBytes < 0 || opts.SnapshotBytes > MaxSnapshotBytes {
		return nil, fmt.Errorf("snapshot of %d bytes: want 0 to %d", opts.SnapshotBytes, MaxSnapshotBytes)
	}
	if err := missing(); err != nil {
		return nil, err
	}
	p := &Probe{log: opts.Log}
	if err := p.open(opts); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Probe) open(opts Options) (err error) {
	if p.module, err = newModule(p.log); err != nil {
		return err
	}
	if err := setFilter(p.module, opts); err != nil {
		return err
	}
	if err := p.module.BPFLoadObject(); err != nil {
		return fmt.Errorf("load BPF programs: %w", err)
	}
	if err := fillFilter(p.module, opts.Filter); err != nil {
		return err
	}
	records, err := p.module.GetMap("records")
	if err != nil {
		return fmt.Errorf("find the ring: %w", err)
	}
	if p.ring, err = newRing(records.FileDescriptor()); err != nil {
		return err
	}
	for _, program := range programs {
		prog, err := p.module.GetProgram(program.function)
		if err != nil {
			return fmt.Errorf("find BPF program %s: %w", program.function, err)
		}
		link, err := prog.AttachRawTracepoint(program.tracepoint)
		if err != nil {
			return fmt.Errorf("attach to tracepoint %s: %w", program.tracepoint, err)
		}
		p.links = append(p.links, link)
	}
	return nil
}

var logOnce sync.Once

// newModule opens the object from an anonymous file: libbpfgo raises
// RLIMIT_MEMLOCK for an object in memory even if told not to, which fails
// without CAP_SYS_RESOURCE. libbpf itself does so on the kernels that need it.
func newModule(log *zap.Logger) (*libbpfgo.Module, error) {
	logOnce.Do(func() {
		libbpfgo.SetLoggerCbs(libbpfgo.Callbacks{Log: func(level int, msg string) {
			log.Debug("libbpf", zap.Int("level", level), zap.String("text", msg))
		}})
	})
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
	})
	if err != nil {
		return nil, fmt.Errorf("open BPF object: %w", err)
	}
	return module, nil
}

// setFilter sets the constants that the verifier folds into the programs.
func setFilter(module *libbpfgo.Module, opts Options) error {
	f := opts.Filter
	for _, constant := range []struct {
		name  string
		value any
	}{
		{"wanted_events", uint64(f.Events)},
		{"snapshot_bytes", uint32(opts.SnapshotBytes)},
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
func (p *Probe) Hook() string { return HookTracepoint }

// Next fills e with the next call that ended. e and what it refers to are valid
// until the following Next. It returns os.ErrDeadlineExceeded if nothing came for
// a moment, and io.EOF after Detach once everything captured has been read. A
// record that cannot be parsed is counted as lost and passed over.
func (p *Probe) Next(e *event.Event) error {
	for {
		record, err := p.ring.next()
		switch {
		case err == nil:
			if err := wire.Parse(record, p.clock.bootToUnixNS, e); err != nil {
				p.malformed++
				p.log.Error("record refused", zap.Error(err))
				continue
			}
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("read the ring: %w", err)
		case p.draining:
			return io.EOF
		}
		p.clock.refresh(time.Now())
		if p.links != nil {
			return os.ErrDeadlineExceeded
		}
		p.draining = true // nothing is written any more: one more look is the last
	}
}

// Detach takes the programs out of the kernel. What they have captured can
// still be read.
func (p *Probe) Detach() error {
	var errs []error
	for i := len(p.links) - 1; i >= 0; i-- {
		if err := p.links[i].Destroy(); err != nil {
			errs = append(errs, fmt.Errorf("detach %s: %w", programs[i].function, err))
		}
	}
	p.links = nil
	return errors.Join(errs...)
}

// Close detaches and frees everything.
func (p *Probe) Close() error {
	err := p.Detach()
	if p.ring != nil {
		err = errors.Join(err, p.ring.close())
		p.ring = nil
	}
	if p.module != nil {
		p.module.Close()
		p.module = nil
	}
	return err
}
