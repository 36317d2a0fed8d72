package format

import (
	"encoding/binary"
	"strconv"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// A line shows the beginning of what an argument leads to; documents have it
// whole.
const (
	maxTextBytes = 64
	maxElements  = 16
)

// appendMemoryOf appends in braces what the argument called arg leads to, as far
// as it was looked at.
func appendMemoryOf(dst []byte, e *event.Event, arg string) []byte {
	main, indirect := &e.Memory[event.MainMemory], &e.Memory[event.IndirectMemory]
	switch {
	case leadsTo(main, arg):
		return appendMemory(dst, e, main)
	case leadsTo(&e.Memory[event.TimeoutMemory], arg):
		return appendMemory(dst, e, &e.Memory[event.TimeoutMemory])
	case !leadsTo(indirect, arg):
		return dst
	}
	dst = append(dst, '{')
	dst = appendWordBehind(dst, e, indirect)
	if leadsTo(main, event.Indirect.String()) {
		dst = appendMemory(dst, e, main)
	}
	return append(dst, '}')
}

func leadsTo(m *event.Memory, arg string) bool {
	return m.Arg == arg && m.Best().State != event.Absent
}

// appendWordBehind appends the pointer, or the value, that a pointer of ipc(2)
// leads to.
func appendWordBehind(dst []byte, e *event.Event, m *event.Memory) []byte {
	switch b := m.Best().Bytes; {
	case len(b) < event.WordSize(e.ABI):
		return append(dst, "unreadable"...)
	case event.WordSize(e.ABI) == 4:
		return appendHex(dst, uint64(binary.LittleEndian.Uint32(b)))
	default:
		return appendHex(dst, binary.LittleEndian.Uint64(b))
	}
}

func appendMemory(dst []byte, e *event.Event, m *event.Memory) []byte {
	view := m.Best()
	if view.State == event.Unreadable {
		return append(dst, "{unreadable}"...)
	}
	dst = append(dst, '{')
	decoded, all := appendDecoded(dst, e, m.Pointee, view.Bytes)
	if dst = decoded; !all || view.State == event.Cut {
		dst = append(dst, "..."...)
	}
	return append(dst, '}')
}

// appendDecoded appends what b holds. all is false where the line does not show
// everything, or where b is too short to be decoded.
func appendDecoded(dst []byte, e *event.Event, pointee event.Pointee, b []byte) (out []byte, all bool) {
	switch pointee {
	case event.MsgbufIn, event.MsgbufOut:
		return appendMsgbuf(dst, e.ABI, b)
	case event.Sembufs:
		return appendSembufs(dst, b)
	case event.Timespec:
		return appendTimespec(dst, e, b)
	case event.Settings:
		return appendSettings(dst, e, b)
	case event.Semun:
		return appendSemaphoreValues(dst, b)
	default:
		return dst, false
	}
}

func appendMsgbuf(dst []byte, abi event.ABI, b []byte) ([]byte, bool) {
	mtype, text, ok := event.Msgbuf(abi, b)
	if !ok {
		return dst, false
	}
	dst = append(dst, "mtype="...)
	dst = strconv.AppendInt(dst, mtype, 10)
	dst = append(dst, ", "...)
	shown := text[:min(len(text), maxTextBytes)]
	return AppendQuoted(dst, shown), len(shown) == len(text)
}

func appendSembufs(dst []byte, b []byte) ([]byte, bool) {
	dst = append(dst, '[')
	shown := 0
	for op := range event.EachSembuf(b) {
		if shown > 0 {
			dst = append(dst, ", "...)
		}
		if shown == maxElements {
			return append(dst, "...]"...), true
		}
		dst = append(dst, '{')
		dst = strconv.AppendUint(dst, uint64(op.Number), 10)
		dst = append(dst, ", "...)
		dst = strconv.AppendInt(dst, int64(op.Op), 10)
		dst = append(dst, ", "...)
		dst = appendFlags(dst, event.SembufFlags, uint32(uint16(op.Flags)))
		dst = append(dst, '}')
		shown++
	}
	return append(dst, ']'), true
}

func appendTimespec(dst []byte, e *event.Event, b []byte) ([]byte, bool) {
	sec, nsec, ok := event.DecodeTimespec(e.ABI, e.Time64, b)
	if !ok {
		return dst, false
	}
	dst = append(dst, "tv_sec="...)
	dst = strconv.AppendInt(dst, sec, 10)
	dst = append(dst, ", tv_nsec="...)
	return strconv.AppendInt(dst, nsec, 10), true
}

// appendSettings appends the fields that IPC_SET takes.
func appendSettings(dst []byte, e *event.Event, b []byte) ([]byte, bool) {
	kind := e.Row().Kind
	if e.ID == event.IPC {
		kind = event.Lookup(event.ByCall(e.Call)).Kind
	}
	old := event.OldStructures(e.ABI, e.Multiplexed, e.RawCommand)
	set, ok := event.DecodeSettings(kind, e.ABI, old, b)
	if !ok {
		return dst, false
	}
	dst = append(dst, "uid="...)
	dst = strconv.AppendUint(dst, uint64(set.UID), 10)
	dst = append(dst, ", gid="...)
	dst = strconv.AppendUint(dst, uint64(set.GID), 10)
	dst = append(dst, ", mode="...)
	dst = appendOctal(dst, uint64(set.Mode))
	if kind == event.MessageQueue {
		dst = append(dst, ", qbytes="...)
		dst = strconv.AppendUint(dst, set.QueueBytes, 10)
	}
	return dst, true
}

// appendSemaphoreValues appends the array of SETALL.
func appendSemaphoreValues(dst []byte, b []byte) ([]byte, bool) {
	dst = append(dst, '[')
	for i := 0; len(b) >= 2; i, b = i+1, b[2:] {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if i == maxElements {
			return append(dst, "...]"...), true
		}
		dst = strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint16(b)), 10)
	}
	return append(dst, ']'), true
}
