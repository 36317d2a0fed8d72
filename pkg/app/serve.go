package app

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"github.com/ipcwarden/ipcwarden/pkg/api"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/metrics"
)

// listeners are where others can ask; nil for nowhere.
type listeners struct {
	api, metrics net.Listener
	servers      []*http.Server
}

// listen opens them, before anything is attached: an address that is taken is a
// mistake in the configuration. That the default socket cannot be had is none, for
// there may be another ipcwarden, or no directory to write to; it is done without.
func listen(c *config.Loaded, log *zap.Logger) (*listeners, error) {
	l := &listeners{}
	var err error
	if path := c.API.Socket; path != "" {
		l.api, err = api.Listen(path)
		_, asked := c.Origins["api.socket"]
		switch {
		case err != nil && asked:
			return nil, fmt.Errorf("open the local socket: %w", err)
		case err != nil:
			log.Warn("no local socket: ipcwarden status and ipcwarden alerts have nobody to ask", zap.Error(err))
		}
	}
	switch network, address := c.Metrics.Address(); network {
	case "unix":
		l.metrics, err = api.Listen(address)
	case "tcp":
		l.metrics, err = net.Listen(network, address)
	default:
		return l, nil
	}
	if err != nil {
		l.close()
		return nil, fmt.Errorf("open the address of the metrics: %w", err)
	}
	return l, nil
}

// serve answers from now on.
func (l *listeners) serve(m *monitor, c *config.Loaded, log *zap.Logger) {
	if l.api != nil {
		mux := api.Handler(m.alerts, m.status)
		metrics.AddTo(mux, m.status)
		l.start(l.api, mux, log)
	}
	if l.metrics != nil {
		mux := http.NewServeMux()
		metrics.AddTo(mux, m.status)
		if c.Metrics.Pprof {
			metrics.AddProfiles(mux)
		}
		l.start(l.metrics, mux, log)
	}
}

const (
	// headerTime, answerTime and idleTime bound how long a client can keep a
	// connection busy; a follower and a profile last longer than an answer.
	headerTime = 5 * time.Second
	answerTime = 2 * time.Minute
	idleTime   = time.Minute

	// maxHeader bounds what a client can have kept.
	maxHeader = 16 << 10

	// maxConnections bounds the descriptors that clients can take of a listener.
	maxConnections = 64
)

func (l *listeners) start(listener net.Listener, handler http.Handler, log *zap.Logger) {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, WriteTimeout: answerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: zap.NewStdLog(log.Named("http")),
	}
	l.servers = append(l.servers, server)
	log.Info("listening", zap.String("address", listener.Addr().String()))
	go func() {
		if err := server.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			log.Error("not listening any more", zap.String("address", listener.Addr().String()), zap.Error(err))
		}
	}()
}

// close ends all, followers as well.
func (l *listeners) close() {
	for _, server := range l.servers {
		server.Close() //nolint:errcheck // nothing is to be kept of it
	}
	for _, listener := range []net.Listener{l.api, l.metrics} {
		if listener != nil {
			listener.Close()
		}
	}
}
