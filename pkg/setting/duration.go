package setting

import (
	"fmt"
	"strconv"
	"time"
)

// Duration is a span of time, not negative, with its unit: 300ms, 1m30s, 24h.
type Duration time.Duration

// ParseDuration reads a duration as time.ParseDuration does, but for negative ones.
func ParseDuration(text string) (Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		if _, number := strconv.ParseFloat(text, 64); number == nil {
			return 0, fmt.Errorf("%q lacks a unit: write %ss for seconds, %sm for minutes", text, text, text)
		}
		return 0, fmt.Errorf("%q is no duration; write 300ms, 10s or 1h30m", text)
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative", text)
	}
	return Duration(d), nil
}

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Duration) String() string { return time.Duration(d).String() }

// Duration is d as the standard library has it.
func (d Duration) Duration() time.Duration { return time.Duration(d) }
