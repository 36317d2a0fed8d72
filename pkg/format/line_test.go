package format

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // lines have local time
	os.Exit(m.Run())
}

// base is a call of a process in a container: its ids there differ.
func base(id event.ID, args ...uint64) event.Event {
	e := event.Event{
		ID:         id,
		ABI:        event.AMD64,
		TimeNS:     time.Date(2024, 5, 6, 15, 4, 5, 123456789, time.UTC).UnixNano(),
		DurationNS: 12_345,
		Process:    event.Process{PID: 7, TID: 8, HostPID: 107, HostTID: 108, Comm: "worker"},
	}
	copy(e.Args[:], args)
	return e
}

func bytesOf(values ...any) []byte {
	var b []byte
	for _, v := range values {
		if text, ok := v.(string); ok {
			b = append(b, text...)
			continue
		}
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b
}

func entry(pointee event.Pointee, arg string, state event.State, values ...any) event.Memory {
	return event.Memory{Pointee: pointee, Arg: arg, Entry: event.View{State: state, Bytes: bytesOf(values...)}}
}

const (
	prefix = "15:04:05.123456 worker[107/108] uid=0 "
	negOne = ^uint64(0)
)

func TestLine(t *testing.T) {
	tests := map[string]struct {
		make func() event.Event
		want string
	}{
		"message": {
			func() event.Event {
				e := base(event.Msgsnd, 3, 0x7ffc10, 5, event.IPCNowait)
				e.Memory[event.MainMemory] = entry(event.MsgbufIn, "msgp", event.Whole, int64(1), "hello")
				e.Object = event.Object{Kind: event.MessageQueue, ID: 3, Key: 0x4d2, OwnerUID: 1000, Mode: 0o600}
				return e
			},
			`msgsnd(msqid=3, msgp=0x7ffc10{mtype=1, "hello"}, msgsz=5, msgflg=IPC_NOWAIT) = 0 <12.3µs> [msg 3 key 0x4d2 owner 1000 mode 0600]`,
		},
		"message cut and hostile": {
			func() event.Event {
				e := base(event.Msgsnd, 3, 0x7ffc10, 500, 0)
				e.Memory[event.MainMemory] = entry(event.MsgbufIn, "msgp", event.Cut, int64(-1), "a\"\n\x1b[2J\xff\u202e")
				return e
			},
			`msgsnd(msqid=3, msgp=0x7ffc10{mtype=-1, "a\"\n\x1b[2J\xff\u202e"...}, msgsz=500, msgflg=0) = 0 <12.3µs>`,
		},
		"error": {
			func() event.Event {
				e := base(event.Msgrcv, 3, 0x1000, 8, negOne, event.IPCNowait|0o40000)
				e.Return = -42
				return e
			},
			`msgrcv(msqid=3, msgp=0x1000, msgsz=8, msgtyp=-1, msgflg=IPC_NOWAIT|MSG_COPY) = -1 ENOMSG <12.3µs>`,
		},
		"received": {
			func() event.Event {
				e := base(event.Msgrcv, 3, 0x1000, 8, 0, 0)
				e.Return = 2
				e.Memory[event.MainMemory] = event.Memory{Pointee: event.MsgbufOut, Arg: "msgp", Exit: event.View{State: event.Whole, Bytes: bytesOf(int64(7), "hi")}}
				return e
			},
			`msgrcv(msqid=3, msgp=0x1000{mtype=7, "hi"}, msgsz=8, msgtyp=0, msgflg=0) = 2 <12.3µs>`,
		},
		"operations": {
			func() event.Event {
				e := base(event.Semtimedop, 9, 0x1000, 2, 0x2000)
				e.Memory[event.MainMemory] = entry(event.Sembufs, "sops", event.Whole, uint16(0), int16(-1), int16(0x1800), uint16(1), int16(2), int16(0))
				e.Memory[event.TimeoutMemory] = entry(event.Timespec, "timeout", event.Whole, int64(1), int64(500))
				return e
			},
			`semtimedop(semid=9, sops=0x1000{[{0, -1, IPC_NOWAIT|SEM_UNDO}, {1, 2, 0}]}, nsops=2, timeout=0x2000{tv_sec=1, tv_nsec=500}) = 0 <12.3µs>`,
		},
		"unreadable": {
			func() event.Event {
				e := base(event.Semop, 9, 0x1000, 1)
				e.Return = -14
				e.Memory[event.MainMemory] = entry(event.Sembufs, "sops", event.Unreadable)
				return e
			},
			`semop(semid=9, sops=0x1000{unreadable}, nsops=1) = -1 EFAULT <12.3µs>`,
		},
		"new segment": {
			func() event.Event {
				e := base(event.Shmget, 0, 4096, event.IPCCreat|event.IPCExcl|0o600)
				e.Return = 5
				e.Object = event.Object{Kind: event.SharedMemory, Created: true, ID: 5, Mode: 0o600}
				return e
			},
			`shmget(key=IPC_PRIVATE, size=4096, shmflg=IPC_CREAT|IPC_EXCL|0600) = 5 <12.3µs> [new shm 5 key IPC_PRIVATE owner 0 mode 0600]`,
		},
		"key": {
			func() event.Event { return base(event.Msgget, 0xffffffffdeadbeef, 0o44) },
			`msgget(key=0xdeadbeef, msgflg=044) = 0 <12.3µs>`,
		},
		"attached": {
			func() event.Event {
				e := base(event.Shmat, 5, 0, 0o10000)
				e.Return, e.DurationNS = 0x7f0000000000, 900
				return e
			},
			`shmat(shmid=5, shmaddr=NULL, shmflg=SHM_RDONLY) = 0x7f0000000000 <900ns>`,
		},
		"settings": {
			func() event.Event {
				e := base(event.Msgctl, 5, event.IPCSet, 0x1000)
				e.Memory[event.MainMemory] = entry(event.Settings, "buf", event.Whole, make([]byte, 120))
				b := e.Memory[event.MainMemory].Entry.Bytes
				b[4], b[8], b[20], b[21], b[88] = 100, 101, 0o200, 1, 64
				return e
			},
			`msgctl(msqid=5, cmd=IPC_SET, buf=0x1000{uid=100, gid=101, mode=0600, qbytes=64}) = 0 <12.3µs>`,
		},
		"value of a semaphore": {
			func() event.Event { return base(event.Semctl, 5, 1, event.SetVal, 0xfffffffe) },
			`semctl(semid=5, semnum=1, cmd=SETVAL, arg=-2) = 0 <12.3µs>`,
		},
		"values of a set": {
			func() event.Event {
				e := base(event.Semctl, 5, 0, event.SetAll, 0x1000)
				e.Memory[event.MainMemory] = entry(event.Semun, "arg", event.Whole, uint16(3), uint16(4))
				return e
			},
			`semctl(semid=5, semnum=0, cmd=SETALL, arg=0x1000{[3, 4]}) = 0 <12.3µs>`,
		},
		"unknown command": {
			func() event.Event {
				e := base(event.Shmctl, 5, 99, 0)
				e.Return = -22
				return e
			},
			`shmctl(shmid=5, cmd=99, buf=NULL) = -1 EINVAL <12.3µs>`,
		},
		"multiplexed": {
			func() event.Event {
				e := base(event.Shmdt, 0x1000)
				e.ABI, e.Multiplexed, e.Compat, e.Call = event.I386, true, true, 22
				return e
			},
			`shmdt(shmaddr=0x1000) = 0 <12.3µs> via ipc compat`,
		},
		"multiplexer": {
			func() event.Event {
				e := base(event.IPC, 12, 3, 8, 0, 0x2000, 0)
				e.ABI, e.Multiplexed, e.Compat, e.Call = event.I386, true, true, 12
				e.Memory[event.IndirectMemory] = entry(event.NoPointee, "ptr", event.Whole, uint32(0x1000), uint32(0))
				e.Memory[event.MainMemory] = entry(event.MsgbufOut, "*ptr", event.Whole, int32(1), "hi")
				return e
			},
			`ipc(call=MSGRCV, first=3, second=8, third=0, ptr=0x2000{0x1000{mtype=1, "hi"}}, fifth=0) = 0 <12.3µs> compat`,
		},
		"version and unknown call": {
			func() event.Event {
				e := base(event.IPC, 0x1001e)
				e.ABI, e.Multiplexed, e.Return = event.I386, true, -38
				return e
			},
			`ipc(call=30|1<<16, first=0, second=0, third=0, ptr=NULL, fifth=0) = -1 ENOSYS <12.3µs>`,
		},
		"unfinished": {
			func() event.Event {
				e := base(event.Msgget, 1, 0)
				e.Unfinished = true
				return e
			},
			`msgget(key=0x1, msgflg=0) <unfinished>`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := test.make()
			if got := string(Line(nil, &e)); got != prefix+test.want {
				t.Errorf("got  %s\nwant %s", got, prefix+test.want)
			}
		})
	}
}

func TestLineOfHostileCaller(t *testing.T) {
	e := base(event.Msgget, 1, 0)
	e.Process.Comm = "x[1/1] uid=0\n"
	e.Process.EUID = 1000
	want := `15:04:05.123456 "x[1/1] uid=0\n"[107/108] uid=0 euid=1000 msgget(`
	if got := string(Line(nil, &e)); !strings.HasPrefix(got, want) {
		t.Errorf("got %s\nwant the prefix %s", got, want)
	}
}

func TestLineShowsTheBeginning(t *testing.T) {
	e := base(event.Msgsnd, 3, 0x1000, 100, 0)
	e.Memory[event.MainMemory] = entry(event.MsgbufIn, "msgp", event.Whole, int64(1), strings.Repeat("x", 100))
	if got, want := string(Line(nil, &e)), `"`+strings.Repeat("x", maxTextBytes)+`"...}`; !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s in it", got, want)
	}
	e = base(event.Semop, 3, 0x1000, 100)
	e.Memory[event.MainMemory] = entry(event.Sembufs, "sops", event.Cut, make([]byte, 100*event.SembufSize))
	if got, want := string(Line(nil, &e)), strings.Repeat("{0, 0, 0}, ", maxElements)+"...]...}"; !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s in it", got, want)
	}
}

func TestLineShowsRaces(t *testing.T) {
	e := base(event.Msgsnd, 3, 0x1000, 1, 0)
	main := entry(event.MsgbufIn, "msgp", event.Whole, int64(1), "x")
	main.Exit = event.View{State: event.Whole, Bytes: bytesOf(int64(2), "x")}
	e.Memory[event.MainMemory] = main
	e.Overlaps = []event.Overlap{{HostPID: 9, HostTID: 10, ID: event.Msgrcv}}
	if got, want := string(Line(nil, &e)), "> changed msgp atEntry-atExit overlaps msgrcv[9/10]"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s\nwant %s at its end", got, want)
	}
}

func TestLineShowsRepeats(t *testing.T) {
	e := base(event.Msgsnd, 3, 0x1000, 1, 0)
	e.Repeats.Count = 939
	if got, want := string(Line(nil, &e)), "> (939 more before it)"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s\nwant %s at its end", got, want)
	}
	e.Repeats.Alone = true
	if got, want := string(Line(nil, &e)), "> (told before; 939 more after it)"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s\nwant %s at its end", got, want)
	}
}

// checkLine fails unless b is one line of printable characters.
func checkLine(t *testing.T, b []byte) {
	t.Helper()
	if !utf8.Valid(b) {
		t.Fatalf("invalid UTF-8: %q", b)
	}
	for _, r := range string(b) {
		if !strconv.IsPrint(r) {
			t.Fatalf("%U is not printable, in %q", r, b)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add(uint8(3), uint8(0), uint8(0), "comm", int64(0), uint64(5), uint64(0), []byte("text"))
	f.Add(uint8(1), uint8(1), uint8(0xff), "a\n", int64(-11), negOne, uint64(0x1_0000_0000), []byte{})
	f.Fuzz(func(t *testing.T, id, abi, bits uint8, comm string, ret int64, first, rest uint64, memory []byte) {
		e := base(event.ID(id), first, rest, first^rest, rest, first, rest)
		e.ABI = event.ABI(abi)
		e.TimeNS, e.DurationNS, e.Return, e.Call = ret, rest, ret, uint16(first)
		e.Multiplexed, e.Compat, e.Time64, e.Unfinished = bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0
		e.Process.Comm, e.Process.Executable = comm, comm
		e.Object = event.Object{Kind: event.Kind(bits >> 4), ID: int32(first), Key: int32(rest), Mode: uint16(first)}
		e.Overlaps = []event.Overlap{{HostPID: uint32(first), ID: event.ID(bits)}}
		view := event.View{State: event.State(bits >> 5), Bytes: memory}
		for _, arg := range e.Row().Args {
			for i := range e.Memory {
				e.Memory[i] = event.Memory{Pointee: event.Pointee(int(bits) + i), Arg: arg.Name, Entry: view, Exit: event.View{Bytes: []byte(comm)}}
			}
			checkLine(t, Line(nil, &e))
		}
		checkLine(t, Line(nil, &e))
		var d event.Document
		e.Document(&d)
		checkLine(t, AppendCall(nil, &d))
	})
}

func BenchmarkLine(b *testing.B) {
	e := base(event.Msgsnd, 3, 0x7ffc10, 5, event.IPCNowait)
	e.Memory[event.MainMemory] = entry(event.MsgbufIn, "msgp", event.Whole, int64(1), "hello")
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = Line(line[:0], &e)
	}
}
