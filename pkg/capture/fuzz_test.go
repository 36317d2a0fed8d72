package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// readAll does with a recording what its users do.
func readAll(t *testing.T, file []byte) (items int) {
	r, err := Open(bytes.NewReader(file))
	if err != nil {
		return 0
	}
	var e, raw event.Event
	var d event.Document
	for {
		gap, err := r.Next(&e)
		switch {
		case errors.Is(err, io.EOF):
			return items
		case err != nil:
			return items
		case gap == nil:
			e.Document(&d)
			if _, err := json.Marshal(&d); err != nil {
				t.Fatal(err)
			}
			format.Line(nil, &e)
			if e.Multiplexer(&raw) {
				format.Line(nil, &raw)
			}
		}
		if items++; items > len(file)<<10 {
			t.Fatalf("%d items of %d bytes", items, len(file))
		}
	}
}

// FuzzOpen reads anything as a recording.
func FuzzOpen(f *testing.F) {
	file, _, _ := recorded(f, 20)
	f.Add(file)
	f.Add([]byte(`{"eventName":"msgsnd","arg":{"msqid":1}}` + "\n"))
	f.Add([]byte(magic + "\x01"))
	f.Fuzz(func(t *testing.T, file []byte) { readAll(t, file) })
}

// FuzzItems reads anything as the items of a block, which is whole.
func FuzzItems(f *testing.F) {
	for id := range event.Count {
		var c coder
		c.eventFields(filled(int64(id), event.ID(id)))
		f.Add(append(binary.AppendUvarint([]byte{eventItem}, uint64(len(c.bytes))), c.bytes...))
		c.bytes = nil
		c.gapFields(&pipeline.Gap{Cause: "ring_full"})
		f.Add(append(binary.AppendUvarint([]byte{gapItem}, uint64(len(c.bytes))), c.bytes...))
	}
	f.Add([]byte{eventItem, 0, 77, 1, 0, endItem, 0})
	f.Fuzz(func(t *testing.T, items []byte) {
		var out bytes.Buffer
		w, err := NewWriter(&out, Header{})
		must(t, err)
		w.items = items[:min(len(items), maxBlockBytes)]
		must(t, w.Flush())
		readAll(t, out.Bytes())
	})
}

func BenchmarkWrite(b *testing.B) {
	w, err := NewWriter(io.Discard, Header{})
	must(b, err)
	e := filled(0, event.Msgsnd)
	b.ReportAllocs()
	for b.Loop() {
		e.BootNS++
		must(b, w.Event(e))
	}
	b.ReportMetric(float64(w.Bytes())/float64(w.Events()), "bytes/event")
}

func BenchmarkRead(b *testing.B) {
	file, _, _ := recorded(b, 10_000)
	b.ReportAllocs()
	var e event.Event
	r, err := Open(bytes.NewReader(file))
	for b.Loop() {
		if err == nil {
			_, err = r.Next(&e)
		}
		if errors.Is(err, io.EOF) {
			r, err = Open(bytes.NewReader(file))
		}
		must(b, err)
	}
}
