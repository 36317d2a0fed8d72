package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// encode gives the bytes that the BPF program would write for r and main.
func encode(r Record, main []byte) []byte {
	r.Format = Format
	r.Length = uint32(Size + len(main))
	if len(main) > 0 {
		r.Memory[event.MainMemory].Views[AtEntry].Captured = uint16(len(main))
	}
	b := slices.Clone(unsafe.Slice((*byte)(unsafe.Pointer(&r)), Size))
	return append(b, main...)
}

// parse is Parse for bytes that must be good.
func parse(t testing.TB, b []byte) *event.Event {
	t.Helper()
	var e event.Event
	if err := Parse(b, 0, &e); err != nil {
		t.Fatal(err)
	}
	return &e
}

func document(t testing.TB, e *event.Event) *event.Document {
	t.Helper()
	var d event.Document
	e.Document(&d)
	if _, err := json.Marshal(&d); err != nil {
		t.Fatal(err)
	}
	return &d
}

func msgsnd() (Record, []byte) {
	r := Record{
		Event: uint8(event.Msgsnd), ABI: uint8(event.AMD64), EnteredNS: 100, ExitedNS: 350,
		Args: [6]uint64{0xdead00000007, 0x7ffc0000, 5, 0o4000}, Return: -11,
	}
	copy(r.Comm[:], "sender")
	r.Memory[event.MainMemory] = Memory{Used: 1, Address: 0x7ffc0000, Length: 13, Pointee: uint8(event.MsgbufIn), Views: [3]View{{State: uint8(event.Whole)}}}
	return r, append(binary.NativeEndian.AppendUint64(nil, 42), "hello"...)
}

func TestParseNative(t *testing.T) {
	e := parse(t, encode(msgsnd()))
	d := document(t, e)
	if id, _ := e.Arg("msqid"); int64(id) != 7 {
		t.Errorf("msqid %d, want 7: an int has 32 bits", int64(id))
	}
	if d.EventName != "msgsnd" || d.Error != "EAGAIN" || !slices.Equal(d.Flags, []string{"IPC_NOWAIT"}) || d.DurationNS != 250 {
		t.Errorf("document %+v", d)
	}
	content := d.Memory[0].AtEntry
	if *content.Mtype != 42 || *content.Text != "hello" || content.State != "read" || d.Memory[0].Arg != "msgp" {
		t.Errorf("memory %+v of %+v", content, d.Memory[0])
	}
}

func TestParseMultiplexed(t *testing.T) {
	r := Record{
		Event: uint8(event.Msgrcv), ABI: uint8(event.I386), Flags: FlagCompat | FlagMultiplexed,
		Raw:  [6]uint64{12 | 1<<16, 7, 100, 0o4000, 0xfffdf000, 0xffffffff},
		Args: [6]uint64{7, 0xfffdf000, 100, 0xffffffff, 0o4000}, Return: -42,
	}
	e := parse(t, encode(r, nil))
	if typ, _ := e.Arg("msgtyp"); int64(typ) != -1 {
		t.Errorf("msgtyp %d, want -1: a long of a 32-bit caller is sign-extended", int64(typ))
	}
	if ptr, _ := e.Arg("msgp"); ptr != 0xfffdf000 {
		t.Errorf("msgp %#x", ptr)
	}
	d := document(t, e)
	if d.Via != "ipc" || d.Syscall != "ipc" || !d.ContextFlags.IsCompat || *d.IPC != (event.IPCCall{Call: 12, Version: 1}) {
		t.Errorf("document %+v ipc %+v", d, d.IPC)
	}
	var raw event.Event
	e.Multiplexer(&raw)
	if d = document(t, &raw); d.EventName != "ipc" || d.Command != "MSGRCV" || d.ArgsNum != 6 || d.Args[5].Value != int64(-1) {
		t.Errorf("raw ipc event %+v", d)
	}
}

func TestParseAttachThroughIPC(t *testing.T) {
	r := Record{
		Event: uint8(event.Shmat), ABI: uint8(event.I386), Flags: FlagCompat | FlagMultiplexed,
		Raw: [6]uint64{21, 3, 0, 0xff00, 0, 0}, Args: [6]uint64{3, 0, 0},
	}
	r.Memory[event.IndirectMemory] = Memory{Used: 1, Address: 0xff00, Length: 4, Views: [3]View{AtExit: {Captured: 4, State: uint8(event.Whole)}}}
	e := parse(t, encode(r, binary.NativeEndian.AppendUint32(nil, 0xf7fc4000)))
	if e.Return != 0xf7fc4000 || e.RawReturn != 0 || e.Failed() {
		t.Errorf("return %#x, raw %d", e.Return, e.RawReturn)
	}
	if d := document(t, e); d.Memory[0].Arg != "third" || d.Memory[0].AtExit.Pointer != "0xf7fc4000" {
		t.Errorf("memory %+v", d.Memory[0])
	}
}

// TestParseKernelCopy has a caller who changed the type after the kernel took it.
func TestParseKernelCopy(t *testing.T) {
	r, before := msgsnd()
	after := append(binary.NativeEndian.AppendUint64(nil, 43), "hello"...)
	r.Memory[event.MainMemory].Views[InKernel] = View{Offset: 13, Captured: 13, Length: 13, State: uint8(event.Whole)}
	r.Object = Object{Kind: uint8(event.MessageQueue), ID: 7, KernelSeen: 1, KernelID: 32775, Access: uint8(event.AccessWrite)}
	b := encode(r, append(before, after...))
	(*Record)(unsafe.Pointer(&b[0])).Memory[event.MainMemory].Views[AtEntry].Captured = 13
	d := document(t, parse(t, b))
	m := d.Memory[0]
	if *m.AtEntry.Mtype != 42 || *m.InKernel.Mtype != 43 || *m.InKernel.Text != "hello" || *m.InKernel.Length != 13 || m.AtExit != nil {
		t.Errorf("at entry %+v, in the kernel %+v", m.AtEntry, m.InKernel)
	}
	if o := d.Object; o.ID != 7 || *o.InKernel.ID != 32775 || !slices.Equal(o.InKernel.Access, []string{"write"}) {
		t.Errorf("object %+v", o)
	}
}

// TestParseKernelSettings has a 32-bit caller, whose settings the kernel converts.
func TestParseKernelSettings(t *testing.T) {
	native := make([]byte, event.SettingsSize(event.MessageQueue, event.AMD64, false))
	native[4], native[20], native[88] = 33, 0o60, 99
	r := Record{
		Event: uint8(event.Msgctl), ABI: uint8(event.I386), Flags: FlagCompat, Command: event.IPCSet,
		Args: [6]uint64{3, event.IPCSet, 0xff00},
	}
	r.Memory[event.MainMemory] = Memory{Used: 1, Pointee: uint8(event.Settings),
		Views: [3]View{InKernel: {Captured: uint16(len(native)), State: uint8(event.Whole)}}}
	got := document(t, parse(t, func() []byte {
		b := encode(r, native)
		(*Record)(unsafe.Pointer(&b[0])).Memory[event.MainMemory].Views[AtEntry].Captured = 0
		return b
	}())).Memory[0].InKernel
	if *got.UID != 33 || *got.Mode != 0o60 || *got.QBytes != 99 {
		t.Errorf("settings %+v", got)
	}
}

func TestParseSettingsOfOldStructures(t *testing.T) {
	old := make([]byte, event.SettingsSize(event.MessageQueue, event.I386, true))
	old[4], old[12] = 33, 0o60
	r := Record{
		Event: uint8(event.Msgctl), ABI: uint8(event.I386), Flags: FlagCompat | FlagMultiplexed, Command: event.IPCSet,
		Raw: [6]uint64{14, 3, event.IPCSet, 0, 0xff00}, Args: [6]uint64{3, event.IPCSet, 0xff00},
	}
	r.Memory[event.MainMemory] = Memory{Used: 1, Pointee: uint8(event.Settings), Views: [3]View{{State: uint8(event.Whole)}}}
	d := document(t, parse(t, encode(r, old)))
	if got := d.Memory[0].AtEntry; got.UID == nil || *got.UID != 33 || *got.Mode != 0o60 {
		t.Errorf("settings %+v", got)
	}
}

func TestParseCommandWithoutIPC64(t *testing.T) {
	r := Record{Event: uint8(event.Shmctl), ABI: uint8(event.I386), Flags: FlagCompat | FlagMultiplexed,
		Command: event.IPC64, Raw: [6]uint64{24, 3, event.IPC64}, Args: [6]uint64{3, event.IPC64}}
	if d := document(t, parse(t, encode(r, nil))); d.Command != "IPC_RMID" || d.Args[1].Value != int64(0) {
		t.Errorf("command %q, args %v", d.Command, d.Args)
	}
}

func TestParseRefuses(t *testing.T) {
	valid := encode(msgsnd())
	for name, spoil := range map[string]func(r *Record){
		"format":       func(r *Record) { r.Format++ },
		"length":       func(r *Record) { r.Length = math.MaxUint32 },
		"short length": func(r *Record) { r.Length = 3 },
		"event":        func(r *Record) { r.Event = 0 },
		"large event":  func(r *Record) { r.Event = 200 },
		"abi":          func(r *Record) { r.ABI = 9 },
		"kind":         func(r *Record) { r.Object.Kind = 9 },
		"times":        func(r *Record) { r.ExitedNS = 1 },
		"captured":     func(r *Record) { r.Memory[0].Views[0].Captured = 1000 },
		"offset":       func(r *Record) { r.Memory[0].Views[0].Offset = 1000 },
		"kernel view":  func(r *Record) { r.Memory[0].Views[InKernel].Captured = 1000 },
		"state":        func(r *Record) { r.Memory[0].Views[AtExit].State = 77 },
		"pointee":      func(r *Record) { r.Memory[0].Pointee = 77 },
		"timeout":      func(r *Record) { r.Memory[event.TimeoutMemory].Used = 1 },
		"early copy":   func(r *Record) { r.CopiedNS = r.EnteredNS - 1 },
		"late copy":    func(r *Record) { r.CopiedNS = r.ExitedNS + 1 },
		"source":       func(r *Record) { r.Memory[0].Views[InKernel].Source = 77 },
		"mapping":      func(r *Record) { r.Memory[0].Mappings[1].State = 77 },
		"overlaps":     func(r *Record) { r.Overlaps = 1 },
		"many":         func(r *Record) { r.Overlaps = math.MaxUint16 },
	} {
		b := slices.Clone(valid)
		spoil((*Record)(unsafe.Pointer(&b[0])))
		var e event.Event
		if err := Parse(b, 0, &e); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", name, err)
		}
	}
	for cut := range Size {
		var e event.Event
		if err := Parse(valid[:cut], 0, &e); !errors.Is(err, ErrMalformed) {
			t.Fatalf("%d bytes: error %v, want ErrMalformed", cut, err)
		}
	}
}

// TestParseViews has a message whose text differs at exit beyond what was captured.
func TestParseViews(t *testing.T) {
	r, text := msgsnd()
	r.CopiedNS, r.CopiedSleeps = 310, 1
	r.Sleeps = 2
	m := &r.Memory[event.MainMemory]
	m.Length = 108
	m.Views = [3]View{
		AtEntry: {State: uint8(event.Cut), Digested: 100},
		AtExit:  {State: uint8(event.Cut), Captured: 13, Digested: 100},
	}
	r.Digests = [3]uint64{AtEntry: 0xabc, AtExit: 0xdef}
	m.Mappings[0] = Mapping{State: uint8(event.Mapped), Flags: MappingShared | MappingSegment, Magic: 0x01021994, Segment: 32770, Attached: 2}
	m.Mappings[1] = Mapping{State: uint8(event.MappingUnread), Flags: MappingUserfaultfd}
	d := document(t, parse(t, encode(r, text)))
	got := d.Memory[0]
	if !*got.Changed || !slices.Equal(got.Differing, []string{"atEntry-atExit"}) || got.Written {
		t.Errorf("changed %v, differing %v, written %t", *got.Changed, got.Differing, got.Written)
	}
	if c := got.AtEntry; c.Digest != "0000000000000abc" || *c.DigestLength != 100 || c.LengthRead != 108 {
		t.Errorf("digest %s of %d bytes, %d read", c.Digest, *c.DigestLength, c.LengthRead)
	}
	if *d.StalledNS != 210 || *d.StalledSleeps != 1 || d.Sleeps != 2 {
		t.Errorf("stalled for %d ns with %d sleeps of %d", *d.StalledNS, *d.StalledSleeps, d.Sleeps)
	}
	first, last := got.Mappings[0], got.Mappings[1]
	if !*first.Shared || *first.Userfaultfd || *first.Segment != 32770 || *first.Attached != 2 || first.FileSystem != "tmpfs" {
		t.Errorf("first byte: %+v", first)
	}
	if last.State != "unread" || last.Userfaultfd != nil || last.Shared != nil || last.Segment != nil {
		t.Errorf("last byte: %+v, want nothing of what was not read", last)
	}
}

// TestParseUnchanged has views that do not compare: nothing was read twice.
func TestParseUnchanged(t *testing.T) {
	r, text := msgsnd()
	r.Memory[event.MainMemory].Views[AtExit] = View{State: uint8(event.Unreadable)}
	if m := document(t, parse(t, encode(r, text))).Memory[0]; m.Changed != nil || m.Differing != nil {
		t.Errorf("changed %v, differing %v; want neither", m.Changed, m.Differing)
	}
	r.Memory[event.MainMemory].Views[AtExit] = View{State: uint8(event.Whole), Captured: 13}
	if m := document(t, parse(t, encode(r, text))).Memory[0]; m.Changed == nil || *m.Changed {
		t.Errorf("changed %v, want false", m.Changed)
	}
}

// TestParseKernelSettingsChanged compares settings that a 32-bit caller has in another
// layout than the kernel.
func TestParseKernelSettingsChanged(t *testing.T) {
	for _, mode := range []uint16{0o600, 0o666} {
		user, kernel := make([]byte, 88), make([]byte, 120)
		binary.NativeEndian.PutUint16(user[20:], 0o600)
		binary.NativeEndian.PutUint16(kernel[20:], mode)
		r := Record{Event: uint8(event.Msgctl), ABI: uint8(event.I386), Flags: FlagCompat, Args: [6]uint64{7, event.IPCSet, 0x1000}, Command: event.IPCSet}
		r.Memory[event.MainMemory] = Memory{Used: 1, Length: 88, Pointee: uint8(event.Settings)}
		b := encode(r, append(user, kernel...))
		views := &(*Record)(unsafe.Pointer(&b[0])).Memory[event.MainMemory].Views
		views[AtEntry] = View{Captured: 88, State: uint8(event.Whole)}
		views[InKernel] = View{Offset: 88, Captured: 120, Length: 120, State: uint8(event.Whole), Source: uint8(event.AtFunction)}
		m := document(t, parse(t, b)).Memory[0]
		if *m.Changed != (mode != 0o600) || m.InKernel.Source != "function" {
			t.Errorf("mode %o in the kernel: changed %t, source %s", mode, *m.Changed, m.InKernel.Source)
		}
	}
}

func TestParseOverlaps(t *testing.T) {
	r, text := msgsnd()
	others := []Overlap{
		{PID: 9, TID: 10, Event: uint8(event.Msgrcv), Writes: 1, Address: 0x7ffc0000, Length: 16, EnteredNS: 50},
		{PID: 9, TID: 11, Event: 200, Address: 0x7ffc0008, Length: 8, EnteredNS: 60},
	}
	tail := unsafe.Slice((*byte)(unsafe.Pointer(&others[0])), len(others)*overlapSize)
	r.Overlaps, r.OverlapsOffset, r.OverlapsOmitted = 2, uint16(len(text)), 3
	r.Memory[event.MainMemory].Views[AtEntry].Captured = 13
	b := encode(r, append(text, tail...))
	(*Record)(unsafe.Pointer(&b[0])).Memory[event.MainMemory].Views[AtEntry].Captured = 13
	d := document(t, parse(t, b))
	if len(d.Overlaps) != 2 || d.OverlapsOmitted != 3 {
		t.Fatalf("overlaps %+v, %d omitted", d.Overlaps, d.OverlapsOmitted)
	}
	if o := d.Overlaps[0]; o.EventName != "msgrcv" || !o.Writes || o.HostThreadID != 10 || o.Timestamp != 50 || o.DurationNS != nil {
		t.Errorf("overlap %+v", o)
	}
	if o := d.Overlaps[1]; o.EventName != "unknown" || o.Address != "0x7ffc0008" || o.Writes {
		t.Errorf("overlap %+v", o)
	}
}

// FuzzParse holds Parse to its promise: any bytes give an event or an error, and
// an event can be written as a document.
func FuzzParse(f *testing.F) {
	f.Add(encode(msgsnd()))
	for _, row := range event.Rows() {
		for _, abi := range []event.ABI{event.AMD64, event.I386} {
			r := Record{Event: uint8(row.ID), ABI: uint8(abi)}
			if row.MainAt() >= 0 {
				r.Memory[event.MainMemory] = Memory{Used: 1, Pointee: uint8(row.Args[row.MainAt()].Pointee), Views: [3]View{{State: uint8(event.Cut)}}}
			}
			f.Add(encode(r, []byte("0123456789abcdef0123456789abcdef")))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 { // else hardly any input gets past the first checks
			b[4] = Format
		}
		var e event.Event
		if err := Parse(b, 0, &e); err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error %v is no ErrMalformed", err)
			}
			return
		}
		document(t, &e)
		if e.Multiplexed {
			var raw event.Event
			e.Multiplexer(&raw)
			document(t, &raw)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	record := encode(msgsnd())
	var e event.Event
	b.ReportAllocs()
	for b.Loop() {
		if err := Parse(record, 0, &e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDocument(b *testing.B) {
	e := parse(b, encode(msgsnd()))
	var d event.Document
	b.ReportAllocs()
	for b.Loop() {
		e.Document(&d)
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	record := encode(msgsnd())
	var e event.Event
	if err := Parse(record, 0, &e); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { _ = Parse(record, 0, &e) }); n != 0 {
		t.Errorf("%v allocations an event, want none", n)
	}
}
