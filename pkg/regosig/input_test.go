package regosig

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// documents are events of every kind and documents with what events rarely have.
func documents() map[string]*event.Document {
	docs := map[string]*event.Document{"zero": {}}
	for _, row := range event.Rows() {
		e := sample(row.ID)
		d := new(event.Document)
		e.Document(d)
		docs[row.Name] = d
	}
	multiplexed := sample(event.Msgsnd)
	multiplexed.Multiplexed, multiplexed.Compat, multiplexed.ABI, multiplexed.Call, multiplexed.Version = true, true, event.I386, 11, 1
	docs["through ipc"] = new(event.Document)
	multiplexed.Document(docs["through ipc"])
	docs["extremes"] = &event.Document{
		Timestamp: math.MinInt64, ReturnValue: math.MaxInt64, CgroupID: math.MaxUint64, DurationNS: math.MaxInt64 + 1,
		HostName: "bad \xff\xfe utf-8", ProcessName: "quote\" <html> \u2028 \x00", Error: "EAGAIN",
		Flags: []string{}, StackAddresses: []uint64{0, math.MaxUint64},
		Arg:    event.Arguments{{Name: "a", Value: int64(-1)}, {Name: "b", Value: uint64(math.MaxUint64)}, {Name: "c", Value: "0x0"}},
		Object: &event.ObjectInfo{ID: -1, QueueBytes: new(uint64(0)), LastPID: new(uint32(math.MaxUint32))},
		Memory: []event.MemoryRegion{{}, {AtEntry: &event.Content{Values: []uint16{}, Sops: []event.Operation{{}}, Text: new("")}}},
	}
	return docs
}

// sample is an event with memory and an object.
func sample(id event.ID) *event.Event {
	e := &event.Event{ID: id, TimeNS: 1_700_000_000_000_000_001, DurationNS: 12, Return: -11, CPU: 1}
	e.Args = [event.MaxArgs]uint64{7, math.MaxUint64, 4096, 2048, 5, 6}
	e.Process = event.Process{PID: 10, TID: 11, EUID: 1000, Comm: "a\xffb", Executable: "/usr/bin/a", ContainerID: "c0ffee"}
	e.Object = event.Object{Kind: e.Row().Kind, ID: 7, Mode: 0o600, QueueBytes: 16384, OwnerUID: 1000}
	for i := range e.Row().Args {
		if pointee := e.Row().Args[i].Pointee; pointee != event.NoPointee {
			e.Memory[event.MainMemory] = event.Memory{
				Pointee: pointee, Arg: e.Row().Args[i].Name, Address: math.MaxUint64, Length: 24,
				Entry: event.View{State: event.Whole, Bytes: make([]byte, 24)},
				Exit:  event.View{State: event.Unreadable},
			}
			break
		}
	}
	return e
}

// TestDocumentValue holds the converter to the JSON that everybody else sees.
func TestDocumentValue(t *testing.T) {
	for name, d := range documents() {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			var decoded any
			if err := util.UnmarshalJSON(text, &decoded); err != nil {
				t.Fatal(err)
			}
			want, err := ast.InterfaceToValue(decoded)
			if err != nil {
				t.Fatal(err)
			}
			got := documentValue(d)
			if got.Compare(want) != 0 {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if got.Hash() != want.Hash() {
				t.Error("equal values with different hashes")
			}
		})
	}
}

func TestNumbersAreExact(t *testing.T) {
	v := documentValue(&event.Document{CgroupID: math.MaxUint64, Timestamp: math.MinInt64})
	for key, want := range map[string]string{"cgroupId": "18446744073709551615", "timestamp": "-9223372036854775808"} {
		if got := v.(ast.Object).Get(ast.StringTerm(key)); got.String() != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}

func BenchmarkDocumentValue(b *testing.B) {
	d := new(event.Document)
	sample(event.Msgsnd).Document(d)
	b.ReportAllocs()
	for b.Loop() {
		documentValue(d)
	}
}
