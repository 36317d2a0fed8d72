package regosig

import (
	"math"
	"math/rand/v2"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// randomEvent makes an event of which every field has one of a few values, those
// that signatures ask about among them.
func randomEvent(seed uint64) *event.Event { return eventFrom(rand.NewPCG(seed, 1)) }

// eventFrom makes the event that a source of random numbers leads to.
func eventFrom(source rand.Source) *event.Event {
	g := generator{rand.New(source)}
	e := &event.Event{
		ID: pick(g, event.Rows()...).ID, ABI: pick(g, event.ABIs()...), Multiplexed: g.rarely(), Compat: g.rarely(),
		Time64: g.rarely(), Unfinished: g.rarely(), Call: uint16(g.IntN(26)), Version: uint16(g.IntN(2)),
		BootNS: 5000, TimeNS: int64(g.Uint64()), DurationNS: g.number(), RawCommand: uint32(g.number()), CPU: uint32(g.IntN(3)),
		Sleeps: uint32(g.IntN(3)), CopiedSleeps: uint32(g.IntN(2)), OverlapsOmitted: uint32(pick(g, 0, 0, 2)), CopiedNS: pick(g, uint64(0), 0, 5000, 6000, 300_000_000),
		Return: pick(g, int64(0), 0, 0, 0, 7, 4096, -1, -2, -4, -11, -13, -14, -17, -22, -27, -28, -38, -43, -3000, 0x7f0000000000, math.MinInt64),
	}
	for i := range e.Args {
		e.Args[i], e.Raw[i] = g.number(), g.number()
	}
	if i := e.Row().CommandAt(); i >= 0 && g.IntN(2) == 0 {
		e.Args[i] = uint64(pick(g, e.Row().Args[i].Decode.Names()...).Value)
	}
	e.RawReturn = e.Return
	e.Process = event.Process{
		PID: uint32(g.IntN(100)), HostPID: g.Uint32(), UID: pick(g, uint32(0), 1000), EUID: pick(g, uint32(0), 1000, 33),
		CgroupID: g.number(), IPCNamespace: g.Uint32(), PIDNamespace: 4026531836, ThreadStartNS: g.number(), BootToUnixNS: 1_700_000_000,
		Comm: pick(g, "init", "a\xff\xfeb", "", "ünü"), ProgramBits: pick(g, uint8(0), 32, 64), Executable: pick(g, "", "/tmp/a", "/bin/\xc3", "/usr/bin/a", "/usr/sbin/sshd", "/usr/sbin/cron", "/usr/bin/Xvfb"),
		HostName: pick(g, "host", "\xff"), ContainerID: pick(g, "", "c0ffee", "\xff\xfe"),
	}
	e.Process.Workload = []*event.Workload{nil, {Image: "nginx:1", PodName: "web"}, {Image: "\xff"}}[e.Process.HostPID%3]
	first, second := event.Ancestor{HostPID: 7, Comm: "a\xff"}, event.Ancestor{HostPID: 1, Comm: "init"}
	e.Process.Ancestors = []event.Ancestor{first, second, first, second, first, second, second, first}[:e.Process.HostPID%(event.MaxAncestors+1)]
	e.Object = event.Object{
		Kind: pick(g, e.Row().Kind, e.Row().Kind, event.NoKind), Created: g.rarely(), ID: int32(g.number()), Key: pick(g, 0, int32(g.number())),
		Mode: pick(g, uint16(0o600), 0o666, 0o1666, 0o622, 0o600, 0o600), Sequence: g.number(), OwnerUID: pick(g, uint32(0), 1000), CreatorUID: pick(g, uint32(0), 1000),
		QueueBytes: g.number(), CurrentBytes: g.number(), Messages: g.number(), Semaphores: pick(g, uint64(0), 1, 4, 8192), SegmentBytes: g.number(),
		Attached: g.number(), CreatorPID: g.Uint32(), CreatorGone: g.rarely(), LastPID: g.Uint32(), LastSendPID: pick(g, e.Process.HostPID, g.Uint32()), LastReceivePID: pick(g, 0, g.Uint32()),
		Kernel: event.KernelObject{Seen: g.rarely(), ID: 7, Access: event.Access(g.IntN(16) * g.IntN(2))},
	}
	g.memory(e)
	for range pick(g, 0, 0, 0, 1, 3) {
		e.Overlaps = append(e.Overlaps, event.Overlap{
			HostPID: g.Uint32(), ID: event.ID(1 + g.IntN(12)), Writes: g.rarely(), Address: g.number(), Length: g.number(), DurationNS: pick(g, 0, g.number()),
		})
	}
	return e
}

type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

func (g generator) rarely() bool { return g.IntN(4) == 0 }

// number is a small or a great number, or flags, or a pointer.
func (g generator) number() uint64 {
	return pick(g, uint64(0), 1, 2, 4, 7, 13, 18, 976, 0o4000, 0o44000, 0o1666, 0o100000, 0o40000, 0o20000, 0x101, 4096, 0x7f0000001000,
		2_000_000, 60_000_000, 300_000_000, math.MaxInt64, math.MaxInt64+1, math.MaxUint64, g.Uint64())
}

// memory fills in what the pointers among the arguments lead to.
func (g generator) memory(e *event.Event) {
	if i := e.Row().MainAt(); i >= 0 && g.IntN(5) > 0 {
		pointee := pick(g, e.Row().Args[i].Pointee, e.Row().Args[i].Pointee, event.Semun, event.SettingsOut)
		if e.Command() == "IPC_SET" {
			pointee, e.Return = event.Settings, pick(g, e.Return, 0)
		}
		e.Memory[event.MainMemory] = g.region(pointee, e.Row().Args[i].Name)
		if e.Row().Args[i].Pointee == event.Sembufs {
			e.Args[2] = uint64(len(e.Memory[event.MainMemory].Entry.Bytes) / event.SembufSize)
		}
	}
	if e.Multiplexed && g.rarely() {
		e.Memory[event.IndirectMemory] = g.region(event.NoPointee, pick(g, "third", "*ptr"))
	}
	if i := e.Row().TimeoutAt(); i >= 0 && g.rarely() {
		e.Memory[event.TimeoutMemory] = g.region(event.Timespec, e.Row().Args[i].Name)
	}
}

func (g generator) region(pointee event.Pointee, arg string) event.Memory {
	length := pick(g, 0, 3, 6, 12, 16, 104, 120)
	if pointee == event.Settings && g.IntN(4) > 0 {
		length = 120
	}
	one := g.bytes(length, pointee)
	other := pick(g, one, one, g.bytes(length, pointee))
	view := func() event.View {
		v := event.View{State: event.State(g.IntN(4)), Bytes: pick(g, one, other)}
		if pointee == event.Settings && len(v.Bytes) >= 24 {
			v.Bytes = append([]byte(nil), v.Bytes...)
			v.Bytes[20] |= byte(g.IntN(2)) << 1
		}
		if pointee == event.MsgbufIn && g.rarely() {
			v.Bytes = []byte("\x01\x00\x00\x00\x00\x00\x00\x00password=hunter2")
		}
		if g.rarely() {
			v.Digest, v.Digested = uint64(g.IntN(2)), 100
		}
		if v.State == event.Absent || v.State == event.Unreadable {
			v.Bytes = nil
		}
		return v
	}
	m := event.Memory{Pointee: pointee, Arg: arg, Address: g.number(), Length: uint64(length), Entry: view(), Kernel: view(), Exit: view()}
	m.KernelLength, m.KernelSource = uint64(length), event.Source(g.IntN(3))
	for i := range m.Mappings {
		m.Mappings[i] = event.Mapping{
			State: event.MappingState(g.IntN(4)), Shared: g.rarely(), Userfaultfd: g.rarely(), Resident: g.rarely(),
			Magic: pick(g, uint32(0), 0x65735546, 0x01021994, 5), IsSegment: g.rarely(), SegmentID: 9, Attached: 2,
		}
	}
	return m
}

// bytes are random, and for operations mostly such as a program would ask for.
func (g generator) bytes(length int, pointee event.Pointee) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(g.Uint32())
		if pointee == event.Sembufs {
			b[i] = pick(g, byte(0), 0, byte(g.IntN(6)))
			if i%event.SembufSize == 5 {
				b[i] = pick(g, byte(0), 0o4000>>8, 0x10)
			}
		}
	}
	return b
}
