package probe

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// BenchmarkSnapshots is what looking at a call's memory costs its caller: captured
// without and with it, the second also as a multiple of the first, under
// "x-without". The message is sent and received again, which are two calls.
func BenchmarkSnapshots(b *testing.B) {
	for _, bench := range benchedCalls(b) {
		b.Run(bench.name, func(b *testing.B) {
			var without float64
			for _, blind := range []bool{true, false} {
				b.Run(map[bool]string{true: "without", false: "with"}[blind], func(b *testing.B) {
					perOp := whileRead(b, openForBench(b, blind), bench.call)
					if blind {
						without = perOp
					} else if without > 0 {
						b.ReportMetric(perOp/without, "x-without")
					}
				})
			}
		})
	}
}

// benchedCall is a call, or two, of which benchmarks measure what they cost.
type benchedCall struct {
	name string
	call func()
}

func benchedCalls(b *testing.B) []benchedCall {
	b.Helper()
	queue := object(b, unix.SYS_MSGGET, unix.SYS_MSGCTL, event.IPCPrivate, 0o600)
	set := object(b, unix.SYS_SEMGET, unix.SYS_SEMCTL, event.IPCPrivate, 1, 0o600)
	return []benchedCall{
		{"64-byte-message", sendAndReceive(queue, 64)},
		{"4096-byte-message", sendAndReceive(queue, 4096)},
		{"semop", waitForZero(set)},
	}
}

// whileRead makes the calls while somebody reads what the probe captures, and returns
// the nanoseconds that one of them takes.
func whileRead(b *testing.B, p *Probe, call func()) float64 {
	b.Helper()
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
	return float64(b.Elapsed().Nanoseconds()) / float64(b.N)
}

// object makes an IPC object that is removed when b ends.
func object(b *testing.B, get, ctl uintptr, args ...uintptr) uintptr {
	b.Helper()
	args = append(args, 0)
	id, _, errno := unix.Syscall(get, args[0], args[1], args[2])
	if errno != 0 {
		b.Fatal(errno)
	}
	b.Cleanup(func() {
		// msgctl takes the command second, semctl third, and 0 is IPC_RMID.
		if _, _, errno := unix.Syscall(ctl, id, 0, 0); errno != 0 {
			b.Error(errno)
		}
	})
	return id
}

func sendAndReceive(queue uintptr, bytes int) func() {
	message := make([]byte, 8+bytes)
	message[0] = 1 // its type
	at := uintptr(unsafe.Pointer(&message[0]))
	return func() {
		unix.Syscall6(unix.SYS_MSGSND, queue, at, uintptr(bytes), 0, 0, 0)
		unix.Syscall6(unix.SYS_MSGRCV, queue, at, uintptr(bytes), 0, 0, 0)
		_ = message
	}
}

func waitForZero(set uintptr) func() {
	operation := new([3]int16)
	return func() { unix.Syscall(unix.SYS_SEMOP, set, uintptr(unsafe.Pointer(operation)), 1) }
}

func openForBench(b *testing.B, blind bool) *Probe {
	b.Helper()
	return openWith(b, Options{Filter: Filter{Events: event.All}, SnapshotBytes: 64, DigestBytes: MaxDigestBytes, blind: blind})
}
