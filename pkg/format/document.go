package format

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// AppendCall appends the call that d describes, with its arguments decoded, and
// what it returned, as Line does; the memory behind the arguments is left out.
func AppendCall(dst []byte, d *event.Document) []byte {
	dst = AppendWord(dst, d.EventName)
	row := event.ByName(d.EventName)
	if row == nil || len(row.Args) != len(d.Args) {
		return append(dst, "(?)"...)
	}
	var values [event.MaxArgs]uint64
	for i := range d.Args {
		values[i] = number(d.Args[i].Value)
	}
	dst = appendArguments(dst, row, values[:], nil)
	if d.Unfinished {
		dst = append(dst, " <unfinished>"...)
	} else {
		dst = appendReturn(dst, row.ID, d.ReturnValue)
	}
	multiplexed := d.Via == event.IPC.String() && row.ID != event.IPC
	return appendMarkers(dst, multiplexed, d.ContextFlags.IsCompat)
}

// number is the value of an argument as Event.Document writes it, or as a document has
// it that was read from JSON.
func number(value any) uint64 {
	switch v := value.(type) {
	case int64:
		return uint64(v)
	case uint64:
		return v
	case json.Number: // the document was read from JSON
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return uint64(n)
		}
		n, err := strconv.ParseUint(v.String(), 10, 64)
		if err != nil {
			return 0
		}
		return n
	case string:
		address, err := strconv.ParseUint(strings.TrimPrefix(v, "0x"), 16, 64)
		if err != nil {
			return 0
		}
		return address
	default:
		return 0
	}
}
