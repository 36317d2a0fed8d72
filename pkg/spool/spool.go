// Package spool keeps alerts on disk until every sink has them, so that neither a
// receiver that is down nor a power cut loses any. It is a log of numbered records on
// Prometheus' write-ahead log: docs/delivery.md has the measurement that chose it.
package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"
	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

const (
	// A segment is the unit of what is dropped. The store wants a multiple of its pages.
	maxSegment = 16 << 20
	perSpool   = 8 // segments
	page       = 32 << 10
	minBytes   = 1 << 20

	// MaxBatch is how many bytes Append takes at a time.
	MaxBatch = 1 << 20

	// probeBytes is what Probe writes: a disk that has no block left takes no block.
	probeBytes = 4 << 10

	// retryEvery is how often a spool that cannot be written to is tried.
	retryEvery = time.Second
)

// Settings say where a spool is.
type Settings struct {
	Path     string        `yaml:"path" example:"/var/lib/ipcwarden/spool" doc:"directory to keep alerts in until they are delivered; empty for none, so that alerts which are not delivered yet are lost when ipcwarden ends"`
	MaxBytes setting.Bytes `yaml:"max_bytes" doc:"size of the directory; beyond it the oldest alerts are dropped, and counted"`
}

// Default has no path.
func Default() Settings { return Settings{MaxBytes: 256 << 20} }

// Validate tells what is wrong with the settings.
func (s *Settings) Validate() error {
	var errs []error
	if s.Path != "" && !filepath.IsAbs(s.Path) {
		errs = append(errs, setting.Under("path", fmt.Errorf("%q is no absolute path", s.Path)))
	}
	if s.Path != "" && s.MaxBytes < minBytes {
		errs = append(errs, setting.Under("max_bytes", fmt.Errorf("%s is less than 1 MiB", s.MaxBytes)))
	}
	return errors.Join(errs...)
}

// Record is one entry of the spool.
type Record struct {
	Seq  uint64 // rises by one from record to record, but for those that were lost
	Data []byte
}

// Counters is what became of the records.
type Counters struct {
	Bytes   int64  `json:"bytes"`   // on disk
	Dropped uint64 `json:"dropped"` // records that made room for others
	Errors  uint64 `json:"errors"`  // failed attempts to write
	Cut     int64  `json:"cut"`     // bytes that could not be read any more
	// Problem is why it cannot be written to; empty if it can.
	Problem string `json:"problem,omitempty"`
}

// Spool is safe for concurrent use; Append is for one goroutine.
type Spool struct {
	settings Settings
	segment  int64 // bytes from which on another is begun
	report   func(error)

	mu       sync.Mutex
	dir      *os.File // has the lock
	log      *wlog.WL // nil if it could not be opened yet
	segments []segment
	last     uint64 // number of the last record
	broken   bool   // the last write failed
	problem  error  // with which it did
	retry    time.Time
	count    Counters
}

// segment is one file of the log.
type segment struct {
	index       int
	first, last uint64 // records; 0 for none
	records     uint64
	bytes       int64
	torn        bool // its end may be half a record, which nobody was promised
}

// Open opens the spool in a directory, which is made if it is not there. What cannot be
// read in it is passed over, and given to report, as is what goes wrong later. It is an
// error if another process has it open. A disk that is full or read-only is none: it may
// change, and Append tries.
func Open(settings Settings, report func(error)) (*Spool, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	s := &Spool{settings: settings, report: report, broken: true}
	s.segment = min(int64(settings.MaxBytes)/perSpool/page*page, maxSegment)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		if !passes(err) {
			s.release()
			return nil, fmt.Errorf("open spool %s: %w", settings.Path, err)
		}
		s.problem = err
		s.report(fmt.Errorf("spool %s: %w", settings.Path, err))
	}
	return s, nil
}

// passes tells of errors that may be gone later.
func passes(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT, syscall.EIO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *Spool) open() error {
	if s.dir == nil {
		if err := s.lock(); err != nil {
			return err
		}
		if err := s.scan(); err != nil {
			return err
		}
	}
	log, err := wlog.NewSize(nil, nil, s.settings.Path, int(3*s.segment), compression.None)
	if err != nil {
		return err
	}
	s.log = log
	return s.begun()
}

// lock makes the directory and keeps other processes out.
func (s *Spool) lock() error {
	if err := os.MkdirAll(s.settings.Path, 0o700); err != nil {
		return err
	}
	dir, err := os.Open(s.settings.Path)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		dir.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return errors.New("another process uses it")
		}
		return fmt.Errorf("lock: %w", err)
	}
	s.dir = dir
	return nil
}

func (s *Spool) release() {
	if s.dir != nil {
		s.dir.Close() // and with it the lock
		s.dir = nil
	}
}

// begun takes note of a new segment.
func (s *Spool) begun() error {
	index, _, err := s.log.LastSegmentAndOffset()
	if err != nil {
		return err
	}
	s.segments = append(s.segments, segment{index: index})
	s.broken = false
	return os.Chmod(wlog.SegmentName(s.settings.Path, index), 0o600)
}

// Append writes records, whose numbers follow the last one, and returns when they are on
// disk. After an error none of them is promised to be there. While the disk takes
// nothing, it fails at once but for one attempt a second.
func (s *Spool) Append(records []Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.append(records)
	if err != nil {
		s.count.Errors++
		if !errors.Is(err, errWaits) {
			s.problem = err
		}
		if !s.broken {
			s.broken, s.retry = true, time.Now().Add(retryEvery)
			if n := len(s.segments); n > 0 {
				s.segments[n-1].torn = true
			}
		}
	}
	return err
}

var errWaits = errors.New("the disk took nothing, and is tried again soon")

func (s *Spool) append(records []Record) error {
	if s.broken {
		if time.Now().Before(s.retry) {
			return errWaits
		}
		if err := s.mend(); err != nil {
			s.retry = time.Now().Add(retryEvery)
			return err
		}
	}
	encoded := make([][]byte, len(records))
	size := int64(0)
	for i, r := range records {
		encoded[i] = append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(r.Data)), r.Seq), r.Data...)
		size += int64(len(encoded[i])) + 8 // about what the store adds
	}
	if err := s.makeRoom(size); err != nil {
		return err
	}
	if err := s.log.Log(encoded...); err != nil {
		return err
	}
	if err := s.log.Sync(); err != nil {
		return err
	}
	active := &s.segments[len(s.segments)-1]
	if active.first == 0 {
		active.first = records[0].Seq
	}
	active.last = records[len(records)-1].Seq
	active.records += uint64(len(records))
	active.bytes += size
	s.last = active.last
	return nil
}

// mend tries to write again: to another segment, since half a record may be at the end
// of the last.
func (s *Spool) mend() error {
	if s.log == nil {
		return s.open()
	}
	return s.next()
}

func (s *Spool) next() error {
	if _, err := s.log.NextSegmentSync(); err != nil {
		return err
	}
	return s.begun()
}

// makeRoom begins another segment if the active one is full, and drops the oldest until
// all bytes, with so many more, are within bounds.
func (s *Spool) makeRoom(more int64) error {
	if n := len(s.segments); s.segments[n-1].bytes >= s.segment {
		if err := s.next(); err != nil {
			return err
		}
	}
	for len(s.segments) > 1 && s.bytes()+more > int64(s.settings.MaxBytes) {
		s.count.Dropped += s.segments[0].records
		s.remove()
	}
	return nil
}

// remove takes the oldest segment away.
func (s *Spool) remove() {
	err := os.Remove(wlog.SegmentName(s.settings.Path, s.segments[0].index))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.report(fmt.Errorf("spool: %w", err))
	}
	s.segments = s.segments[1:]
}

func (s *Spool) bytes() (sum int64) {
	for i := range s.segments {
		sum += s.segments[i].bytes
	}
	return sum
}

// Forget says that nobody needs the records up to seq any more.
func (s *Spool) Forget(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.segments) > 1 && s.segments[0].last <= seq {
		s.remove()
	}
}

// Last is the number of the last record that is on disk; 0 for none.
func (s *Spool) Last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Working tells whether the last write succeeded.
func (s *Spool) Working() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.broken
}

// Counters is what became of the records so far.
func (s *Spool) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.count
	c.Bytes = s.bytes()
	if s.broken && s.problem != nil {
		c.Problem = s.problem.Error()
	}
	return c
}

// Close ends it. Records stay.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.release()
	if s.log == nil {
		return nil
	}
	err := s.log.Close()
	s.log, s.broken = nil, true
	return err
}

// Probe tries to write again if the last write failed, without a record to write. It
// fails as Append does.
func (s *Spool) Probe() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.broken {
		return nil
	}
	if time.Now().Before(s.retry) {
		return errWaits
	}
	err := s.mend()
	if err == nil {
		// A record without a number, which readers pass over.
		err = s.log.Log(make([]byte, 8+probeBytes))
	}
	if err == nil {
		err = s.log.Sync()
	}
	if err != nil {
		s.broken, s.retry, s.problem = true, time.Now().Add(retryEvery), err
		s.count.Errors++
	}
	return err
}
