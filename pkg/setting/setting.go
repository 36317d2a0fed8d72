// Package setting has the types of values in ipcwarden's configuration, whose
// text form is strict, and the errors that name a value by its key. A type with a
// method Validate() error is asked by whoever reads the configuration, after all
// of it has been read; what it returns is reported under the type's key.
//
// All types take part in YAML and JSON through encoding.TextMarshaler and
// encoding.TextUnmarshaler.
package setting

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Error is what is wrong with the value of one key.
type Error struct {
	Key string // the way from the top, as in sinks.chat.url or signatures.paths[2]
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Key, e.Err) }

// Unwrap returns what is wrong, without the key.
func (e *Error) Unwrap() error { return e.Err }

// joined is the type of what errors.Join makes. What fmt.Errorf makes of several
// errors is one.
var joined = reflect.TypeOf(errors.Join(errors.ErrUnsupported))

// Split is the errors that errors.Join has joined, or err alone; none for nil.
func Split(err error) []error {
	switch {
	case err == nil:
		return nil
	case reflect.TypeOf(err) != joined:
		return []error{err}
	}
	var list []error
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		list = append(list, Split(err)...)
	}
	return list
}

// Under puts key before the key that err is about: Under("sinks",
// Under("chat", err)) is about sinks.chat. Each of joined errors is put there by
// itself. It is nil for no error.
func Under(key string, err error) error {
	var below *Error
	switch {
	case err == nil:
		return nil
	case reflect.TypeOf(err) == joined:
		var list []error
		for _, err := range Split(err) {
			list = append(list, Under(key, err))
		}
		return errors.Join(list...)
	case errors.As(err, &below):
		return &Error{Join(key, below.Key), below.Err}
	default:
		return &Error{key, err}
	}
}

// Index is the key of the element i of a list, for Under.
func Index(i int) string { return fmt.Sprintf("[%d]", i) }

// Join is the key of what has the key below in what has the key above, either of
// which may be empty.
func Join(above, below string) string {
	if above == "" || below == "" || strings.HasPrefix(below, "[") {
		return above + below
	}
	return above + "." + below
}
