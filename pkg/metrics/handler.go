package metrics

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// AddTo adds to mux:
//
//	/metrics  for Prometheus
//	/healthz  200 if events are read, else 503: a restart would help
//	/readyz   200 if all checks are ok, else 503; the checks as JSON
func AddTo(mux *http.ServeMux, now func() *status.Status) {
	mux.Handle("GET /metrics", promhttp.HandlerFor(NewRegistry(now), promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		s := now()
		alive := s.Alive(time.Now())
		answer(w, alive, health{Alive: alive, Time: s.Time})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		s := now()
		answer(w, s.Ready, readiness{s.Ready, s.Checks})
	})
}

// AddProfiles adds /debug/pprof/ to mux.
func AddProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

type health struct {
	Alive bool      `json:"alive"`
	Time  time.Time `json:"time"` // when events were looked for the last time
}

type readiness struct {
	Ready  bool           `json:"ready"`
	Checks []status.Check `json:"checks"`
}

func answer(w http.ResponseWriter, good bool, body any) {
	w.Header().Set("Content-Type", "application/json")
	if !good {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(body) // the client has gone
}
