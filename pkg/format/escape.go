// Package format writes events for people: one line each, whatever the process
// put into it.
package format

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The names of threads, the text of messages and the paths of executables are
// chosen by whoever is being watched. Printed as they are they could end a line
// and forge the next one, or send commands to the terminal.

const hexDigits = "0123456789abcdef"

// AppendEscaped appends s with everything that is not printable escaped as in a
// Go string: control characters, invalid UTF-8, the marks that change the
// direction of text, and the backslash itself. What it appends is valid UTF-8
// without control characters.
func AppendEscaped[T string | []byte](dst []byte, s T) []byte {
	return appendEscaped(dst, s, `\`)
}

// AppendPrintable appends s as AppendEscaped does, but leaves the backslash
// alone: for text that has been escaped once already, such as JSON.
func AppendPrintable[T string | []byte](dst []byte, s T) []byte {
	return appendEscaped(dst, s, "")
}

// AppendQuoted appends s in double quotes, escaped like a Go string.
func AppendQuoted[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s, `\"`)
	return append(dst, '"')
}

// AppendWord appends s as it is if it is a plain word, and else in double
// quotes: so that no name can pass for the field after it.
func AppendWord[T string | []byte](dst []byte, s T) []byte {
	if !isWord(s) {
		return AppendQuoted(dst, s)
	}
	return append(dst, s...)
}

func isWord[T string | []byte](s T) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '/', c == '_', c == '-', c == '+', c == ':', c == '@', c == '%', c == '~', c == '#':
		default:
			return false
		}
	}
	return len(s) > 0
}

// appendEscaped escapes what is not printable, and puts a backslash before each
// of the special characters.
func appendEscaped[T string | []byte](dst []byte, s T, special string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			dst = appendASCII(dst, c, special)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&0xf])
		case strconv.IsPrint(r):
			dst = append(dst, s[i:i+size]...)
		default:
			dst = appendRune(dst, r)
		}
		i += size
	}
	return dst
}

func appendASCII(dst []byte, c byte, special string) []byte {
	switch {
	case strings.IndexByte(special, c) >= 0:
		return append(dst, '\\', c)
	case ' ' <= c && c <= '~':
		return append(dst, c)
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\t':
		return append(dst, '\\', 't')
	case c == '\r':
		return append(dst, '\\', 'r')
	default:
		return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&0xf])
	}
}

// appendRune appends \uXXXX, or \UXXXXXXXX beyond the first plane.
func appendRune(dst []byte, r rune) []byte {
	letter, digits := byte('u'), 4
	if r > 0xffff {
		letter, digits = 'U', 8
	}
	dst = append(dst, '\\', letter)
	for shift := (digits - 1) * 4; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[r>>shift&0xf])
	}
	return dst
}
