package format

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Line appends e as one line without its end, in the manner of strace: local
// time of entry, who called, the call with its arguments decoded, what it
// returned, how long it took, what others did to its memory, the object that it
// acted on, and how many calls like it were only counted. Process and
// thread ids are those of the host. Whatever e holds, the line is valid UTF-8
// without control characters.
func Line(dst []byte, e *event.Event) []byte {
	dst = time.Unix(0, e.TimeNS).AppendFormat(dst, "15:04:05.000000 ")
	dst = appendCaller(dst, &e.Process)
	dst = append(dst, e.Row().Name...)
	dst = appendArguments(dst, e.Row(), e.Args[:], e)
	if e.Unfinished {
		dst = append(dst, " <unfinished>"...)
	} else {
		dst = appendReturn(dst, e.Row().ID, e.Return)
		dst = append(dst, " <"...)
		dst = append(dst, duration(e.DurationNS).String()...)
		dst = append(dst, '>')
	}
	dst = appendMarkers(dst, e.Multiplexed && e.ID != event.IPC, e.Compat)
	dst = appendRaces(dst, e)
	dst = appendObject(dst, &e.Object)
	return appendRepeats(dst, &e.Repeats)
}

// appendRepeats appends how many calls are not printed, as the kernel only counted them.
func appendRepeats(dst []byte, r *event.Repeats) []byte {
	if r.Count == 0 {
		return dst
	}
	dst = append(dst, " ("...)
	if r.Alone {
		dst = append(dst, "told before; "...)
	}
	dst = strconv.AppendUint(dst, r.Count, 10)
	dst = append(dst, " more "...)
	if r.Alone {
		return append(dst, "after it)"...)
	}
	return append(dst, "before it)"...)
}

// appendRaces appends what others did to the call's memory while it was under way.
func appendRaces(dst []byte, e *event.Event) []byte {
	for i := range e.Memory {
		m := &e.Memory[i]
		if pairs, _ := e.Differing(m); len(pairs) > 0 {
			dst = append(dst, " changed "...)
			dst = append(dst, m.Arg...)
			dst = append(dst, ' ')
			dst = append(dst, strings.Join(pairs, ",")...)
		}
	}
	for i := range e.Overlaps {
		o := &e.Overlaps[i]
		dst = append(dst, " overlaps "...)
		dst = append(dst, o.ID.String()...)
		dst = append(dst, '[')
		dst = strconv.AppendUint(dst, uint64(o.HostPID), 10)
		dst = append(dst, '/')
		dst = strconv.AppendUint(dst, uint64(o.HostTID), 10)
		dst = append(dst, ']')
	}
	return dst
}

func appendCaller(dst []byte, p *event.Process) []byte {
	dst = AppendWord(dst, p.Comm)
	dst = append(dst, '[')
	dst = strconv.AppendUint(dst, uint64(p.HostPID), 10)
	dst = append(dst, '/')
	dst = strconv.AppendUint(dst, uint64(p.HostTID), 10)
	dst = append(dst, "] uid="...)
	dst = strconv.AppendUint(dst, uint64(p.UID), 10)
	if p.EUID != p.UID {
		dst = append(dst, " euid="...)
		dst = strconv.AppendUint(dst, uint64(p.EUID), 10)
	}
	return append(dst, ' ')
}

// appendArguments appends the arguments in parentheses, each with the memory of e
// that it leads to; e is nil where that is left out.
func appendArguments(dst []byte, row *event.Row, values []uint64, e *event.Event) []byte {
	dst = append(dst, '(')
	for i := range row.Args {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, row.Args[i].Name...)
		dst = append(dst, '=')
		dst = appendValue(dst, row, values, i)
		if e != nil {
			dst = appendMemoryOf(dst, e, row.Args[i].Name)
		}
	}
	return append(dst, ')')
}

func appendReturn(dst []byte, id event.ID, ret int64) []byte {
	dst = append(dst, " = "...)
	switch name := event.Errno(ret); {
	case name != "":
		dst = append(dst, "-1 "...)
		return append(dst, name...)
	case id == event.Shmat:
		return appendPointer(dst, uint64(ret))
	default:
		return strconv.AppendInt(dst, ret, 10)
	}
}

// duration is ns with the three digits or so that people read.
func duration(ns uint64) time.Duration {
	d := time.Duration(min(ns, math.MaxInt64))
	switch {
	case d >= time.Second:
		return d.Round(time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(time.Microsecond)
	case d >= 10*time.Microsecond:
		return d.Round(100 * time.Nanosecond)
	default:
		return d
	}
}

func appendMarkers(dst []byte, multiplexed, compat bool) []byte {
	if multiplexed {
		dst = append(dst, " via ipc"...)
	}
	if compat {
		dst = append(dst, " compat"...)
	}
	return dst
}

func appendObject(dst []byte, o *event.Object) []byte {
	if o.Kind == event.NoKind {
		return dst
	}
	dst = append(dst, " ["...)
	if o.Created {
		dst = append(dst, "new "...)
	}
	dst = append(dst, o.Kind.String()...)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(o.ID), 10)
	dst = append(dst, " key "...)
	dst = appendKey(dst, uint64(uint32(o.Key)))
	dst = append(dst, " owner "...)
	dst = strconv.AppendUint(dst, uint64(o.OwnerUID), 10)
	dst = append(dst, " mode "...)
	dst = appendOctal(dst, uint64(o.Mode))
	return append(dst, ']')
}
