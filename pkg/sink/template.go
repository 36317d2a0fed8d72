package sink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"text/template"
	"text/template/parse"

	"github.com/ipcwarden/ipcwarden/pkg/format"
)

// escaping is what is done to each value that a template prints, so that no value can
// become anything but a value.
type escaping int

const (
	// escapeLine keeps values within their line, and from the terminal.
	escapeLine escaping = iota
	// escapeJSON makes a value in double quotes a part of that string, and elsewhere
	// a JSON value of its own.
	escapeJSON
)

// messageTemplate makes messages of alerts.
type messageTemplate struct {
	template   *template.Template
	escaping   escaping
	routingKey string
	buffer     bytes.Buffer
}

// parseTemplate reads a template, and tries it on an alert of each type: so that one
// that cannot work is refused before there is an alert.
func parseTemplate(name, text string, escaping escaping, routingKey string) (*messageTemplate, error) {
	t, err := template.New(name).Funcs(functions).Option("missingkey=zero").Parse(text)
	if err != nil {
		return nil, err
	}
	if len(t.Templates()) > 1 {
		return nil, errors.New("a template cannot define others")
	}
	if t.Tree == nil || t.Root == nil || parse.IsEmptyTree(t.Root) {
		return nil, errors.New("the template is empty")
	}
	w := escaper{escaping: escaping}
	if end := w.list(t.Root, false); end && w.err == nil {
		w.err = errors.New("a string does not end")
	}
	if w.err != nil {
		return nil, w.err
	}
	m := &messageTemplate{template: t, escaping: escaping, routingKey: routingKey}
	for _, a := range samples() {
		e, err := NewEntry(a)
		if err != nil {
			return nil, err
		}
		if _, err := m.append(nil, e); err != nil {
			return nil, fmt.Errorf("of an alert of type %s: %w", a.Type, err)
		}
	}
	return m, nil
}

// append is a render.
func (m *messageTemplate) append(dst []byte, e *Entry) ([]byte, error) {
	tree, err := e.tree()
	if err != nil {
		return dst, err
	}
	m.buffer.Reset()
	err = m.template.Execute(&m.buffer, map[string]any{
		"alert": tree, "title": e.Alert.Title(), "summary": e.Alert.Summary(), "routingKey": m.routingKey,
	})
	if err != nil {
		return dst, err
	}
	if m.escaping == escapeLine {
		return append(dst, bytes.TrimRight(m.buffer.Bytes(), "\n")...), nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, m.buffer.Bytes()); err != nil {
		return dst, fmt.Errorf("the template gives no JSON: %w", err)
	}
	return append(dst, compact.Bytes()...), nil
}

// escaper adds to whatever a template prints the escaping that its place needs.
type escaper struct {
	escaping escaping
	err      error
}

// list walks through nodes of which the first is within a JSON string or not, and
// returns whether what follows the last is.
func (w *escaper) list(list *parse.ListNode, quoted bool) bool {
	if list == nil {
		return quoted
	}
	for _, node := range list.Nodes {
		quoted = w.node(node, quoted)
	}
	return quoted
}

func (w *escaper) node(node parse.Node, quoted bool) bool {
	switch n := node.(type) {
	case *parse.TextNode:
		return w.escaping == escapeJSON && endsQuoted(n.Text, quoted)
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 { // a declaration prints nothing
			w.escape(n.Pipe, quoted)
		}
	case *parse.IfNode:
		return w.branches(&n.BranchNode, quoted)
	case *parse.WithNode:
		return w.branches(&n.BranchNode, quoted)
	case *parse.RangeNode:
		if end := w.branches(&n.BranchNode, quoted); end != quoted {
			w.fail(n, "begins within a JSON string and ends outside, or the other way round")
		}
	case *parse.CommentNode:
	default:
		w.fail(n, "is not supported")
	}
	return quoted
}

// branches have to leave the string that they are in, or not, alike.
func (w *escaper) branches(n *parse.BranchNode, quoted bool) bool {
	end := w.list(n.List, quoted)
	if w.list(n.ElseList, quoted) != end {
		w.fail(n, "ends a JSON string in one branch only")
	}
	return end
}

func (w *escaper) fail(node parse.Node, problem string) {
	if w.err == nil {
		w.err = fmt.Errorf("%s %s", node, problem)
	}
}

// escape adds a function to the end of a pipe.
func (w *escaper) escape(pipe *parse.PipeNode, quoted bool) {
	name := "_line"
	switch {
	case w.escaping == escapeJSON && quoted:
		name = "_quoted"
	case w.escaping == escapeJSON:
		name = "_json"
	}
	function := parse.NewIdentifier(name).SetPos(pipe.Pos)
	pipe.Cmds = append(pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pipe.Pos, Args: []parse.Node{function}})
}

// endsQuoted tells whether text that begins within a JSON string, or not, ends there.
func endsQuoted(text []byte, quoted bool) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '\\' && quoted:
			i++
		}
	}
	return quoted
}

// jsonValue is a value as JSON.
func jsonValue(value any) (string, error) {
	var b bytes.Buffer
	err := format.NewJSONEncoder(&b).Encode(value)
	return string(bytes.TrimSuffix(b.Bytes(), []byte{'\n'})), err
}

// jsonQuoted is the text of a value as it stands between the quotes of a JSON string.
func jsonQuoted(value any) (string, error) {
	quoted, err := jsonValue(plain(value))
	if err != nil {
		return "", err
	}
	return quoted[1 : len(quoted)-1], nil
}

func lineValue(value any) string { return string(format.AppendPrintable(nil, plain(value))) }
