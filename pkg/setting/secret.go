package setting

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// The beginnings of the text of a secret that lies elsewhere.
const (
	secretFile = "file:"
	secretEnv  = "env:"
)

// Mask is what is shown in place of a secret.
const Mask = "********"

// maxSecret bounds a secret's file, which could be anything.
const maxSecret = 64 << 10

// Secret is a text that nobody gets to see: however it is printed, logged or
// marshalled, what shows is where it lies, or Mask. It is written as file:PATH,
// as env:NAME, or as the text itself. The zero value is no secret.
type Secret struct {
	from string  // file:PATH or env:NAME; empty if it was written down as it is
	text *string // behind a pointer, which package fmt does not follow
}

// NewSecret keeps a text secret that somebody has brought.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// ParseSecret reads the secret that text is or refers to. It is an error if there
// is none there; no error has the secret in it. Of a file's content the last end
// of line is left out.
func ParseSecret(text string) (Secret, error) {
	path, isFile := strings.CutPrefix(text, secretFile)
	name, isEnv := strings.CutPrefix(text, secretEnv)
	s := NewSecret(text)
	switch {
	case isFile:
		content, err := readSecret(path)
		if err != nil {
			return Secret{}, fmt.Errorf("read the secret: %w", err)
		}
		s = NewSecret(content)
	case isEnv:
		s = NewSecret(os.Getenv(name))
	default:
		return s, nil
	}
	if s.text == nil {
		return Secret{}, fmt.Errorf("the secret in %s is empty", text)
	}
	s.from = text
	return s, nil
}

func readSecret(path string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("no path after %s", secretFile)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(content) > maxSecret {
		return "", fmt.Errorf("%s is longer than %d bytes", path, maxSecret)
	}
	content = bytes.TrimSuffix(content, []byte("\n"))
	return string(bytes.TrimSuffix(content, []byte("\r"))), nil
}

// UnmarshalText reads what ParseSecret reads.
func (s *Secret) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSecret(string(text))
	return err
}

// MarshalText writes what String returns.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal is the secret itself, and empty if there is none.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero tells that there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// Inline tells that the secret was written down as it is, and not as a reference.
func (s Secret) Inline() bool { return s.text != nil && s.from == "" }

// String is where the secret lies, Mask if it was written down, or empty.
func (s Secret) String() string {
	if s.Inline() {
		return Mask
	}
	return s.from
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("setting.Secret(%q)", s.String()) }
