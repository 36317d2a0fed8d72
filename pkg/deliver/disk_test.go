package deliver

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
)

// smallDisk mounts a disk of three megabytes.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// diskTest is a delivery with its spool on a disk, to a receiver and to a screen.
type diskTest struct {
	*testing.T
	*Delivery
	receiver *receiver
	screen   lockedBuffer
	sent     int
}

func onDisk(t *testing.T, disk string) *diskTest {
	t.Helper()
	d := &diskTest{T: t, receiver: newReceiver(t, nil)}
	screen := sink.Settings{Kind: sink.KindStdout}
	screen.SetDefaults()
	settings := spooled(filepath.Join(disk, "spool"), d.receiver.URL)
	settings.Spool.MaxBytes = 1 << 20
	settings.Sinks["screen"] = screen
	settings.Retry.Alert = setting.Duration(10 * time.Millisecond)
	d.Delivery, _ = start(t, settings, &d.screen)
	return d
}

// deliver delivers some alerts, whatever the disk does, and returns how many of all were
// not stored.
func (d *diskTest) deliver() (unstored uint64) {
	d.Helper()
	for range 100 {
		d.Deliver(numbered(d.sent, detect.High))
		d.sent++
	}
	await(d.T, func() bool { return len(d.receiver.got()) == d.sent })
	return d.Counters().Unstored
}

// awaitState waits for the alerts to say so of the spool.
func (d *diskTest) awaitState(state string) {
	d.Helper()
	await(d.T, func() bool { return strings.Contains(d.screen.String(), `"sink":"spool","state":"`+state+`"`) })
}

// recovers wants alerts to be stored again, and that all have arrived.
func (d *diskTest) recovers() {
	d.Helper()
	d.awaitState("recovered")
	before := d.Counters().Unstored
	if now := d.deliver(); now != before {
		d.Errorf("%d alerts were not stored after the recovery", now-before)
	}
	if got := d.receiver.got(); !slices.Equal(got, count(d.sent)) {
		d.Errorf("%d alerts arrived, of %d", len(got), d.sent)
	}
}

// TestFullDisk fills the disk of the spool, and then makes room again.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t)
	d := onDisk(t, disk)
	if n := d.deliver(); n > 0 {
		t.Fatalf("%d alerts were not stored on a disk with room", n)
	}
	filler := filepath.Join(disk, "filler")
	if err := fill(filler); err != nil {
		t.Fatal(err)
	}
	for d.deliver() == 0 { // the store has room of its own for some
		if d.sent > 100_000 {
			t.Fatal("the disk was never full")
		}
	}
	d.awaitState("failing")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	d.recovers()
}

// TestUnstoredIsBounded has neither the disk nor the receiver take anything: of what is
// in memory only, the newest are kept, and the others counted.
func TestUnstoredIsBounded(t *testing.T) {
	disk := smallDisk(t)
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	var open atomic.Bool
	r := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		if !open.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return !open.Load()
	})
	settings := spooled(filepath.Join(disk, "spool"), r.URL)
	settings.Retry.Queue, settings.Retry.Alert = 10, setting.Duration(time.Hour)
	d, _ := start(t, settings, nil)
	await(t, func() bool { return d.Counters().Unstored > 0 }) // the alert that says so
	for i := range 50 {
		d.Deliver(numbered(i, detect.High))
	}
	await(t, func() bool { return d.Counters().Unstored >= 51 })
	open.Store(true)
	if err := end(d, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	c := d.Counters()
	if hook := c.Sinks["hook"]; c.Unstored != c.Taken || hook.Lost+hook.Sent != c.Taken || hook.Lost < 40 || !slices.Contains(r.got(), 49) {
		t.Errorf("%+v, got %v", c, r.got())
	}
}

// TestReadOnlyDisk begins with a disk that cannot be written to.
func TestReadOnlyDisk(t *testing.T) {
	disk := smallDisk(t)
	remount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("", disk, "", unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(unix.MS_RDONLY)
	d := onDisk(t, disk)
	if n := d.deliver(); n != 100 {
		t.Errorf("%d alerts were not stored, of 100", n)
	}
	d.awaitState("failing")
	remount(0)
	d.recovers()
}

// fill writes to a file until the disk is full.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for b := make([]byte, 4096); err == nil; {
		_, err = f.Write(b)
	}
	if closeErr := f.Close(); closeErr != nil {
		return closeErr
	}
	if info, statErr := os.Stat(path); statErr != nil || info.Size() == 0 {
		return fmt.Errorf("%d bytes were free: %w", info.Size(), err)
	}
	return nil
}
