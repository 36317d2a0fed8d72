package metrics

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/ipcwarden/ipcwarden/pkg/status"
)

func sample() *status.Status {
	s := &status.Status{
		Version: "v1", Time: time.Now(),
		Capture: status.Capture{
			Attached: true, Hook: "kprobe", Entered: 13, Emitted: 4, Filtered: 1, Unmatched: 2, Aggregated: 3, Repeated: 2, InFlight: 1,
			Lost: map[string]uint64{"ring_full": 2}, Cut: 5, RingBytes: 100, RingUsed: 7,
		},
		Signatures:   []status.Signature{{ID: "A\xff", Evaluations: 9, Matches: 8, Errors: 7, Panics: 6, Overruns: 5, Seconds: 0.5, Suspended: true}},
		Correlations: []status.Correlation{{ID: "C", Matches: 1, Found: 2, Late: 3, Evicted: 4, Groups: 5, Bytes: 6}},
		Suppressions: []status.Suppression{{Entry: "same", Count: 3}, {Entry: "same"}},
		Throttled:    status.Throttled{Repeated: 6, OverLimit: 7, Evicted: 8},
		Spool:        &status.Spool{Bytes: 10, MaxBytes: 20, Taken: 11, Delivered: 12, Dropped: 13, Unstored: 14, Errors: 15, CutBytes: 16, Failing: "full"},
		Alerts:       status.Alerts{Delivered: 3, Undelivered: 1},
		Sinks:        []status.Sink{{Name: "hook", Queue: 1, Capacity: 10, Sent: 2, Below: 9, Failed: 3, Dropped: 4, Retries: 5}},
		Reload:       status.Reload{Successes: 2, Failures: 1, Loaded: time.Unix(1000, 0)},
		API:          status.API{Followers: 1, Dropped: 2},
	}
	s.Judge(time.Now())
	return s
}

func TestMetrics(t *testing.T) {
	registry := NewRegistry(sample)
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", err, problems)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := ""
			for _, label := range m.GetLabel() {
				labels += "," + label.GetValue()
			}
			got[family.GetName()+labels] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"ipcwarden_build_info,v1": 1, "ipcwarden_ready,probe": 1, "ipcwarden_ready,signatures": 0, "ipcwarden_calls_entered_total": 13,
		"ipcwarden_calls_total,unmatched": 2, "ipcwarden_calls_total,aggregated": 3, "ipcwarden_calls_repeated_total": 2, "ipcwarden_calls_lost_total,ring_full": 2, "ipcwarden_ring_used_bytes": 7,
		"ipcwarden_signature_evaluations_total,A\uFFFD": 9, "ipcwarden_signature_seconds_total,A\uFFFD": 0.5, "ipcwarden_signature_suspended,A\uFFFD": 1,
		"ipcwarden_correlation_groups,C": 5, "ipcwarden_suppressed_findings_total,0: same": 3, "ipcwarden_alerts_total,undelivered": 1, "ipcwarden_sink_dropped_total,hook": 4,
		"ipcwarden_sink_below_total,hook":             9,
		"ipcwarden_throttled_findings_total,repeated": 6, "ipcwarden_throttled_findings_total,over_limit": 7, "ipcwarden_throttle_evicted_groups_total": 8,
		"ipcwarden_spool_size_bytes": 10, "ipcwarden_spool_limit_bytes": 20, "ipcwarden_spool_taken_total": 11, "ipcwarden_spool_delivered_total": 12,
		"ipcwarden_spool_dropped_total": 13, "ipcwarden_spool_unstored_total": 14, "ipcwarden_spool_errors_total": 15, "ipcwarden_spool_cut_bytes_total": 16,
		"ipcwarden_spool_failing": 1, "ipcwarden_reloads_total,failure": 1, "ipcwarden_reload_last_success_timestamp_seconds": 1000, "ipcwarden_follower_missed_total": 2,
	} {
		if value, there := got[name]; !there || value != want {
			t.Errorf("%s is %v, %v, want %v", name, value, there, want)
		}
	}
}

func TestHealth(t *testing.T) {
	s := sample()
	mux := http.NewServeMux()
	AddTo(mux, func() *status.Status { return s })
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, body := get("/healthz"); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	code, body := get("/readyz")
	var r readiness
	if err := json.Unmarshal([]byte(body), &r); err != nil || code != http.StatusServiceUnavailable || r.Ready || len(r.Checks) != 4 || !strings.Contains(body, "suspended: A") {
		t.Errorf("%d %s", code, body)
	}
	s.Signatures, s.Spool = nil, nil
	s.Judge(time.Now())
	if code, body := get("/readyz"); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	s.Time = time.Now().Add(-time.Minute)
	if code, body := get("/healthz"); code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, body)
	}
	if code, body := get("/metrics"); code != http.StatusOK || !strings.Contains(body, "ipcwarden_calls_entered_total 13\n") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := get("/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("profiles nobody asked for: %d", code)
	}
	AddProfiles(mux)
	if code, body := get("/debug/pprof/"); code != http.StatusOK || !strings.Contains(body, "goroutine") {
		t.Errorf("%d %s", code, body)
	}
}
