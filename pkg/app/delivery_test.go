package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/api"
	"github.com/ipcwarden/ipcwarden/pkg/deliver"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
	"github.com/ipcwarden/ipcwarden/pkg/status"
)

// TestFollowersHearOfDelivery has a sink fail: who follows the alerts is told.
func TestFollowersHearOfDelivery(t *testing.T) {
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer down.Close()
	retry := deliver.DefaultRetry()
	retry.Alert = setting.Duration(time.Millisecond)
	hook := newSink(sink.KindWebhook)
	hook.Webhook.URL = setting.NewSecret(down.URL)
	alerts := api.NewAlerts(10)
	d, err := newDelivery(DeliveryOptions{Settings: deliver.Settings{
		Retry: retry, Sinks: map[string]sink.Settings{"hook": hook, "screen": newSink(sink.KindStdout)},
		Spool: spool.Settings{Path: t.TempDir(), MaxBytes: 1 << 20},
	}}, "host", io.Discard, zap.NewNop(), alerts)
	must(t, err)
	defer d.close()
	d.deliver((&alert.Factory{}).FromGap(alert.Gap{Count: 1}))
	var types []alert.Type
	for end := time.Now().Add(patience); len(types) < 2 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		types = nil
		for _, a := range alerts.Last(-1) {
			types = append(types, a.Type)
		}
	}
	if !slices.Equal(types, []alert.Type{alert.TypeGap, alert.TypeDelivery}) {
		t.Errorf("followers hear of %v", types)
	}
	s := status.Status{}
	d.read(&s)
	if s.Spool == nil || s.Spool.Taken != 2 || s.Spool.Delivered != 0 || s.Spool.Bytes == 0 || s.Spool.MaxBytes != 1<<20 || len(s.Sinks) != 2 || s.Sinks[0].Failing == "" {
		t.Errorf("status %+v, spool %+v", s, s.Spool)
	}
}
