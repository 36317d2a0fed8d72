package probe

import (
	"fmt"
	"time"

	"github.com/aquasecurity/libbpfgo"
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// pollInterval bounds how long a record waits in the ring: the programs wake the
// reader only when much has gathered, which halves what a traced call costs.
const pollInterval = 10 * time.Millisecond

// ring reads the BPF ring from its mapped memory: as long as there are records,
// no system call is made.
type ring struct {
	reader *ringbuf.Reader
	record ringbuf.Record
}

// newRing maps the ring.
func newRing(module *libbpfgo.Module) (*ring, error) {
	m, err := again(module, "records")
	if err != nil {
		return nil, err
	}
	defer m.Close() // the reader has a mapping of its own
	reader, err := ringbuf.NewReader(m)
	if err != nil {
		return nil, fmt.Errorf("map the ring: %w", err)
	}
	reader.SetDeadline(time.Now())
	return &ring{reader: reader}, nil
}

// again opens a map of a module once more, for its memory.
func again(module *libbpfgo.Module, name string) (*ebpf.Map, error) {
	m, err := module.GetMap(name)
	if err != nil {
		return nil, fmt.Errorf("find BPF map %s: %w", name, err)
	}
	own, err := unix.FcntlInt(uintptr(m.FileDescriptor()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate the descriptor of BPF map %s: %w", name, err)
	}
	opened, err := ebpf.NewMapFromFD(own)
	if err != nil {
		return nil, fmt.Errorf("open BPF map %s: %w", name, err)
	}
	return opened, nil
}

// next returns the next record, valid until the following next, or
// os.ErrDeadlineExceeded if none came within pollInterval.
func (r *ring) next() ([]byte, error) {
	if err := r.reader.ReadInto(&r.record); err != nil {
		r.reader.SetDeadline(time.Now().Add(pollInterval))
		return nil, err
	}
	return r.record.RawSample, nil
}

func (r *ring) close() error { return r.reader.Close() }
