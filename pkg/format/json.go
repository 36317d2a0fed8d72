package format

import (
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// NewJSONEncoder makes an encoder for what people may look at as well as machines: what
// JSON lets through in its strings, but a terminal acts upon or hides, is written as
// \uXXXX. It is the same JSON.
func NewJSONEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(jsonWriter{w})
	enc.SetEscapeHTML(false)
	return enc
}

// jsonWriter gets whole JSON values.
type jsonWriter struct{ io.Writer }

func (w jsonWriter) Write(text []byte) (int, error) {
	if _, err := w.Writer.Write(escapedJSON(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escapedJSON is text itself if there is nothing to escape. Beyond ASCII, and DEL, are
// in strings only.
func escapedJSON(text []byte) []byte {
	var out []byte // with what comes before done
	done := 0
	for i := 0; i < len(text); {
		if text[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if !strconv.IsPrint(r) {
			out = append(out, text[done:i]...)
			out = appendUTF16(out, r)
			done = i + size
		}
		i += size
	}
	if done == 0 {
		return text
	}
	return append(out, text[done:]...)
}

func appendUTF16(dst []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return appendRune(appendRune(dst, high), low)
	}
	return appendRune(dst, r)
}
