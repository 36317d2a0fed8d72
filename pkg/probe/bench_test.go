package probe

import (
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// removeNothing is the cheapest IPC call: it fails at once.
func removeNothing() { unix.Syscall(unix.SYS_MSGCTL, ^uintptr(0), event.IPCRmid, 0) }

// BenchmarkCall is what a System V IPC call costs its caller: without the probe,
// with a filter that rejects it in the kernel, and captured while a reader takes
// everything. BenchmarkOtherCall is the same for a call that is none of ours.
func BenchmarkCall(b *testing.B) { benchmarkCall(b, removeNothing) }

func BenchmarkOtherCall(b *testing.B) { benchmarkCall(b, func() { unix.Getppid() }) }

func benchmarkCall(b *testing.B, call func()) {
	b.Run("unwatched", func(b *testing.B) {
		for b.Loop() {
			call()
		}
	})
	b.Run("filtered", func(b *testing.B) {
		openOrSkip(b, Filter{Events: event.Of(event.Shmdt)})
		for b.Loop() {
			call()
		}
	})
	b.Run("captured", func(b *testing.B) {
		p := openOrSkip(b, Filter{Events: event.All})
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			readUntil(p, stop)
		}()
		for b.Loop() {
			call()
		}
		close(stop)
		<-done
		counts, err := p.Counts()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(counts.Lost[RingFull])/float64(max(counts.Entered, 1)), "lost/call")
	})
}

func readUntil(p *Probe, stop <-chan struct{}) {
	var e event.Event
	for {
		select {
		case <-stop:
			if p.Detach() != nil {
				return
			}
			stop = nil
		default:
		}
		if err := p.Next(&e); errors.Is(err, io.EOF) || err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

// BenchmarkNext is what reading and parsing one captured call costs the daemon.
func BenchmarkNext(b *testing.B) {
	p := openOrSkip(b, Filter{Events: event.All})
	var e event.Event
	left := 0
	b.ReportAllocs()
	for b.Loop() {
		if left == 0 {
			b.StopTimer()
			for left = 0; left < 10_000; left++ {
				removeNothing()
			}
			b.StartTimer()
		}
		if err := p.Next(&e); err == nil {
			left--
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			b.Fatal(err)
		}
	}
}
