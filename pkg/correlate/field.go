package correlate

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/docpath"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// field is a field of the document, by its path.
type field struct {
	quick quickField // nil: the document is made
	slow  docpath.Path
}

// quickField appends the text of a field, without making a document. present is false
// where the document leaves it out.
type quickField func(dst []byte, e *event.Event) (text []byte, present bool)

// fieldOf finds a path in the document.
func fieldOf(path string) (field, error) {
	slow, err := docpath.Parse(path)
	if err != nil {
		return field{}, err
	}
	quick := quickFields[path]
	if name, isArg := strings.CutPrefix(path, "arg."); isArg {
		quick = quickArg(name)
	}
	return field{quick, slow}, nil
}

// append appends the text of the field.
func (f *field) append(dst []byte, in *detect.Input) (text []byte, present bool) {
	if f.quick != nil {
		return f.quick(dst, in.Event())
	}
	value, present := f.slow.Value(in.Document())
	if !present {
		return dst, false
	}
	return fmt.Append(dst, value), true
}

// appendKey appends the text so that no other fields give the same key.
func (f *field) appendKey(dst []byte, in *detect.Input) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0)
	dst, present := f.append(dst, in)
	if present {
		dst[start] = 1
		binary.BigEndian.PutUint16(dst[start+1:], uint16(len(dst)-start-3)) // a path has 4096 bytes at most
	}
	return dst
}

// value is the value as documents have it; nil if it is not there.
func (f *field) value(d *event.Document) any {
	value, present := f.slow.Value(d)
	if !present {
		return nil
	}
	return value
}

func number(get func(*event.Event) uint32) quickField {
	return func(dst []byte, e *event.Event) ([]byte, bool) {
		return strconv.AppendUint(dst, uint64(get(e)), 10), true
	}
}

func text(get func(*event.Event) string) quickField {
	return func(dst []byte, e *event.Event) ([]byte, bool) {
		s := get(e)
		if !utf8.ValidString(s) {
			s = strings.ToValidUTF8(s, "\ufffd")
		}
		return append(dst, s...), true
	}
}

// ofObject makes a field of the object absent where no object was found.
func ofObject(read quickField) quickField {
	return func(dst []byte, e *event.Event) ([]byte, bool) {
		if e.Object.Kind == event.NoKind {
			return dst, false
		}
		return read(dst, e)
	}
}

func signed(get func(*event.Event) int64) quickField {
	return func(dst []byte, e *event.Event) ([]byte, bool) { return strconv.AppendInt(dst, get(e), 10), true }
}

// quickFields are what events are usually told apart by. A test compares them with
// the document.
var quickFields = map[string]quickField{
	"hostProcessId":    number(func(e *event.Event) uint32 { return e.Process.HostPID }),
	"hostThreadId":     number(func(e *event.Event) uint32 { return e.Process.HostTID }),
	"processId":        number(func(e *event.Event) uint32 { return e.Process.PID }),
	"threadId":         number(func(e *event.Event) uint32 { return e.Process.TID }),
	"userId":           number(func(e *event.Event) uint32 { return e.Process.UID }),
	"effectiveUserId":  number(func(e *event.Event) uint32 { return e.Process.EUID }),
	"ipcNamespace":     number(func(e *event.Event) uint32 { return e.Process.IPCNamespace }),
	"pidNamespace":     number(func(e *event.Event) uint32 { return e.Process.PIDNamespace }),
	"mountNamespace":   number(func(e *event.Event) uint32 { return e.Process.MountNamespace }),
	"processName":      text(func(e *event.Event) string { return e.Process.Comm }),
	"executable.path":  text(func(e *event.Event) string { return e.Process.Executable }),
	"eventName":        text(func(e *event.Event) string { return e.Row().Name }),
	"returnValue":      signed(func(e *event.Event) int64 { return e.Return }),
	"object.id":        ofObject(signed(func(e *event.Event) int64 { return int64(e.Object.ID) })),
	"object.key":       ofObject(signed(func(e *event.Event) int64 { return int64(e.Object.Key) })),
	"object.kind":      ofObject(text(func(e *event.Event) string { return e.Object.Kind.String() })),
	"object.namespace": ofObject(number(func(e *event.Event) uint32 { return e.Process.IPCNamespace })),
}

// quickArg reads an argument by name. Which place it has depends on the event.
func quickArg(name string) quickField {
	var at [1 << 8]int
	for i := range at {
		at[i] = -1
	}
	for _, row := range event.Rows() {
		at[row.ID] = row.Find(name)
	}
	return func(dst []byte, e *event.Event) ([]byte, bool) {
		row := e.Row()
		i := at[row.ID]
		if i < 0 {
			return dst, false
		}
		switch v := e.Args[i]; row.Args[i].Type {
		case event.Pointer:
			return strconv.AppendUint(append(dst, "0x"...), v, 16), true
		case event.Int, event.Long:
			return strconv.AppendInt(dst, int64(v), 10), true
		default:
			return strconv.AppendUint(dst, v, 10), true
		}
	}
}
