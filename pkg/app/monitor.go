package app

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/api"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

const (
	// countInterval is how often the counters are read.
	countInterval = time.Second

	// freshTime is how old counters may be that somebody asks for.
	freshTime = 100 * time.Millisecond

	// rateSpan is how many of these intervals rates are averages of.
	rateSpan = 10
)

// monitor reads the counters of all parts once a second, in the goroutine of the
// events, which owns most of them: so a status that is fresh also says that this
// goroutine is alive. Whoever wants a status gets the last.
type monitor struct {
	probe   *probe.Probe
	reloads *reloader
	alerts  *api.Alerts
	log     *zap.Logger

	due    atomic.Bool
	latest atomic.Pointer[status.Status]
	past   []*status.Status // the oldest first, at most rateSpan
	static status.Status    // what does not change
}

func newMonitor(opts *RunOptions, p *probe.Probe, host string, reloads *reloader, alerts *api.Alerts, log *zap.Logger) *monitor {
	a := p.Attachment()
	return &monitor{probe: p, reloads: reloads, alerts: alerts, log: log, static: status.Status{
		Version: opts.Version, PID: os.Getpid(), Host: host, Started: time.Now(),
		Capture: status.Capture{Hook: string(a.Hook), Why: a.Why()},
	}}
}

// run asks for the counters to be read, until ctx ends.
func (m *monitor) run(ctx context.Context) {
	ticker := time.NewTicker(countInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.due.Store(true)
		}
	}
}

// look reads the counters if it is time; a nil monitor never does.
func (m *monitor) look(w *warden) {
	if m == nil || !m.due.Load() {
		return
	}
	m.due.Store(false)
	m.read(w)
}

// read reads the counters.
func (m *monitor) read(w *warden) {
	s := m.static
	s.Time = time.Now()
	m.readCapture(&s.Capture)
	for _, c := range w.engine.Counters() {
		s.Signatures = append(s.Signatures, status.Signature{
			ID: c.ID, Evaluations: c.Evaluations, Matches: c.Matches, Errors: c.Errors, Panics: c.Panics,
			Overruns: c.Overruns, Seconds: c.Elapsed.Seconds(), Suspended: c.Suspended,
		})
	}
	for _, c := range w.correlator.Counters() {
		s.Correlations = append(s.Correlations, status.Correlation{
			ID: c.ID, Matches: c.Matches, Found: c.Found, Late: c.Late, Evicted: c.Evicted, Groups: c.Groups, Bytes: c.Bytes,
		})
	}
	s.Suppressions = suppressionsOf(w.suppress, s.Time)
	t := w.throttle.Counters()
	s.Throttled = status.Throttled{Repeated: t.Repeated, OverLimit: t.Suppressed, Evicted: t.Evicted}
	w.delivery.read(&s)
	s.Rates = ratesOf(&s, m.past)
	m.remember(&s)
	m.latest.Store(&s)
}

// remember keeps one of each interval, for rates.
func (m *monitor) remember(s *status.Status) {
	n := len(m.past)
	if n > 0 && s.Time.Sub(m.past[n-1].Time) < countInterval*9/10 {
		return
	}
	if n == rateSpan {
		m.past = append(m.past[:0], m.past[1:]...)
	}
	m.past = append(m.past, s)
}

func (m *monitor) readCapture(c *status.Capture) {
	c.Attached = m.probe.Attached()
	used, size := m.probe.Ring()
	c.RingUsed, c.RingBytes = uint64(used), uint64(size)
	counts, err := m.probe.Counts()
	if err != nil {
		m.log.Error("counters not read", zap.Error(err))
	}
	c.Entered, c.Emitted, c.Filtered = counts.Entered, counts.Emitted, counts.Filtered
	c.Unmatched, c.Aggregated, c.Repeated = counts.Unmatched, counts.Aggregated, counts.Repeated
	c.InFlight, c.Lost, c.Cut = counts.InFlight, counts.Lost, counts.Cut
}

// ratesOf compares s with the oldest of the past, or with the start.
func ratesOf(s *status.Status, past []*status.Status) status.Rates {
	before := &status.Status{Time: s.Started}
	if len(past) > 0 {
		before = past[0]
	}
	seconds := s.Time.Sub(before.Time).Seconds()
	if seconds <= 0 {
		return status.Rates{}
	}
	rate := func(now, then uint64) float64 { return float64(now-min(now, then)) / seconds }
	return status.Rates{
		Calls:  rate(s.Capture.Entered, before.Capture.Entered),
		Events: rate(s.Capture.Emitted, before.Capture.Emitted),
		Lost:   rate(s.Capture.LostCalls(), before.Capture.LostCalls()),
		Alerts: rate(s.Alerts.Delivered+s.Alerts.Undelivered, before.Alerts.Delivered+before.Alerts.Undelivered),
	}
}

// status is what is read now, or if the goroutine of the events does not come to that,
// what was read last. It is the caller's.
func (m *monitor) status() *status.Status {
	m.refresh()
	s := *m.latest.Load()
	s.Reload = m.reloads.status.get()
	s.API.Followers, s.API.Dropped = m.alerts.Counts()
	s.Judge(time.Now())
	return &s
}

// refresh has the counters read, and waits for that a moment; unless they are that
// fresh already, for whoever asks must not keep the goroutine of the events busy.
func (m *monitor) refresh() {
	asked := time.Now()
	if asked.Sub(m.latest.Load().Time) < freshTime {
		return
	}
	m.due.Store(true)
	for end := asked.Add(freshTime); time.Now().Before(end) && !m.latest.Load().Time.After(asked); {
		time.Sleep(freshTime / 100)
	}
}
