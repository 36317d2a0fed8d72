package deliver

import (
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
)

// keep is the goroutine between Deliver and the sinks: it writes alerts to the spool,
// many at a time since each write waits for the disk, and then lets the sinks have them.
func (d *Delivery) keep() {
	defer close(d.kept)
	defer d.window.close()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case a, more := <-d.in:
			if !more {
				return
			}
			d.take(d.batch(a))
		case now := <-ticker.C:
			d.look(now)
		}
	}
}

// batch is a and what else is there already.
func (d *Delivery) batch(a *alert.Alert) []*alert.Alert {
	list := []*alert.Alert{a}
	for len(list) < batch {
		select {
		case a, more := <-d.in:
			if !more {
				return list
			}
			list = append(list, a)
		default:
			return list
		}
	}
	return list
}

// take stores alerts and hands them to the sinks.
func (d *Delivery) take(list []*alert.Alert) {
	entries := make([]*sink.Entry, 0, len(list))
	for _, a := range list {
		e, err := sink.NewEntry(a)
		if err != nil { // package alert lets nothing in that JSON does not have
			d.dropped.Add(1)
			d.log.Error("alert dropped", zap.Error(err))
			continue
		}
		entries = append(entries, e)
	}
	for len(entries) > 0 {
		n, size := 0, 0
		for n < len(entries) && (n == 0 || size+len(entries[n].JSON) <= spool.MaxBatch) {
			size += len(entries[n].JSON)
			n++
		}
		d.store(entries[:n])
		d.window.push(entries[:n])
		d.taken.Add(uint64(n))
		entries = entries[n:]
	}
}

// store gives entries their numbers, and writes them to the spool. What it does not take
// goes to the sinks all the same.
func (d *Delivery) store(entries []*sink.Entry) {
	records := make([]spool.Record, len(entries))
	for i, e := range entries {
		d.seq++
		records[i] = spool.Record{Seq: d.seq, Data: e.JSON}
	}
	if d.spool == nil {
		return
	}
	if err := d.spool.Append(records); err != nil {
		d.unstored.Add(uint64(len(entries)))
		d.spoolNews.fails(err)
		return
	}
	d.spoolNews.works()
}

// look does what is to be done now and then.
func (d *Delivery) look(now time.Time) {
	var told []*alert.Alert
	tell := func(n *news, problem error, since time.Time, after time.Duration, lost, waiting uint64) {
		if delivery := n.look(now, problem, since, after, lost, waiting); delivery != nil {
			told = append(told, d.factory.FromDelivery(*delivery))
		}
	}
	for _, w := range d.workers {
		c := w.counters()
		w.mu.Lock()
		problem, since := w.problem, w.since
		w.mu.Unlock()
		tell(&w.news, problem, since, d.retry.Alert.Duration(), c.Lost, c.Waiting)
	}
	d.window.forget(d.least())
	if d.spool != nil {
		if err := d.spool.Probe(); err == nil {
			d.spoolNews.works()
		} else if d.spoolNews.problem == nil {
			d.spoolNews.fails(err)
		}
		tell(&d.spoolNews, d.spoolNews.problem, d.spoolNews.since, 0, d.unstored.Load(), 0)
	}
	tell(&d.queueNews, nil, now, 0, d.dropped.Load(), 0)
	if len(told) > 0 {
		d.take(told)
		for _, a := range told {
			d.news(a)
		}
	}
	d.saveCursors()
}

// news is what the alerts have been told of a sink, of the spool, or of the queue.
type news struct {
	sink    string
	problem error // of the spool
	since   time.Time

	failing bool   // has been told
	lost    uint64 // have been told
	last    error
	at      time.Time // of the last news of lost alerts
	begin   time.Time // of the failure that was told
}

// fails keeps the first problem: what follows is that the disk is not tried all the time.
func (n *news) fails(err error) {
	if n.problem == nil {
		n.since, n.problem = time.Now(), err
	}
}

func (n *news) works() { n.problem = nil }

// look returns what is new, or nil: that a failure lasts, that it is over, that alerts
// were lost.
func (n *news) look(now time.Time, problem error, since time.Time, after time.Duration, lost, waiting uint64) *alert.Delivery {
	d := &alert.Delivery{Sink: n.sink, From: n.begin, To: now, Waiting: waiting, Lost: lost - n.lost}
	if problem != nil {
		n.last = problem
	}
	switch {
	case problem != nil && !n.failing && now.Sub(since) >= after:
		n.failing, n.begin = true, since
		d.State, d.From = alert.DeliveryFailing, since
	case problem == nil && n.failing:
		n.failing = false
		d.State = alert.DeliveryRecovered
	case lost > n.lost && now.Sub(n.at) >= newsEvery:
		d.State = alert.DeliveryLost
		if !n.failing {
			d.From = now
		}
	default:
		return nil
	}
	if n.last != nil {
		d.Problem = n.last.Error()
	}
	if d.Lost > 0 {
		n.at = now
	}
	n.lost = lost
	return d
}
