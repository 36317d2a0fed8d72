// Package deliver brings alerts to the sinks: each gets them in order, from a queue of
// its own, and is tried until it takes them. Nobody waits for a sink, neither the
// capture nor another sink; with a spool, alerts are on disk first.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
)

const (
	// intake is how many alerts wait to be written to the spool, at most.
	intake = 16384
	// batch is how many are written at a time.
	batch = 256

	// tick is how often cursors are saved and the state of the sinks is looked at.
	tick = time.Second
	// newsEvery is how often the alerts tell again of alerts that a sink has lost.
	newsEvery = time.Minute
	// lingering is how long Close waits for sinks that do not heed its context.
	lingering = time.Second
)

// Settings say where alerts go.
type Settings struct {
	Sinks map[string]sink.Settings // by name
	Spool spool.Settings           // without a path for none
	Retry Retry
	// DeadLetters is the path of a file that gets the alerts that a sink rejects, with
	// the reason; empty for none: then the log has the reason and the id.
	DeadLetters string
	// News, if not nil, is called with each alert of type delivery, beside the sinks. It
	// must not wait.
	News func(*alert.Alert)
	// Failing, if not nil, is called when a sink begins to fail. It must not wait.
	Failing func(sink string, err error)
	// Patient has Deliver wait where it would drop an alert, or have one that a sink
	// does not have yet lost: for a recording, which can wait.
	Patient bool
}

// Retry says how sinks that fail are tried again.
type Retry struct {
	First setting.Duration `yaml:"first" doc:"wait before a sink that failed is tried again; it doubles each time, and is varied by a half so that many hosts do not come at once"`
	Max   setting.Duration `yaml:"max" doc:"longest wait"`
	// Alert is how long a sink fails before an alert of type delivery says so.
	Alert setting.Duration `yaml:"alert" doc:"time after which an alert of type delivery tells, to the other sinks, that one fails"`
	Queue int              `yaml:"queue" doc:"number of alerts to keep in memory for sinks that fail; with more, or more than 64 MiB, the oldest are lost to them, unless the spool has them"`
}

// DefaultRetry is patient: nothing is given up.
func DefaultRetry() Retry {
	return Retry{First: setting.Duration(time.Second), Max: setting.Duration(time.Minute), Alert: setting.Duration(10 * time.Second), Queue: 4096}
}

// Validate tells what is wrong with the settings.
func (r *Retry) Validate() error {
	var errs []error
	if r.First <= 0 || r.Max < r.First {
		errs = append(errs, setting.Under("first", errors.New("has to be more than 0s, and not more than max")))
	}
	if r.Queue < 1 {
		errs = append(errs, setting.Under("queue", fmt.Errorf("%d is less than 1", r.Queue)))
	}
	return errors.Join(errs...)
}

// Counters is what became of the alerts. For each sink, what has been taken is the sum of
// Sent, Below, Rejected, Lost and Waiting, once it is quiet.
type Counters struct {
	Taken     uint64                  `json:"taken"`     // on disk, or in memory if there is no spool
	Unstored  uint64                  `json:"unstored"`  // of these in memory only, as the spool could not be written to
	Dropped   uint64                  `json:"dropped"`   // not taken: more came at once than could be stored, or it was closed
	Delivered uint64                  `json:"delivered"` // that no sink waits for any more, of those that a spool had at the start as well
	Sinks     map[string]SinkCounters `json:"sinks"`
	Spool     *spool.Counters         `json:"spool,omitempty"`
}

// Delivery delivers alerts. It is safe for concurrent use.
type Delivery struct {
	factory *alert.Factory
	log     *zap.Logger
	retry   Retry
	patient bool
	news    func(*alert.Alert)
	failing func(sink string, err error)
	spool   *spool.Spool // nil for none
	window  *window
	workers []*worker
	first   uint64 // number of the last alert that every sink had at the start
	dead    *deadLetters
	kept    chan struct{} // closed when the keeper has ended

	mu     sync.Mutex // guards closed, and in against Close
	closed bool
	in     chan *alert.Alert

	taken, unstored, dropped atomic.Uint64

	// Of the keeper.
	seq       uint64            // of the last alert
	saved     map[string]uint64 // cursors
	spoolNews news
	queueNews news
}

// New makes a delivery, which Close ends. The factory makes alerts of type delivery.
func New(settings Settings, env sink.Environment, factory *alert.Factory, log *zap.Logger) (*Delivery, error) {
	if err := settings.Retry.Validate(); err != nil {
		return nil, err
	}
	if settings.DeadLetters != "" && !filepath.IsAbs(settings.DeadLetters) {
		return nil, fmt.Errorf("dead letters: %q is no absolute path", settings.DeadLetters)
	}
	d := &Delivery{
		factory: factory, log: log, retry: settings.Retry, patient: settings.Patient, news: settings.News, failing: settings.Failing, window: newWindow(settings.Retry.Queue),
		dead: newDeadLetters(settings.DeadLetters, log), in: make(chan *alert.Alert, intake), kept: make(chan struct{}),
		spoolNews: news{sink: "spool"}, queueNews: news{sink: "queue"},
	}
	if err := d.open(settings, env); err != nil {
		return nil, errors.Join(err, d.release())
	}
	if d.patient {
		d.window.wanted = d.least
	}
	if d.news == nil {
		d.news = func(*alert.Alert) {}
	}
	if d.failing == nil {
		d.failing = func(string, error) {}
	}
	for _, w := range d.workers {
		go w.run()
	}
	go d.keep()
	return d, nil
}

// open opens the spool, and makes a worker for each sink, which begins where it was when
// the spool was closed.
func (d *Delivery) open(settings Settings, env sink.Environment) (err error) {
	cursors := map[string]uint64{}
	begun := false // the spool has cursors already
	if settings.Spool.Path != "" {
		if d.spool, err = spool.Open(settings.Spool, d.spoolFailed); err != nil {
			return err
		}
		saved, err := d.spool.Cursors()
		if err != nil {
			d.log.Error("spool", zap.Error(err))
		}
		if begun = saved != nil; begun {
			cursors = saved
		}
		d.seq = d.spool.Last()
		for _, seq := range cursors {
			d.seq = max(d.seq, seq)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings.Sinks)) {
		s, err := sink.New(settings.Sinks[name], env)
		if err != nil {
			return setting.Under("sinks", setting.Under(name, err))
		}
		position, known := cursors[name]
		if begun && !known {
			position = d.seq // a new sink gets what comes from now on
		}
		d.workers = append(d.workers, newWorker(name, s, settings.Sinks[name].MinSeverity, position, d))
	}
	d.window.begin(d.seq + 1)
	if len(d.workers) > 0 {
		d.first = d.least()
	}
	d.saveCursors()
	return nil
}

// release lets go of everything but the workers' goroutines.
func (d *Delivery) release() error {
	var errs []error
	for _, w := range d.workers {
		errs = append(errs, w.sink.Close())
	}
	if d.spool != nil {
		errs = append(errs, d.spool.Close())
	}
	return errors.Join(append(errs, d.dead.close())...)
}

func (d *Delivery) spoolFailed(err error) { d.log.Error("spool", zap.Error(err)) }

// Deliver takes a, which nobody may change any more. It never waits, unless it is
// Patient: where too many come at once, a is dropped and counted.
func (d *Delivery) Deliver(a *alert.Alert) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		d.dropped.Add(1)
		return
	case d.patient:
		d.in <- a
		return
	}
	select {
	case d.in <- a:
	default:
		d.dropped.Add(1)
	}
}

// Hurry ends patience: from now on alerts are dropped and counted where they would wait,
// so that whoever waits in Deliver goes on.
func (d *Delivery) Hurry() { d.window.hurry() }

// Counters is what became of the alerts so far.
func (d *Delivery) Counters() Counters {
	c := Counters{Taken: d.taken.Load(), Unstored: d.unstored.Load(), Dropped: d.dropped.Load(), Sinks: map[string]SinkCounters{}}
	for _, w := range d.workers {
		c.Sinks[w.name] = w.counters()
	}
	if len(d.workers) > 0 {
		c.Delivered = d.least() - d.first
	}
	if d.spool != nil {
		s := d.spool.Counters()
		c.Spool = &s
	}
	return c
}

// Close accepts no more alerts and delivers those that wait, until ctx ends. The error
// says how many are left then; with a spool they are delivered when it is opened again.
func (d *Delivery) Close(ctx context.Context) error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	close(d.in)
	d.mu.Unlock()
	<-d.kept // soon: it waits for nothing but the disk
	var errs []error
	for _, w := range d.workers {
		select {
		case <-w.ended:
		case <-ctx.Done():
			w.cancel()
			select {
			case <-w.ended:
			case <-time.After(lingering): // stdout, with a reader that does not read
			}
		}
		if left := w.counters().Waiting; left > 0 {
			errs = append(errs, fmt.Errorf("sink %s: %d alerts not delivered: %w", w.name, left, context.Cause(ctx)))
		}
	}
	d.saveCursors()
	return errors.Join(append(errs, d.release())...)
}

// saveCursors keeps in the spool how far each sink is, and lets it forget what all have.
func (d *Delivery) saveCursors() {
	if d.spool == nil || !d.spool.Working() || len(d.workers) == 0 {
		return
	}
	cursors, least := map[string]uint64{}, d.least()
	for _, w := range d.workers {
		cursors[w.name] = w.position.Load()
	}
	if maps.Equal(cursors, d.saved) {
		return
	}
	if err := d.spool.SaveCursors(cursors); err != nil {
		d.log.Error("spool", zap.Error(err))
		return
	}
	d.saved = cursors
	d.spool.Forget(least)
}

// least is the number of the last alert that every sink has.
func (d *Delivery) least() uint64 {
	least := uint64(math.MaxUint64)
	for _, w := range d.workers {
		least = min(least, w.position.Load())
	}
	return least
}
