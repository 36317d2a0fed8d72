// Package metrics presents the state of a running ipcwarden to Prometheus and to
// whoever watches its health.
package metrics

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// metric describes one metric; each value is for the labels that it names.
type metric struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	values     func(s *status.Status, emit emit)
}

// emit takes a value with its labels.
type emit func(value float64, labels ...string)

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// one makes a metric without labels of a function.
func one[T uint64 | int | float64](get func(*status.Status) T) func(*status.Status, emit) {
	return func(s *status.Status, emit emit) { emit(float64(get(s))) }
}

func signatures[T uint64 | float64](get func(status.Signature) T) func(*status.Status, emit) {
	return func(s *status.Status, emit emit) {
		for _, signature := range s.Signatures {
			emit(float64(get(signature)), signature.ID)
		}
	}
}

func correlations[T uint64 | int](get func(status.Correlation) T) func(*status.Status, emit) {
	return func(s *status.Status, emit emit) {
		for _, correlation := range s.Correlations {
			emit(float64(get(correlation)), correlation.ID)
		}
	}
}

func sinks[T uint64 | int](get func(status.Sink) T) func(*status.Status, emit) {
	return func(s *status.Status, emit emit) {
		for _, sink := range s.Sinks {
			emit(float64(get(sink)), sink.Name)
		}
	}
}

// spool makes a metric of a spool, where there is one.
func spool[T uint64 | int64](get func(*status.Spool) T) func(*status.Status, emit) {
	return func(s *status.Status, emit emit) {
		if s.Spool != nil {
			emit(float64(get(s.Spool)))
		}
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

var (
	bySignature = []string{"signature"}
	bySink      = []string{"sink"}
)

// metrics is every metric but those of the Go runtime and the process.
var metrics = []metric{
	{"build_info", "1, with the version as a label.", gauge, []string{"version"}, func(s *status.Status, emit emit) { emit(1, s.Version) }},
	{"ready", "1 if the check is ok, 0 if not.", gauge, []string{"check"}, func(s *status.Status, emit emit) {
		for _, check := range s.Checks {
			emit(truth(check.OK), check.Name)
		}
	}},
	{"counted_timestamp_seconds", "When the goroutine of the events counted; if it is old, no event is read any more.", gauge, nil,
		func(s *status.Status, emit emit) { emit(float64(s.Time.UnixMilli()) / 1000) }},

	{"hook_info", "1, with the hook by which calls are captured as a label.", gauge, []string{"hook"}, func(s *status.Status, emit emit) { emit(1, s.Capture.Hook) }},
	{"calls_entered_total", "System V IPC calls that were entered.", counter, nil, one(func(s *status.Status) uint64 { return s.Capture.Entered })},
	{"calls_total", "Calls that have ended, by what became of them: emitted as an event, filtered, unmatched since no signature could match, or aggregated: only counted in a flood.", counter, []string{"outcome"},
		func(s *status.Status, emit emit) {
			emit(float64(s.Capture.Emitted), "emitted")
			emit(float64(s.Capture.Filtered), "filtered")
			emit(float64(s.Capture.Unmatched), "unmatched")
			emit(float64(s.Capture.Aggregated), "aggregated")
		}},
	{"calls_repeated_total", "Aggregated calls that events have told of, as calls that repeat theirs.", counter, nil, one(func(s *status.Status) uint64 { return s.Capture.Repeated })},
	{"calls_lost_total", "Calls of which there is no event, by cause.", counter, []string{"cause"}, func(s *status.Status, emit emit) {
		for cause, n := range s.Capture.Lost {
			emit(float64(n), cause)
		}
	}},
	{"calls_in_flight", "Calls that have not returned.", gauge, nil, one(func(s *status.Status) uint64 { return s.Capture.InFlight })},
	{"captures_cut_total", "Captures of memory that were shortened for want of room.", counter, nil, one(func(s *status.Status) uint64 { return s.Capture.Cut })},
	{"ring_size_bytes", "Size of the ring between kernel and daemon.", gauge, nil, one(func(s *status.Status) uint64 { return s.Capture.RingBytes })},
	{"ring_used_bytes", "Bytes in the ring that are not read yet.", gauge, nil, one(func(s *status.Status) uint64 { return s.Capture.RingUsed })},

	{"signature_evaluations_total", "Events that a signature was evaluated on.", counter, bySignature, signatures(func(s status.Signature) uint64 { return s.Evaluations })},
	{"signature_matches_total", "Events on which a signature found something.", counter, bySignature, signatures(func(s status.Signature) uint64 { return s.Matches })},
	{"signature_errors_total", "Events on which a signature could not decide.", counter, bySignature, signatures(func(s status.Signature) uint64 { return s.Errors })},
	{"signature_panics_total", "Events on which a signature panicked.", counter, bySignature, signatures(func(s status.Signature) uint64 { return s.Panics })},
	{"signature_overruns_total", "Events on which a signature used up its budget.", counter, bySignature, signatures(func(s status.Signature) uint64 { return s.Overruns })},
	{"signature_seconds_total", "Time that evaluations of a signature took, estimated from every 64th.", counter, bySignature, signatures(func(s status.Signature) float64 { return s.Seconds })},
	{"signature_suspended", "1 if a signature is suspended for being too slow.", gauge, bySignature, signatures(func(s status.Signature) float64 { return truth(s.Suspended) })},

	{"correlation_matches_total", "Matches that were given to a correlation.", counter, bySignature, correlations(func(c status.Correlation) uint64 { return c.Matches })},
	{"correlation_found_total", "Correlations that were found.", counter, bySignature, correlations(func(c status.Correlation) uint64 { return c.Found })},
	{"correlation_late_total", "Matches that came too late to count.", counter, bySignature, correlations(func(c status.Correlation) uint64 { return c.Late })},
	{"correlation_evicted_total", "Groups that were given up for want of memory.", counter, bySignature, correlations(func(c status.Correlation) uint64 { return c.Evicted })},
	{"correlation_groups", "Groups that are remembered.", gauge, bySignature, correlations(func(c status.Correlation) int { return c.Groups })},
	{"correlation_bytes", "Memory that the groups take, about.", gauge, bySignature, correlations(func(c status.Correlation) int { return c.Bytes })},

	{"suppressed_findings_total", "Findings that an entry of suppress has left out, by its place from 0 and what it covers.", counter, []string{"entry"},
		func(s *status.Status, emit emit) {
			for i := range s.Suppressions {
				emit(float64(s.Suppressions[i].Count), fmt.Sprintf("%d: %s", i, s.Suppressions[i].Entry))
			}
		}},
	{"throttled_findings_total", "Findings without an alert of their own: repeated, so that another stands for them, or over the limit of their signature.", counter, []string{"reason"},
		func(s *status.Status, emit emit) {
			emit(float64(s.Throttled.Repeated), "repeated")
			emit(float64(s.Throttled.OverLimit), "over_limit")
		}},
	{"throttle_evicted_groups_total", "Groups of findings whose window ended early, for want of room.", counter, nil, one(func(s *status.Status) uint64 { return s.Throttled.Evicted })},
	{"alerts_total", "Alerts, by whether every sink took them.", counter, []string{"result"}, func(s *status.Status, emit emit) {
		emit(float64(s.Alerts.Delivered), "delivered")
		emit(float64(s.Alerts.Undelivered), "undelivered")
	}},
	{"sink_queue_alerts", "Alerts that wait in the queue of a sink.", gauge, bySink, sinks(func(s status.Sink) int { return s.Queue })},
	{"sink_queue_capacity_alerts", "Capacity of the queue of a sink; 0 if it has none.", gauge, bySink, sinks(func(s status.Sink) int { return s.Capacity })},
	{"sink_sent_total", "Alerts that a sink has delivered.", counter, bySink, sinks(func(s status.Sink) uint64 { return s.Sent })},
	{"sink_below_total", "Alerts that are less severe than a sink wants.", counter, bySink, sinks(func(s status.Sink) uint64 { return s.Below })},
	{"sink_failed_total", "Alerts that a sink has given up.", counter, bySink, sinks(func(s status.Sink) uint64 { return s.Failed })},
	{"sink_dropped_total", "Alerts that a sink could not take.", counter, bySink, sinks(func(s status.Sink) uint64 { return s.Dropped })},
	{"sink_retries_total", "Tries of a sink after the first.", counter, bySink, sinks(func(s status.Sink) uint64 { return s.Retries })},

	{"spool_size_bytes", "Bytes of the spool on disk.", gauge, nil, spool(func(s *status.Spool) int64 { return s.Bytes })},
	{"spool_limit_bytes", "Bytes that the spool may have.", gauge, nil, spool(func(s *status.Spool) int64 { return s.MaxBytes })},
	{"spool_failing", "1 if the spool cannot be written to, so that alerts are in memory only.", gauge, nil, spool(func(s *status.Spool) uint64 { return uint64(truth(s.Failing != "")) })},
	{"spool_taken_total", "Alerts that were written to the spool.", counter, nil, spool(func(s *status.Spool) uint64 { return s.Taken })},
	{"spool_delivered_total", "Alerts that no sink waits for any more, of earlier processes as well.", counter, nil, spool(func(s *status.Spool) uint64 { return s.Delivered })},
	{"spool_dropped_total", "Alerts that made room for others in the spool, delivered or not.", counter, nil, spool(func(s *status.Spool) uint64 { return s.Dropped })},
	{"spool_unstored_total", "Alerts that could not be written to the spool, and went to the sinks from memory.", counter, nil, spool(func(s *status.Spool) uint64 { return s.Unstored })},
	{"spool_errors_total", "Failed attempts to write to the spool.", counter, nil, spool(func(s *status.Spool) uint64 { return s.Errors })},
	{"spool_cut_bytes_total", "Bytes of the spool that could not be read any more.", counter, nil, spool(func(s *status.Spool) int64 { return s.CutBytes })},

	{"reloads_total", "Loads of configuration and signatures, by result.", counter, []string{"result"}, func(s *status.Status, emit emit) {
		emit(float64(s.Reload.Successes), "success")
		emit(float64(s.Reload.Failures), "failure")
	}},
	{"reload_last_success_timestamp_seconds", "When what is in use was loaded.", gauge, nil, func(s *status.Status, emit emit) { emit(float64(s.Reload.Loaded.UnixMilli()) / 1000) }},
	{"reload_last_failed", "1 if the last reload failed.", gauge, nil, func(s *status.Status, emit emit) { emit(truth(len(s.Reload.Problems) > 0)) }},

	{"followers", "Clients that follow the alerts by the local socket.", gauge, nil, one(func(s *status.Status) int { return s.API.Followers })},
	{"follower_missed_total", "Alerts that clients were too slow for.", counter, nil, one(func(s *status.Status) uint64 { return s.API.Dropped })},
}

// namespace is what the name of every metric begins with.
const namespace = "ipcwarden"

// collector makes metrics of a state when it is asked for them.
type collector struct {
	now   func() *status.Status
	descs []*prometheus.Desc
}

// NewRegistry has the metrics of the state that now returns, of this process, and of
// the Go runtime.
func NewRegistry(now func() *status.Status) *prometheus.Registry {
	c := &collector{now: now}
	for _, m := range metrics {
		c.descs = append(c.descs, prometheus.NewDesc(namespace+"_"+m.name, m.help, m.labels, nil))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(c, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range c.descs {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := c.now()
	for i, m := range metrics {
		m.values(s, func(value float64, labels ...string) {
			for i, label := range labels {
				labels[i] = strings.ToValidUTF8(label, "\uFFFD")
			}
			made, err := prometheus.NewConstMetric(c.descs[i], m.kind, value, labels...)
			if err != nil {
				made = prometheus.NewInvalidMetric(c.descs[i], err)
			}
			out <- made
		})
	}
}
