package event

import (
	"reflect"
	"testing"
)

// TestCopyTo overwrites what a copy was made of, as the reader of the ring does.
func TestCopyTo(t *testing.T) {
	filled := func(fill byte) *Event {
		e := &Event{ID: Msgsnd, TimeNS: int64(fill), Overlaps: []Overlap{{HostPID: uint32(fill)}}}
		e.Process.Comm = string(fill)
		for i := range e.Memory {
			for n, v := range []*View{&e.Memory[i].Entry, &e.Memory[i].Kernel, &e.Memory[i].Exit} {
				v.State, v.Bytes = Whole, []byte{fill, fill + byte(i), fill + byte(n)}
			}
		}
		return e
	}
	var dst Event
	filled('x').CopyTo(&dst) // which leaves memory to be used again
	src := filled('a')
	src.CopyTo(&dst)
	src.Overlaps[0].HostPID = 0
	for i := range src.Memory {
		for _, v := range []*View{&src.Memory[i].Entry, &src.Memory[i].Kernel, &src.Memory[i].Exit} {
			clear(v.Bytes)
		}
	}
	if want := filled('a'); !reflect.DeepEqual(&dst, want) {
		t.Errorf("got %+v, want %+v", dst, *want)
	}
	src = filled('b')
	if n := testing.AllocsPerRun(10, func() { src.CopyTo(&dst) }); n != 0 {
		t.Errorf("%v allocations to copy over an event of the same size", n)
	}
	if n := dst.Bytes(); n < int(reflect.TypeFor[Event]().Size())+27 {
		t.Errorf("%d bytes", n)
	}
}
