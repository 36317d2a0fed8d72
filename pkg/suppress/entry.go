package suppress

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/glob"

	"github.com/ipcwarden/ipcwarden/pkg/docpath"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// Entry is findings that somebody has looked at and does not want to see again.
type Entry struct {
	// Signature is the id of a signature, in which * stands for any characters; empty
	// for all, which takes Where.
	Signature Pattern `yaml:"signature" json:"signature,omitzero" doc:"id of the signature, in which * stands for any characters; all signatures without it"`
	// Where has fields of the event's document, by path or alias, and what each has
	// to be: all of them together.
	Where map[string]Pattern `yaml:"where" json:"where,omitempty" doc:"fields of the event, and what each of them has to be: a number, or a text in which * stands for any characters but /, ** for any, and {a,b} for a or b"`
	// Reason tells the next reader why this is no attack.
	Reason string `yaml:"reason" json:"reason" doc:"why this is no attack; has to be there"`
	// Expires is when the entry ends; zero for never.
	Expires Date `yaml:"expires" json:"expires,omitzero" doc:"when the entry ends, as 2030-12-31 (the begin of that day, UTC) or 2030-12-31T23:59:59Z; never without it"`
}

// Aliases are short names of the fields that entries usually have.
var Aliases = map[string]string{
	"comm":       "processName",
	"executable": "executable.path",
	"uid":        "userId",
	"container":  "containerId",
	"image":      "container.image",
	"key":        "object.key",
}

// Validate tells what is wrong with the entry, all of it.
func (e *Entry) Validate() error {
	var errs []error
	if e.Signature.text == "" && len(e.Where) == 0 {
		errs = append(errs, errors.New("the entry would suppress every alert: give it signature, where, or both"))
	}
	if strings.TrimSpace(e.Reason) == "" {
		errs = append(errs, errors.New("reason is missing: say why this is no attack"))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Where)) {
		path, err := pathOf(name)
		if pattern := e.Where[name]; err == nil {
			err = pattern.fits(path.Kind())
		}
		if err != nil {
			errs = append(errs, setting.Under("where", setting.Under(name, err)))
		}
	}
	return errors.Join(errs...)
}

// String is the entry in one line, without its reason.
func (e *Entry) String() string {
	parts := []string{"signature " + e.Signature.text}
	if e.Signature.text == "" {
		parts[0] = "any signature"
	}
	for _, name := range slices.Sorted(maps.Keys(e.Where)) {
		parts = append(parts, name+" "+strconv.Quote(e.Where[name].text))
	}
	return strings.Join(parts, ", ")
}

func pathOf(name string) (docpath.Path, error) {
	if path, isAlias := Aliases[name]; isAlias {
		return docpath.Parse(path)
	}
	path, err := docpath.Parse(name)
	if alias := nearest.Guess(name, slices.Sorted(maps.Keys(Aliases))); err != nil && alias != "" {
		err = fmt.Errorf("events have no single value %q; the nearest is %s", name, alias)
	}
	return path, err
}

// Covers tells whether the entry is for a signature.
func (e *Entry) Covers(signature string) bool {
	return e.Signature.IsZero() || e.Signature.matches(signature)
}

// Pattern is what a value has to be. The zero value is none.
type Pattern struct {
	text   string
	glob   *glob.Pattern
	number *int64
}

// ParsePattern reads a pattern. A number, decimal or with 0x or 0o before it, is
// compared as such with numbers.
func ParsePattern(text string) (Pattern, error) {
	g, err := glob.Compile(text, '/')
	if err != nil {
		return Pattern{}, fmt.Errorf("%q is no pattern: %w", text, err)
	}
	p := Pattern{text: text, glob: g}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		p.number = &n
	}
	return p, nil
}

// UnmarshalText reads what ParsePattern reads.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePattern(string(text))
	return err
}

// MarshalText writes what UnmarshalText has read.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// IsZero tells of a pattern that was never read.
func (p Pattern) IsZero() bool { return p.text == "" }

// matches compares with a value of a document. Keys are signed there, but people write
// them as ipcs does, unsigned.
func (p *Pattern) matches(value any) bool {
	text := fmt.Sprint(value)
	if p.number != nil {
		if n, err := strconv.ParseInt(text, 0, 64); err == nil {
			_, isKey := value.(int32)
			return n == *p.number || isKey && int64(uint32(n)) == *p.number
		}
	}
	return p.glob != nil && p.glob.Match(text)
}

// fits refuses what no value of a kind can be.
func (p *Pattern) fits(kind reflect.Kind) error {
	isNumber := reflect.Int <= kind && kind <= reflect.Uint64
	switch {
	case isNumber && p.number != nil && !holds(kind, *p.number):
		return fmt.Errorf("%s is beyond what the field can be", p.text)
	case isNumber && p.number != nil, strings.ContainsAny(p.text, `*?[{\`):
		return nil
	case kind == reflect.Bool && p.text != "true" && p.text != "false":
		return fmt.Errorf("%q is neither true nor false", p.text)
	case isNumber:
		return fmt.Errorf("%q is no number", p.text)
	}
	return nil
}

// holds tells whether a value of a kind can be n, as it is written: a key may be unsigned.
func holds(kind reflect.Kind, n int64) bool {
	switch kind {
	case reflect.Int32:
		return math.MinInt32 <= n && n <= math.MaxUint32
	case reflect.Uint32:
		return 0 <= n && n <= math.MaxUint32
	case reflect.Uint, reflect.Uint64:
		return 0 <= n
	}
	return true
}

// Date is a moment.
type Date time.Time

// UnmarshalText reads a day, which means its begin in UTC, or a time of RFC 3339.
func (d *Date) UnmarshalText(text []byte) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, string(text)); err == nil {
			*d = Date(t)
			return nil
		}
	}
	return fmt.Errorf("%q is no date: write 2030-12-31 or 2030-12-31T23:59:59Z", text)
}

// MarshalText writes the time as RFC 3339 has it; nothing for none.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.Time().Format(time.RFC3339)), nil
}

// Time is d as the standard library has it.
func (d Date) Time() time.Time { return time.Time(d) }

// IsZero tells that there is no date.
func (d Date) IsZero() bool { return d.Time().IsZero() }
