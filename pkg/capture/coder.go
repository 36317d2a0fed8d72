package capture

import (
	"encoding/binary"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// coder goes through the fields of a value, and appends them to bytes or fills them
// from bytes: one list of the fields does for both, and they cannot differ.
type coder struct {
	bytes   []byte // what was written, or what is left to be read
	reading bool
	strings map[string]string // that were read, by their bytes

	workload  *event.Workload  // that was read last
	ancestors []event.Ancestor // that were read last
}

// maxStrings bounds the strings that a coder remembers.
const maxStrings = 8192

type integer interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int32 | ~int64
}

// number is a varint, of a signed type in zigzag. One that is not there is zero; one
// that does not fit is cut to its type.
func number[T integer](c *coder, v *T) {
	negative := T(0)
	negative--
	signed := negative < 0
	switch {
	case !c.reading && signed:
		c.bytes = binary.AppendVarint(c.bytes, int64(*v))
	case !c.reading:
		c.bytes = binary.AppendUvarint(c.bytes, uint64(*v))
	case signed:
		n, size := binary.Varint(c.bytes)
		*v = T(n)
		c.skip(size)
	default:
		n, size := binary.Uvarint(c.bytes)
		*v = T(n)
		c.skip(size)
	}
}

func numbers[T integer](c *coder, list ...*T) {
	for _, v := range list {
		number(c, v)
	}
}

// skip leaves out what was read; size is not positive if it is not whole.
func (c *coder) skip(size int) {
	if size <= 0 {
		size = len(c.bytes)
	}
	c.bytes = c.bytes[size:]
}

func flags(c *coder, list ...*bool) {
	for _, v := range list {
		var bit uint8
		if *v {
			bit = 1
		}
		number(c, &bit)
		*v = bit != 0
	}
}

// blob is a length and as many bytes, or as there are. What is read aliases c.bytes.
func blob(c *coder, v *[]byte) {
	n := uint64(len(*v))
	number(c, &n)
	if !c.reading {
		c.bytes = append(c.bytes, *v...)
		return
	}
	*v = nil
	if n = min(n, uint64(len(c.bytes))); n > 0 {
		*v, c.bytes = c.bytes[:n:n], c.bytes[n:]
	}
}

func texts(c *coder, list ...*string) {
	for _, v := range list {
		if !c.reading {
			n := len(*v)
			c.bytes = append(binary.AppendUvarint(c.bytes, uint64(n)), *v...)
			continue
		}
		var b []byte
		blob(c, &b)
		known, ok := c.strings[string(b)]
		if !ok {
			if len(c.strings) >= maxStrings {
				clear(c.strings)
			}
			known = strings.Clone(string(b))
			c.strings[known] = known
		}
		*v = known
	}
}
