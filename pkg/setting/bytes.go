package setting

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Bytes is a size in bytes, not negative. It is written with a unit, of powers of
// 1024 (64MiB) or of 1000 (64MB), or as a whole number of bytes.
type Bytes int64

// units are in the order in which String tries them.
var units = []struct {
	name string
	size uint64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3},
}

// ParseBytes reads a whole number and a unit: B, kB, MB, GB, TB, KiB, MiB, GiB or
// TiB, in letters of any case. Without a unit it is bytes.
func ParseBytes(text string) (Bytes, error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	number, err := strconv.ParseUint(digits, 10, 64)
	size, known := unit(strings.TrimSpace(text[len(digits):]))
	tooLarge := errors.Is(err, strconv.ErrRange)
	if !known || err != nil && !tooLarge {
		return 0, fmt.Errorf("%q is no size; write 64MiB, 10MB or a number of bytes", text)
	}
	high, total := bits.Mul64(number, size)
	if tooLarge || high != 0 || total > math.MaxInt64 {
		return 0, fmt.Errorf("%q is more than a size can be", text)
	}
	return Bytes(total), nil
}

func unit(name string) (size uint64, known bool) {
	if name == "" || strings.EqualFold(name, "B") {
		return 1, true
	}
	for _, u := range units {
		if strings.EqualFold(name, u.name) {
			return u.size, true
		}
	}
	return 0, false
}

// UnmarshalText reads what ParseBytes reads.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}

// MarshalText writes what UnmarshalText reads.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String is exact, with the largest unit that divides b.
func (b Bytes) String() string {
	for _, u := range units {
		if size := Bytes(u.size); b != 0 && b%size == 0 {
			return strconv.FormatInt(int64(b/size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
