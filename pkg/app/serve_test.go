package app

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ipcwarden/ipcwarden/pkg/api"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// TestListen has a socket at which another ipcwarden answers: whoever asked for it gets
// an error, and whoever did not goes on without.
func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.sock")
	other, err := api.Listen(path)
	must(t, err)
	defer other.Close()
	core, logs := observer.New(zapcore.WarnLevel)
	c := configured()
	c.API.Socket = path
	l, err := listen(c, zap.New(core))
	must(t, err)
	if l.api != nil || logs.Len() != 1 {
		t.Errorf("%+v, log %v", l, logs.All())
	}
	l.close()

	c.Origins = map[string]config.Origin{"api.socket": {Flag: "api"}}
	if _, err := listen(c, zap.New(core)); !errors.Is(err, api.ErrInUse) {
		t.Errorf("%v, want ErrInUse", err)
	}

	c.API.Socket = filepath.Join(t.TempDir(), "api.sock")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	c.Metrics.Listen = taken.Addr().String()
	if _, err := listen(c, zap.New(core)); err == nil {
		t.Error("an address that is taken is no error")
	}
	if _, err := os.Stat(c.API.Socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left after an error: %v", err)
	}
}

func TestRates(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(seconds, calls uint64) *status.Status {
		return &status.Status{
			Started: start, Time: start.Add(time.Duration(seconds) * time.Second),
			Capture: status.Capture{Entered: calls, Emitted: calls / 2, Lost: map[string]uint64{"a": calls / 10, "b": calls / 10}},
			Alerts:  status.Alerts{Delivered: calls / 100},
		}
	}
	m := &monitor{}
	for i := range uint64(30) {
		now := at(i, 100*i*i)
		rates := ratesOf(now, m.past)
		var calls float64 // of the last ten seconds, or since the start
		if i > 0 {
			span := min(i, rateSpan)
			calls = float64(100*i*i-100*(i-span)*(i-span)) / float64(span)
		}
		if rates.Calls != calls || rates.Events != calls/2 || rates.Lost != calls/5 || rates.Alerts != calls/100 {
			t.Errorf("after %d s: %+v, want %v calls", i, rates, calls)
		}
		m.remember(now)
		m.remember(&status.Status{Time: now.Time.Add(countInterval / 2)}) // that somebody asked for
	}
	if len(m.past) != rateSpan {
		t.Errorf("%d are remembered", len(m.past))
	}
}
