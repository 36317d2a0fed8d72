package deliver

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
)

// SinkCounters is what became of the alerts at one sink.
type SinkCounters struct {
	Sent     uint64 `json:"sent"`
	Below    uint64 `json:"below"`    // less severe than the sink wants
	Rejected uint64 `json:"rejected"` // dead letters
	Lost     uint64 `json:"lost"`     // more had to wait than could be kept
	Retries  uint64 `json:"retries"`
	Waiting  uint64 `json:"waiting"`

	// Problem is why the sink takes nothing, since when; empty if it does.
	Problem string    `json:"problem,omitempty"`
	Since   time.Time `json:"since,omitzero"`
}

// worker delivers to one sink.
type worker struct {
	name        string
	sink        sink.Sink
	minSeverity detect.Severity
	d           *Delivery
	log         *zap.Logger
	reader      *spool.Reader // nil without a spool
	backoff     *backoff.ExponentialBackOff

	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}

	position                             atomic.Uint64 // the sink needs nothing up to this number
	sent, below, rejected, lost, retries atomic.Uint64

	mu      sync.Mutex
	problem error // nil while the sink takes alerts
	since   time.Time
	news    news // of the keeper
}

func newWorker(name string, s sink.Sink, minSeverity detect.Severity, position uint64, d *Delivery) *worker {
	w := &worker{
		name: name, sink: s, minSeverity: minSeverity, d: d, log: d.log.With(zap.String("sink", name)),
		backoff: backoff.NewExponentialBackOff(), ended: make(chan struct{}), news: news{sink: name},
	}
	w.backoff.InitialInterval, w.backoff.MaxInterval, w.backoff.Multiplier = d.retry.First.Duration(), d.retry.Max.Duration(), 2
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.position.Store(position)
	if d.spool != nil {
		w.reader = d.spool.NewReader()
	}
	// An ended context does not wake who waits for an alert.
	context.AfterFunc(w.ctx, d.window.wake)
	return w
}

func (w *worker) run() {
	defer close(w.ended)
	defer w.cancel()
	if w.reader != nil {
		defer w.reader.Close()
	}
	for {
		last, entries := w.take()
		if last == 0 {
			return
		}
		wanted := entries[:0]
		for _, e := range entries {
			if e.Alert.Severity < w.minSeverity {
				w.below.Add(1)
				continue
			}
			wanted = append(wanted, e)
		}
		if len(wanted) > 0 && !w.send(wanted) {
			return
		}
		w.position.Store(last)
		if w.d.patient {
			w.d.window.wake()
		}
	}
}

// take returns the next entries, and the number of the last; 0 if there is nothing more
// to do.
func (w *worker) take() (last uint64, entries []*sink.Entry) {
	for {
		position := w.position.Load()
		first, entries := w.d.window.from(position, w.sink.Batch(), w.stopped)
		if first == 0 {
			return 0, nil
		}
		if first == position+1 {
			return position + uint64(len(entries)), entries
		}
		if e, seq := w.stored(position, first); e != nil {
			w.lose(seq - position - 1)
			return seq, []*sink.Entry{e}
		}
		w.lose(first - position - 1)
		w.position.Store(first - 1)
	}
}

func (w *worker) stopped() bool { return w.ctx.Err() != nil }

func (w *worker) lose(n uint64) { w.lost.Add(n) }

// stored is the next entry in the spool, if it has one before the number end.
func (w *worker) stored(after, end uint64) (*sink.Entry, uint64) {
	if w.reader == nil {
		return nil, 0
	}
	for {
		record, err := w.reader.Next(after)
		switch {
		case errors.Is(err, io.EOF):
			return nil, 0
		case err != nil:
			w.log.Error("read spool", zap.Error(err))
			return nil, 0
		case record.Seq >= end:
			return nil, 0
		}
		e, err := sink.ParseEntry(record.Data)
		if err == nil {
			return e, record.Seq
		}
		w.log.Error("read spool", zap.Uint64("record", record.Seq), zap.Error(err))
		after = record.Seq
	}
}

// send delivers until the sink takes or rejects the entries. It is false if that did not
// happen before the end.
func (w *worker) send(entries []*sink.Entry) bool {
	w.backoff.Reset()
	for {
		err := w.sink.Deliver(w.ctx, entries)
		var rejected *sink.Rejected
		switch {
		case err == nil:
			w.sent.Add(uint64(len(entries)))
			w.works()
			return true
		case errors.As(err, &rejected) && len(entries) > 1: // perhaps because of one of them
			for i := range entries {
				if !w.send(entries[i : i+1]) {
					return false
				}
			}
			return true
		case errors.As(err, &rejected):
			w.rejected.Add(1)
			w.d.dead.put(w.name, rejected.Reason, entries[0])
			w.works()
			return true
		case w.stopped():
			return false
		}
		w.fails(err)
		if !w.pause(err) {
			return false
		}
		w.retries.Add(1)
	}
}

// pause waits until the sink may be tried again. It is false if the end comes first.
func (w *worker) pause(err error) bool {
	wait := w.backoff.NextBackOff()
	var later *sink.Later
	if errors.As(err, &later) {
		wait = max(wait, later.After)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

func (w *worker) fails(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.problem == nil {
		w.d.failing(w.name, err)
		w.since = time.Now()
		w.log.Warn("alerts wait: the sink fails, and is tried again", zap.Error(err))
	}
	w.problem = err
}

func (w *worker) works() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.problem != nil {
		w.log.Info("the sink takes alerts again", zap.Duration("after", time.Since(w.since)))
	}
	w.problem = nil
}

func (w *worker) counters() SinkCounters {
	c := SinkCounters{
		Sent: w.sent.Load(), Below: w.below.Load(), Rejected: w.rejected.Load(), Lost: w.lost.Load(), Retries: w.retries.Load(),
	}
	if next, position := w.d.window.next(), w.position.Load(); next > position+1 {
		c.Waiting = next - position - 1
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.problem != nil {
		c.Problem, c.Since = w.problem.Error(), w.since
	}
	return c
}
