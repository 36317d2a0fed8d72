package sink

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/format"
)

// functions are what templates can call, beside those of package text/template. Those
// that begin with _ are added by the escaper.
var functions = template.FuncMap{
	"_line": lineValue, "_json": jsonValue, "_quoted": jsonQuoted,

	"get":       get,
	"json":      jsonValue,
	"printable": func(value any) string { return string(format.AppendEscaped(nil, plain(value))) },
	"mrkdwn":    func(value any) string { return mrkdwn.Replace(plain(value)) },
	"markdown":  func(value any) string { return markdown.Replace(plain(value)) },
	"urlpath":   urlPath,
	"upper":     func(value any) string { return strings.ToUpper(plain(value)) },
	"lower":     func(value any) string { return strings.ToLower(plain(value)) },
	"join":      join,
	"truncate":  truncate,
	"default":   byDefault,
	"among":     among,
}

// get is the value at a path of names with dots between them; nil if there is none.
func get(value any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		m, isMap := value.(map[string]any)
		if !isMap {
			return nil
		}
		value = m[name]
	}
	return value
}

// plain is a value as text: a string as it is, nothing for nil, and all else as JSON.
func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	text, err := jsonValue(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return text
}

// mrkdwn is what Slack asks to be escaped: no value can then mention somebody or make a
// link. (https://docs.slack.dev/messaging/formatting-message-text)
var mrkdwn = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// markdown escapes what Markdown gives a meaning to.
var markdown = func() *strings.Replacer {
	var pairs []string
	for _, c := range "\\`*_{}[]()<>#+-.!|~" {
		pairs = append(pairs, string(c), "\\"+string(c))
	}
	return strings.NewReplacer(pairs...)
}()

// urlPath escapes a value for the path of an address.
func urlPath(value any) string {
	var b strings.Builder
	for _, c := range []byte(plain(value)) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func join(separator string, list any) string {
	values, isList := list.([]any)
	if !isList {
		return plain(list)
	}
	texts := make([]string, len(values))
	for i := range values {
		texts[i] = plain(values[i])
	}
	return strings.Join(texts, separator)
}

// truncate keeps the first characters of a text.
func truncate(characters int, value any) string {
	text := plain(value)
	if utf8.RuneCountInString(text) <= max(characters, 1) {
		return text
	}
	return string([]rune(text)[:max(characters, 1)-1]) + "…"
}

// byDefault is value, or instead if there is none.
func byDefault(instead, value any) any {
	if plain(value) == "" {
		return instead
	}
	return value
}

// among chooses one of five texts by a severity.
func among(severity any, info, low, medium, high, critical string) (string, error) {
	s, err := detect.ParseSeverity(plain(severity))
	if err != nil {
		return "", err
	}
	return [...]string{info, low, medium, high, critical}[s], nil
}
