package app

import (
	"bytes"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/capture"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// replayed are the alerts for events.
func replayed(t *testing.T, c *config.Config, events []*event.Event) []byte {
	t.Helper()
	var recording, alerts bytes.Buffer
	w, err := capture.NewWriter(&recording, capture.Header{Host: "host"})
	must(t, err)
	for _, e := range events {
		must(t, w.Event(e))
	}
	must(t, w.Flush())
	must(t, Replay(t.Context(), ReplayOptions{Config: &config.Loaded{Config: c}}, &recording, &alerts, zap.NewNop()))
	return alerts.Bytes()
}

// TestSpraysOfMessages wants a spray found whether its queues have keys or not, with one
// message in each of many or with two, whose sizes differ but land in the slabs of the
// same objects; and nothing of what a server with many clients does.
func TestSpraysOfMessages(t *testing.T) {
	const class, header = 1024, 48
	for name, tt := range map[string]struct {
		queues   int
		messages uint64 // in each
		keyed    bool
		receiver uint32
		want     bool
	}{
		"two in each":                  {queues: 64, messages: 2, want: true},
		"one in each":                  {queues: 128, messages: 1, want: true},
		"two in each, under keys":      {queues: 128, messages: 2, keyed: true, want: true},
		"one in each, under keys":      {queues: 512, messages: 1, keyed: true},
		"few queues, one in each":      {queues: 64, messages: 1},
		"few queues, many in each":     {queues: 32, messages: 16},
		"two in each, which are taken": {queues: 512, messages: 2, receiver: 8},
	} {
		var events []*event.Event
		for round := range tt.messages {
			for id := range tt.queues {
				size := uint64(class - header - 1 - id%100)
				e := &event.Event{ID: event.Msgsnd, Args: [event.MaxArgs]uint64{uint64(id), 0x1000, size}, BootNS: uint64(len(events) * 1000), TimeNS: 1_800_000_000_000_000_000}
				e.Object = event.Object{Kind: event.MessageQueue, ID: int32(id), Mode: 0o600, QueueBytes: 16384, Messages: round, LastReceivePID: tt.receiver}
				if tt.keyed {
					e.Object.Key = int32(id + 1)
				}
				e.Process = event.Process{HostPID: 9, HostTID: 9, Comm: "spray", Executable: "/usr/bin/spray"}
				events = append(events, e)
			}
		}
		if got := replayed(t, config.Default(), events); bytes.Contains(got, []byte("IPCW-015")) != tt.want {
			t.Errorf("%s: alerts %s", name, got)
		}
	}
}

// TestSpraysOfAnySize wants one found in sets of different size.
func TestSpraysOfAnySize(t *testing.T) {
	var events []*event.Event
	for id := range int32(64) {
		e := &event.Event{ID: event.Semget, Return: int64(id), BootNS: uint64(id) * 1000, TimeNS: 1_800_000_000_000_000_000}
		e.Args[1] = uint64(id) + 1
		e.Object = event.Object{Kind: event.Semaphore, ID: id, Mode: 0o600, Semaphores: uint64(id) + 1, Created: true}
		e.Process = event.Process{HostPID: 9, HostTID: 9, Comm: "spray", Executable: "/usr/bin/spray"}
		events = append(events, e)
	}
	if got := replayed(t, config.Default(), events); !bytes.Contains(got, []byte("IPCW-029")) {
		t.Errorf("alerts %s", got)
	}
}

// TestCrossingOfOneSegment wants a crossing only where both attach the same segment, and
// not two that had the same id, one after the other, in namespaces with the same inode.
func TestCrossingOfOneSegment(t *testing.T) {
	attached := func(second uint64, creator uint32, container string) *event.Event {
		e := &event.Event{ID: event.Shmat, Return: 0x7f0000000000, BootNS: second * uint64(time.Second), TimeNS: 1_800_000_000_000_000_000}
		e.Object = event.Object{Kind: event.SharedMemory, ID: 7, Mode: 0o600, SegmentBytes: 8192, CreatorPID: creator}
		e.Process = event.Process{HostPID: 9, HostTID: 9, ContainerID: container, Executable: "/usr/bin/worker"}
		return e
	}
	for name, tt := range map[string]struct {
		creator uint32 // of the segment that the container attaches
		want    bool
	}{"one": {100, true}, "two": {200, false}} {
		got := replayed(t, config.Default(), []*event.Event{attached(1, 100, ""), attached(2, tt.creator, "c0ffee")})
		if bytes.Contains(got, []byte("IPCW-041")) != tt.want {
			t.Errorf("%s: alerts %s", name, got)
		}
	}
}

// TestConfiguredGroups wants two processes found that do the same at the same time, but
// not with room for one of them.
func TestConfiguredGroups(t *testing.T) {
	var events []*event.Event
	for i := range uint64(40) {
		e := &event.Event{ID: event.Msgsnd, Args: [event.MaxArgs]uint64{7, 0x1000, 976}, Return: -22, BootNS: i * 1000, TimeNS: 1_800_000_000_000_000_000}
		e.Process = event.Process{HostPID: uint32(i%2 + 1), HostTID: uint32(i%2 + 1), Comm: "worker", Executable: "/usr/bin/worker"}
		events = append(events, e)
	}
	for groups, want := range map[int]int{1: 0, 2: 2} {
		c := config.Default()
		c.Correlation.Groups = groups
		if got := replayed(t, c, events); bytes.Count(got, []byte("\n")) != want {
			t.Errorf("with %d groups, alerts %s, want %d", groups, got, want)
		}
	}
}
