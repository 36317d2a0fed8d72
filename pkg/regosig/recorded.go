package regosig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/ipcwarden/ipcwarden/pkg/capture"
	"github.com/ipcwarden/ipcwarden/pkg/nearest"
	"github.com/ipcwarden/ipcwarden/rego"
)

const (
	// maxRecordedBytes bounds a file of events: it is held in memory as a whole.
	maxRecordedBytes = 64 << 20
	// maxRecordedDepth bounds how deep a document nests. Events nest five levels.
	maxRecordedDepth = 64
)

// Recorded is one event as JSON, the way that trace prints it.
type Recorded struct {
	File string
	Line int // where the document starts, of the file or of what trace prints of it

	value map[string]any // numbers are json.Number
}

// ReadRecorded reads a stream of documents, each on one line or on several, or a
// recording of package capture. name
// is what problems call the stream. The error is a *LoadError with file and line;
// the warnings are places where a document is not what an event looks like.
func ReadRecorded(name string, r io.Reader) (documents []Recorded, warnings []string, err error) {
	text, err := io.ReadAll(io.LimitReader(r, maxRecordedBytes+1))
	if err == nil && len(text) > maxRecordedBytes {
		err = fmt.Errorf("more than %d MiB of events", maxRecordedBytes>>20)
	}
	ps := &problems{}
	if err != nil {
		ps.add(name, 0, 0, "%s", cause(err))
		return nil, nil, ps.err()
	}
	documents, warned := readRecorded(name, text, ps)
	return documents, lines(warned), ps.err()
}

// ReadRecordedFile is ReadRecorded of a file.
func ReadRecordedFile(name string) (documents []Recorded, warnings []string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return ReadRecorded(name, f)
}

func lines(list []Problem) []string {
	var lines []string
	for _, p := range list {
		lines = append(lines, p.String())
	}
	return lines
}

// readRecorded reads documents up to the first mistake, which it reports.
func readRecorded(name string, text []byte, ps *problems) (documents []Recorded, warned []Problem) {
	if capture.IsRecording(text) {
		var err error
		if text, err = linesOf(text); err != nil {
			ps.add(name, 0, 0, "%s", err)
			return nil, nil
		}
	}
	d := &recordedReader{name: name, text: text, decoder: json.NewDecoder(bytes.NewReader(text))}
	d.decoder.UseNumber()
	for d.decoder.More() {
		start := d.skipSpace()
		value, err := d.value(eventSchema(), "input", 0)
		object, isObject := value.(map[string]any)
		if err == nil && !isObject {
			err = fmt.Errorf("%s is no event: an event is a JSON object", kindOf(value))
			d.at = start
		}
		if err != nil {
			line, column := d.place(d.at)
			ps.add(name, line, column, "%s", jsonReason(err))
			return documents, d.warned.list
		}
		line, _ := d.place(start)
		documents = append(documents, Recorded{File: name, Line: line, value: object})
	}
	if _, err := d.decoder.Token(); len(documents) == 0 || !errors.Is(err, io.EOF) {
		line, column := d.place(d.skipSpace())
		if errors.Is(err, io.EOF) {
			err = errors.New("no event in this file")
		}
		ps.add(name, line, column, "%s", jsonReason(err))
	}
	return documents, d.warned.list
}

// linesOf is what trace --output json prints of a recording that it did not make.
func linesOf(recording []byte) ([]byte, error) {
	lines := &bounded{}
	err := capture.Lines(bytes.NewReader(recording), lines)
	return lines.Bytes(), err
}

// bounded is a buffer for what a file of events may have.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRecordedBytes {
		return 0, fmt.Errorf("more than %d MiB of events", maxRecordedBytes>>20)
	}
	return b.Buffer.Write(p)
}

// jsonReason is what encoding/json says, without Go's words for it.
func jsonReason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the file ends within an event"
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return "not JSON: " + err.Error()
	}
	return err.Error()
}

// recordedReader reads values token by token, since only tokens have a place.
type recordedReader struct {
	name    string
	text    []byte
	decoder *json.Decoder
	at      int // where the current token starts
	warned  problems

	// line and column belong to the offset that was asked for last.
	offset, line, lineStart int
}

// skipSpace is the offset of the next token.
func (d *recordedReader) skipSpace() int {
	at := int(d.decoder.InputOffset())
	for at < len(d.text) && strings.IndexByte(" \t\r\n,:", d.text[at]) >= 0 {
		at++
	}
	return at
}

// place is line and column of an offset, which must not be before that of the
// last call by more than the same line.
func (d *recordedReader) place(offset int) (line, column int) {
	if offset < d.lineStart {
		d.offset, d.line, d.lineStart = 0, 0, 0
	}
	for ; d.offset < offset && d.offset < len(d.text); d.offset++ {
		if d.text[d.offset] == '\n' {
			d.line++
			d.lineStart = d.offset + 1
		}
	}
	return d.line + 1, offset - d.lineStart + 1
}

// value reads one value and compares it with what the schema says of its place.
func (d *recordedReader) value(schema *schemaNode, path string, depth int) (any, error) {
	d.at = d.skipSpace()
	start := d.at
	token, err := d.decoder.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxRecordedDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxRecordedDepth)
	}
	var value any
	switch token {
	case json.Delim('{'):
		value, err = d.object(schema, path, depth)
	case json.Delim('['):
		value, err = d.array(schema, path, depth)
	default:
		value = token
	}
	if err == nil && schema.Type != "" && !schema.allows(value) {
		d.warn(start, "%s is %s; in an event it is %s", path, kindOf(value), schema.kind())
	}
	return value, err
}

func (d *recordedReader) object(schema *schemaNode, path string, depth int) (any, error) {
	object := map[string]any{}
	for d.decoder.More() {
		d.at = d.skipSpace()
		start := d.at
		token, err := d.decoder.Token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, errors.New("a key is not a string")
		}
		member := schema.Properties[key]
		if depth == 0 && key == capture.RepeatsKey { // which no signature sees
			if _, err := d.value(&schemaNode{}, path+"."+key, depth+1); err != nil {
				return nil, err
			}
			continue
		}
		switch {
		case member != nil:
		case schema.closed():
			d.warn(start, "%s has no field %s; the nearest is %s", path, key, nearest.Name(key, schema.names()))
			fallthrough
		default:
			member = &schemaNode{}
		}
		if object[key], err = d.value(member, path+"."+key, depth+1); err != nil {
			return nil, err
		}
	}
	return object, d.end()
}

func (d *recordedReader) array(schema *schemaNode, path string, depth int) (any, error) {
	items := schema.Items
	if items == nil {
		items = &schemaNode{}
	}
	array := []any{}
	for d.decoder.More() {
		element, err := d.value(items, path+"[_]", depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	return array, d.end()
}

// end reads the closing brace or bracket.
func (d *recordedReader) end() error {
	d.at = d.skipSpace()
	_, err := d.decoder.Token()
	return err
}

// maxWarnings keeps a recording of another format from filling the screen.
const maxWarnings = 20

func (d *recordedReader) warn(offset int, format string, args ...any) {
	if len(d.warned.list) < maxWarnings {
		line, column := d.place(offset)
		d.warned.add(d.name, line, column, format, args...)
	}
}

// schemaNode is the part of JSON Schema that the event's schema uses.
type schemaNode struct {
	Type                 string                 `json:"type"`
	Properties           map[string]*schemaNode `json:"properties"`
	AdditionalProperties *bool                  `json:"additionalProperties"`
	Items                *schemaNode            `json:"items"`
}

// eventSchema is rego/schemas/event.json.
var eventSchema = sync.OnceValue(func() *schemaNode {
	n := &schemaNode{}
	if err := json.Unmarshal(rego.Schema, n); err != nil {
		panic(fmt.Sprintf("regosig: rego/schemas/event.json: %v", err)) // generated and embedded
	}
	return n
})

func (n *schemaNode) closed() bool { return n.AdditionalProperties != nil && !*n.AdditionalProperties }

func (n *schemaNode) names() []string { return slices.Sorted(maps.Keys(n.Properties)) }

func (n *schemaNode) allows(value any) bool {
	switch v := value.(type) {
	case nil:
		return n.Type == "array" // what encoding/json makes of an empty one
	case string:
		return n.Type == "string"
	case bool:
		return n.Type == "boolean"
	case json.Number:
		return n.Type == "number" || n.Type == "integer" && !strings.ContainsAny(v.String(), ".eE")
	case []any:
		return n.Type == "array"
	default:
		return n.Type == "object"
	}
}

// kind names the type as kindOf does.
func (n *schemaNode) kind() string {
	if strings.ContainsRune("aeiou", rune(n.Type[0])) {
		return "an " + n.Type
	}
	return "a " + n.Type
}
