package signatures

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// ops are operations: sem_num, sem_op, sem_flg.
type ops [][3]int

func (o ops) bytes() (b []byte) {
	for _, op := range o {
		b = binary.LittleEndian.AppendUint16(b, uint16(op[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(op[1]))
		b = binary.LittleEndian.AppendUint16(b, uint16(op[2]))
	}
	return b
}

// semop is a call with operations that were read whole at entry.
func semop(o ops, result int64) *event.Event {
	e := &event.Event{ID: event.Semop, Return: result, DurationNS: 7}
	e.Args[2] = uint64(len(o))
	b := o.bytes()
	e.Memory[event.MainMemory] = event.Memory{
		Pointee: event.Sembufs, Arg: "sops", Length: uint64(len(b)), Entry: event.View{State: event.Whole, Bytes: b},
	}
	return e
}

func match(t testing.TB, s detect.Signature, e *event.Event) []detect.Finding {
	t.Helper()
	var in detect.Input
	in.Reset(e)
	found, err := s.Match(t.Context(), &in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const again = -int64(syscall.EAGAIN)

func TestImpossibleOperations(t *testing.T) {
	lock := ops{{0, 0, 0}, {0, 1, 0}} // the example of semop(2)
	reversed := ops{{0, 1, 0}, {0, 0, 0}}
	many := make(ops, 500)
	for i := range many {
		many[i] = [3]int{1024 * (i % 31), -1, 0}
	}
	for name, c := range map[string]struct {
		e    *event.Event
		want int // the operation, or -1
	}{
		"lock":                             {semop(lock, 0), -1},
		"lock, busy":                       {semop(lock, again), -1},
		"lock in the wrong order":          {semop(reversed, again), 1},
		"two semaphores":                   {semop(ops{{0, 1, 0}, {1, 0, 0}}, again), -1},
		"to take more than there can be":   {semop(ops{{3, -32768, 0}, {4, 0, 0}}, again), 0},
		"the same alone":                   {semop(ops{{3, -32768, 0}}, again), -1},
		"to take all":                      {semop(ops{{3, -32767, 0}}, again), -1},
		"to take all and one":              {semop(ops{{3, -32767, 0}, {4, 1, 0}, {3, -1, 0}}, again), 2},
		"to add too much":                  {semop(ops{{3, 32767, 0}, {3, 1, 0}}, -int64(syscall.ERANGE)), 1},
		"to add, and take before":          {semop(ops{{3, -1, 0}, {3, 32767, 0}}, again), -1},
		"zero and then take":               {semop(ops{{3, 0, 0}, {3, -1, 0}}, again), 1},
		"take and then zero":               {semop(ops{{3, -1, 0}, {3, 0, 0}}, again), -1},
		"many":                             {semop(many, again), -1},
		"many and one":                     {semop(append(many[:499:499], [3]int{0, -32752, 0}), again), 499},
		"too many":                         {semop(append(append(ops{}, many...), make(ops, 13)...), again), -1},
		"succeeded: the kernel had others": {semop(reversed, 0), 1},
		"interrupted":                      {semop(reversed, -514), 1},
		"removed":                          {semop(reversed, -int64(syscall.EIDRM)), 1},
		"refused before":                   {semop(reversed, -int64(syscall.EACCES)), -1},
		"none":                             {semop(nil, -int64(syscall.EINVAL)), -1},
	} {
		found := match(t, newImpossibleOperations(), c.e)
		if len(found) > 1 || (len(found) == 1) != (c.want >= 0) {
			t.Errorf("%s: found %v", name, found)
			continue
		}
		if len(found) == 1 && found[0].Evidence["operation"] != c.want {
			t.Errorf("%s: evidence %v, want operation %d", name, found[0].Evidence, c.want)
		}
	}
}

func TestImpossibleOperationsEvidence(t *testing.T) {
	e := semop(ops{{5, 1, 0x800}, {5, 0, 0}}, again)
	found := match(t, newImpossibleOperations(), e)
	text, err := json.Marshal(found[0].Evidence)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"durationNs":7,"operation":1,"operations":[{"flags":["IPC_NOWAIT"],"sem_num":5,"sem_op":1},{"flags":[],"sem_num":5,"sem_op":0}],"outcome":"EAGAIN","semaphore":5}`; string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	e.Unfinished = true
	if found := match(t, newImpossibleOperations(), e); found[0].Evidence["outcome"] != "unfinished" {
		t.Errorf("%v", found)
	}
}

// TestImpossibleOperationsUnknown has calls of which not all operations are known,
// and one of which the kernel's copy tells better.
func TestImpossibleOperationsUnknown(t *testing.T) {
	reversed := ops{{0, 1, 0}, {0, 0, 0}}
	for name, change := range map[string]func(*event.Memory){
		"cut":           func(m *event.Memory) { m.Entry.State = event.Cut },
		"unreadable":    func(m *event.Memory) { m.Entry = event.View{State: event.Unreadable} },
		"too short":     func(m *event.Memory) { m.Length += event.SembufSize },
		"not looked at": func(m *event.Memory) { *m = event.Memory{} },
		"other in kernel": func(m *event.Memory) {
			m.Kernel = event.View{State: event.Whole, Bytes: ops{{0, 0, 0}, {0, 1, 0}}.bytes()}
		},
	} {
		e := semop(reversed, again)
		change(&e.Memory[event.MainMemory])
		if found := match(t, newImpossibleOperations(), e); len(found) != 0 {
			t.Errorf("%s: found %v", name, found)
		}
	}
}

// possible tries every value.
func possible(o ops) bool {
	for _, first := range o {
		any := false
		for start := range maxValue + 1 {
			value, fits := start, true
			for _, op := range o {
				if op[0] != first[0] {
					continue
				}
				if op[1] == 0 && value != 0 {
					fits = false
				}
				if value += op[1]; value < 0 || value > maxValue {
					fits = false
				}
				if !fits {
					break
				}
			}
			if any = any || fits; any {
				break
			}
		}
		if !any {
			return false
		}
	}
	return true
}

func randomOps(g *rand.Rand) ops {
	o := make(ops, 2+g.IntN(4))
	for i := range o {
		o[i] = [3]int{g.IntN(2), []int{-32768, -32767, -20000, -2, -1, 0, 0, 1, 1, 2, 20000, 32766, 32767}[g.IntN(13)], 0}
	}
	return o
}

func TestImpossibleOperationsAreAll(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 1))
	s := newImpossibleOperations()
	impossible := 0
	for range 2_000 {
		o := randomOps(g)
		found := len(match(t, s, semop(o, again))) > 0
		if found == possible(o) {
			t.Fatalf("%v: found %t", o, found)
		}
		if found {
			impossible++
		}
	}
	if impossible < 100 || impossible > 1_900 {
		t.Errorf("%d of 2000 are impossible", impossible)
	}
}

// TestImpossibleOperationsInTheKernel has the kernel try operations from many states.
func TestImpossibleOperationsInTheKernel(t *testing.T) {
	const create, nowait, remove, setValue = 0o600, 0x800, 0, 16
	id, _, errno := syscall.Syscall(syscall.SYS_SEMGET, 0, 2, create)
	if errno == syscall.ENOSYS {
		t.Skip("the kernel has no System V semaphores")
	}
	if errno != 0 {
		t.Fatal(errno)
	}
	defer syscall.Syscall(syscall.SYS_SEMCTL, id, 0, remove)
	g := rand.New(rand.NewPCG(2, 2))
	s := newImpossibleOperations()
	performed := 0
	for range 20_000 {
		o := randomOps(g)
		for i := range o {
			o[i][2] = nowait
		}
		for number := range uintptr(2) {
			value := []uintptr{0, 0, 1, 2, 20000, maxValue - 1, maxValue}[g.IntN(7)]
			if _, _, errno := syscall.Syscall6(syscall.SYS_SEMCTL, id, number, setValue, value, 0, 0); errno != 0 {
				t.Fatal(errno)
			}
		}
		b := o.bytes()
		_, _, errno := syscall.Syscall(syscall.SYS_SEMOP, id, uintptr(unsafe.Pointer(&b[0])), uintptr(len(o)))
		if errno != 0 && errno != syscall.EAGAIN && errno != syscall.ERANGE {
			t.Fatal(errno)
		}
		if errno == 0 {
			performed++
		}
		if found := match(t, s, semop(o, -int64(errno))); errno == 0 && len(found) > 0 {
			t.Fatalf("the kernel has performed %v", o)
		}
	}
	if performed < 100 {
		t.Errorf("the kernel has performed %d of 20000", performed)
	}
}

func TestImpossibleOperationsAllocatesNothing(t *testing.T) {
	s := newImpossibleOperations()
	var in detect.Input
	var found []detect.Finding
	for name, e := range map[string]*event.Event{
		"lock": semop(ops{{0, 0, 0}, {0, 1, 0}}, 0), "refused": semop(ops{{0, -1, 0}}, -int64(syscall.EINVAL)), "many": semop(make(ops, 500), again),
	} {
		n := testing.AllocsPerRun(100, func() {
			in.Reset(e)
			found, _ = s.Match(context.Background(), &in, found[:0])
		})
		if n != 0 || len(found) > 0 {
			t.Errorf("%s: %v allocations, found %v", name, n, found)
		}
	}
}

func BenchmarkImpossibleOperations(b *testing.B) {
	s := newImpossibleOperations()
	for name, e := range map[string]*event.Event{"one": semop(ops{{0, -1, 0}}, 0), "lock": semop(ops{{0, 0, 0}, {0, 1, 0}}, 0), "500": semop(make(ops, 500), 0)} {
		b.Run(name, func(b *testing.B) {
			var in detect.Input
			in.Reset(e)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Match(context.Background(), &in, nil)
			}
		})
	}
}
