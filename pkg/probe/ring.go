package probe

import (
	"fmt"
	"time"

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

// newRing maps the ring behind the descriptor of its map, which stays the
// caller's.
func newRing(fd int) (*ring, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate the ring's descriptor: %w", err)
	}
	m, err := ebpf.NewMapFromFD(own)
	if err != nil {
		return nil, fmt.Errorf("open the ring: %w", err)
	}
	defer m.Close() // the reader has a mapping of its own
	reader, err := ringbuf.NewReader(m)
	if err != nil {
		return nil, fmt.Errorf("map the ring: %w", err)
	}
	reader.SetDeadline(time.Now())
	return &ring{reader: reader}, nil
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
