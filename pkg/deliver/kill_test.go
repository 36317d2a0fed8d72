package deliver

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/sink"
	"github.com/ipcwarden/ipcwarden/pkg/spool"
)

// What the test program, run again by TestKill, is to deliver.
const (
	childSpool = "IPCWARDEN_DELIVER_SPOOL"
	childURL   = "IPCWARDEN_DELIVER_URL"
	childFirst = "IPCWARDEN_DELIVER_FIRST"
)

// perLife is about how many alerts it takes until it is killed: the receiver is slower,
// and what the spool has no room for would be dropped.
const perLife = 300

func TestMain(m *testing.M) {
	if os.Getenv(childSpool) != "" {
		deliverUntilKilled()
	}
	os.Exit(m.Run())
}

// deliverUntilKilled delivers alerts and prints the number of each once it is taken.
func deliverUntilKilled() {
	first, err := strconv.Atoi(os.Getenv(childFirst))
	if err != nil {
		panic(err)
	}
	d, err := New(spooled(os.Getenv(childSpool), os.Getenv(childURL)), sink.Environment{Host: "host"}, factory, zap.NewNop())
	if err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	for n := first; ; {
		if n-first > perLife {
			select {}
		}
		some := 1 + rand.IntN(200)
		before := d.Counters().Taken
		for i := range some {
			d.Deliver(numbered(n+i, detect.High))
		}
		for d.Counters().Taken < before+uint64(some) {
			time.Sleep(50 * time.Microsecond)
		}
		if c := d.Counters(); c.Dropped > 0 || c.Unstored > 0 {
			panic(fmt.Sprintf("%+v", c))
		}
		for range some {
			fmt.Fprintln(out, n)
			n++
		}
		if err := out.Flush(); err != nil {
			panic(err)
		}
	}
}

func spooled(dir, url string) Settings {
	return Settings{
		Sinks: map[string]sink.Settings{"hook": webhook(url)}, Retry: quick(),
		Spool: spool.Settings{Path: dir, MaxBytes: 256 << 20},
	}
}

// TestKill kills a process that delivers under load, again and again, while the receiver
// fails now and then. Every alert that was reported as taken arrives, in order.
// $IPCWARDEN_KILLS is how often, 20 times without.
func TestKill(t *testing.T) {
	rounds := 20
	if text := os.Getenv("IPCWARDEN_KILLS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatalf("IPCWARDEN_KILLS: %v", err)
		}
	}
	r := newReceiver(t, func(try int, w http.ResponseWriter, _ *http.Request) bool {
		if try%7 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return try%7 == 0
	})
	dir := filepath.Join(t.TempDir(), "spool")
	var taken []int
	for round := range rounds {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childSpool+"="+dir, childURL+"="+r.URL, fmt.Sprintf("%s=%d", childFirst, round*1_000_000))
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		killed := false
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				break // the last line, of which not all was written
			}
			taken = append(taken, n)
			if !killed {
				killed = true
				time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, func() { _ = child.Process.Kill() })
			}
		}
		if err := child.Wait(); !killed || child.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	d, _ := start(t, spooled(dir, r.URL), nil)
	// What waits by now, one request each, of which every seventh has to wait to be tried again.
	if err := end(d, time.Minute+time.Duration(rounds)*2*time.Second); err != nil {
		t.Fatal(err)
	}
	got := r.got()
	if !slices.IsSorted(got) {
		t.Error("alerts arrived out of order")
	}
	arrived := map[int]bool{}
	for _, n := range got {
		arrived[n] = true
	}
	missing := 0
	for _, n := range taken {
		if !arrived[n] {
			missing++
		}
	}
	t.Logf("killed %d times: %d taken, %d arrived, %d more than once, %d missing", rounds, len(taken), len(arrived), r.repeats, missing)
	if missing > 0 || len(taken) < rounds {
		t.Errorf("%d of %d alerts that were taken are missing", missing, len(taken))
	}
}
