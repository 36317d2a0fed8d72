package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/prometheus/tsdb/wlog"
)

// scan finds out which records a directory has.
func (s *Spool) scan() error {
	first, last, err := wlog.Segments(s.settings.Path)
	if err != nil {
		return err
	}
	for index := max(first, 0); index <= last; index++ {
		seg := segment{index: index}
		if info, err := os.Stat(wlog.SegmentName(s.settings.Path, index)); err == nil {
			seg.bytes = info.Size()
		}
		f, err := s.openSegment(index)
		if err != nil {
			return err
		}
		for {
			record, err := f.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				s.cut(index, f.reader.Offset(), seg.bytes, err)
				break
			}
			if record.Seq == 0 { // of Probe
				continue
			}
			if seg.first == 0 {
				seg.first = record.Seq
			}
			seg.last = max(seg.last, record.Seq)
			seg.records++
		}
		f.close()
		seg.torn = true // what cannot be read of it is reported by now
		s.segments = append(s.segments, seg)
		s.last = max(s.last, seg.last)
	}
	return nil
}

// cut reports what cannot be read of a segment.
func (s *Spool) cut(index int, offset, size int64, err error) {
	lost := max(0, size-offset)
	s.count.Cut += lost
	s.report(fmt.Errorf("spool: %d bytes of %s cannot be read, from byte %d on: %w",
		lost, wlog.SegmentName(s.settings.Path, index), offset, err))
}

// segmentReader reads the records of one segment.
type segmentReader struct {
	index  int
	file   io.ReadCloser
	reader *wlog.Reader
}

func (s *Spool) openSegment(index int) (*segmentReader, error) {
	f, err := wlog.OpenReadSegment(wlog.SegmentName(s.settings.Path, index))
	if err != nil {
		return nil, err
	}
	buffered := wlog.NewSegmentBufReader(f)
	return &segmentReader{index, buffered, wlog.NewReader(buffered)}, nil
}

func (r *segmentReader) close() { r.file.Close() }

// next returns io.EOF at the end, and another error where the rest cannot be read.
func (r *segmentReader) next() (Record, error) {
	if !r.reader.Next() {
		if err := r.reader.Err(); err != nil {
			return Record{}, err
		}
		return Record{}, io.EOF
	}
	b := r.reader.Record()
	if len(b) < 8 {
		return Record{}, errors.New("a record without a number")
	}
	return Record{binary.BigEndian.Uint64(b), append([]byte(nil), b[8:]...)}, nil
}

// Reader reads records in their order. It is for one goroutine.
type Reader struct {
	spool *Spool
	open  *segmentReader
	torn  bool
	done  int // the segments up to this one are read
}

// NewReader makes a reader, which Close ends.
func (s *Spool) NewReader() *Reader { return &Reader{spool: s, done: -1} }

// Next is the first record with a number greater than after, which must not go back
// from call to call. It returns io.EOF if there is none.
func (r *Reader) Next(after uint64) (Record, error) {
	for {
		if r.open == nil {
			if err := r.advance(after); err != nil {
				return Record{}, err
			}
		}
		record, err := r.open.next()
		switch {
		case err == nil && record.Seq > after:
			return record, nil
		case err == nil:
			continue
		case !errors.Is(err, io.EOF) && !r.torn:
			r.spool.tear(r.open, err)
		}
		r.Close()
	}
}

// Close lets go of the file.
func (r *Reader) Close() {
	if r.open != nil {
		r.open.close()
		r.done, r.open = r.open.index, nil
	}
}

// advance opens the next segment with a record after that number.
func (r *Reader) advance(after uint64) error {
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.segments {
		seg := &s.segments[i]
		if seg.index <= r.done || seg.last <= after {
			continue
		}
		if i == len(s.segments)-1 && !s.broken { // is being written to
			if err := s.next(); err != nil {
				return err
			}
		}
		// next may have moved the segments.
		var err error
		r.torn = s.segments[i].torn
		r.open, err = s.openSegment(s.segments[i].index)
		return err
	}
	return io.EOF
}

// tear reports, once, what cannot be read of a segment.
func (s *Spool) tear(r *segmentReader, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.segments {
		if seg := &s.segments[i]; seg.index == r.index && !seg.torn {
			seg.torn = true
			s.cut(seg.index, r.reader.Offset(), seg.bytes, err)
		}
	}
}
