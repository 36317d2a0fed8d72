package deliver

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
)

// TestSpoolOutlivesTheProcess closes a delivery whose receiver is down, and opens it
// again with another sink beside.
func TestSpoolOutlivesTheProcess(t *testing.T) {
	down := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	works := newReceiver(t, nil)
	dir := filepath.Join(t.TempDir(), "spool")
	settings := Settings{Retry: quick(), Spool: spool.Settings{Path: dir, MaxBytes: 8 << 20}}
	settings.Retry.Queue = 5 // the rest has to come from the disk
	settings.Sinks = map[string]sink.Settings{"a": webhook(down.URL), "b": webhook(works.URL)}
	d, _ := start(t, settings, nil)
	for i := range 100 {
		d.Deliver(numbered(i, detect.High))
	}
	await(t, func() bool { return d.Counters().Sinks["b"].Sent == 100 })
	if err := end(d, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "sink a: 100 alerts not delivered") {
		t.Errorf("Close: %v", err)
	}
	again, fresh := newReceiver(t, nil), newReceiver(t, nil)
	settings.Sinks = map[string]sink.Settings{"a": webhook(again.URL), "b": webhook(works.URL), "c": webhook(fresh.URL)}
	d, _ = start(t, settings, nil)
	for i := range 10 {
		d.Deliver(numbered(100+i, detect.High))
	}
	if err := end(d, patience); err != nil {
		t.Fatal(err)
	}
	if got := again.got(); !slices.Equal(got, count(110)) {
		t.Errorf("a got %v", got)
	}
	if got := works.got(); !slices.Equal(got, count(110)) {
		t.Errorf("b got %v", got)
	}
	if got := fresh.got(); !slices.Equal(got, count(110)[100:]) {
		t.Errorf("c got %v", got)
	}
	if c := d.Counters(); c.Sinks["a"].Lost != 0 || c.Unstored != 0 {
		t.Errorf("%+v", c)
	}
}

// TestUnchanging is about an alert that is read from the spool.
func TestUnchanging(t *testing.T) {
	e, err := sink.NewEntry(numbered(3, detect.High))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := sink.ParseEntry(e.JSON)
	if err != nil {
		t.Fatal(err)
	}
	again, err := sink.NewEntry(parsed.Alert)
	if err != nil || string(again.JSON) != string(e.JSON) {
		t.Errorf("%v\n%s\n%s", err, e.JSON, again.JSON)
	}
}
