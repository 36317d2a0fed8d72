package reference

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// textWidth is where running text is broken, in columns.
const textWidth = 88

// tagLegend explains the tags, in the order in which they are listed.
var tagLegend = [][2]string{
	{"K", "passed in a register: the kernel has its own copy, which nobody can change"},
	{"U", "leads to user memory"},
	{"TOCTOU", "that memory can change between a tracer's look and the kernel's"},
	{"OPT", "may be absent or ignored, depending on the call"},
}

// List writes a table with one line for each event.
func List(w io.Writer, events []Event) error {
	return flush(w, func(b *bytes.Buffer) {
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		fmt.Fprint(t, "EVENT\t")
		for _, abi := range event.ABIs() {
			fmt.Fprintf(t, "%s\t", strings.ToUpper(abi.String()))
		}
		fmt.Fprint(t, "IPC(2)\tARGUMENTS\n")
		for i := range events {
			e := &events[i]
			fmt.Fprintf(t, "%s\t", e.Name)
			for _, abi := range event.ABIs() {
				fmt.Fprintf(t, "%s\t", dash(e.numbers(abi.String())))
			}
			call := "-"
			if e.IPC != nil {
				call = fmt.Sprintf("%d %s", e.IPC.Number, e.IPC.Name)
			}
			fmt.Fprintf(t, "%s\t%s\n", call, strings.Join(e.argNames(), ", "))
		}
		_ = t.Flush() // to a bytes.Buffer: cannot fail
	})
}

// Text writes the whole reference of the events.
func Text(w io.Writer, events []Event) error {
	return flush(w, func(b *bytes.Buffer) {
		for i := range events {
			events[i].text(b)
			b.WriteString("\n")
		}
		b.WriteString("Tags\n")
		for _, tag := range tagLegend {
			fmt.Fprintf(b, "  %-8s%s\n", tag[0], tag[1])
		}
	})
}

func (e *Event) text(b *bytes.Buffer) {
	fmt.Fprintf(b, "%s(%s)\n", e.Name, strings.Join(e.argNames(), ", "))
	wrap(b, "  ", e.Description)
	fmt.Fprintf(b, "  Tracee's event %d on amd64.\n", e.TraceeID)

	b.WriteString("\nEntry points\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  ABI\tNUMBER\tSYSTEM CALL\tKERNEL FUNCTION\n")
	for _, p := range e.EntryPoints {
		fmt.Fprintf(t, "  %s\t%d\t%s\t%s\n", p.ABI, p.Number, p.Syscall, dash(strings.Join(p.Functions, " or ")))
	}
	_ = t.Flush()

	b.WriteString("\nHooks\n")
	for _, hook := range e.Hooks {
		fmt.Fprintf(b, "  %s: attaches to %s\n", hook.Name, strings.Join(hook.Attaches, " and "))
	}

	b.WriteString("\nThrough ipc(2)\n")
	calls := e.Calls
	if e.IPC != nil {
		calls = []IPCCall{*e.IPC}
	}
	for _, call := range calls {
		fmt.Fprintf(b, "  %-3d%-12s%s\n", call.Number, call.Name, call.signature())
	}

	b.WriteString("\nArguments\n")
	for i := range e.Args {
		e.Args[i].text(b)
	}
}

func (a *Arg) text(b *bytes.Buffer) {
	fmt.Fprintf(b, "  %s %s [%s]\n", a.Type, a.Name, strings.Join(a.Tags, ", "))
	const indent = "      "
	if a.Tracee != nil {
		wrap(b, indent, fmt.Sprintf("Tracee's page says [%s]; in truth it is %s.", strings.Join(a.Tracee, ", "), a.Why))
	}
	if a.LeadsTo != "" {
		wrap(b, indent, "Leads to "+a.LeadsTo+".")
	}
	if a.Values != nil {
		wrap(b, indent, a.Values.text())
	}
}

func (s *Set) text() string {
	names := make([]string, len(s.Names))
	for i, v := range s.Names {
		names[i] = v.Name + " " + s.number(v)
	}
	text := strings.ToUpper(s.Kind[:1]) + s.Kind[1:] + ": " + strings.Join(names, ", ") + "."
	if s.Note != "" {
		text += " " + strings.ToUpper(s.Note[:1]) + s.Note[1:] + "."
	}
	return text
}

// number writes flags in octal, as the kernel's headers do, and commands in
// decimal.
func (s *Set) number(v Value) string {
	if s.Kind == "flags" {
		return fmt.Sprintf("%#o", v.Value)
	}
	return strconv.FormatUint(uint64(v.Value), 10)
}

// signature is msgget: first=key, second=msgflg.
func (c *IPCCall) signature() string {
	params := make([]string, len(c.Params))
	for i, p := range c.Params {
		params[i] = p.Slot + "=" + p.Arg
	}
	return c.Event + ": " + strings.Join(params, ", ")
}

// numbers lists the system call numbers of one ABI.
func (e *Event) numbers(abi string) string {
	var numbers []string
	for _, p := range e.EntryPoints {
		if p.ABI == abi {
			numbers = append(numbers, strconv.FormatUint(uint64(p.Number), 10))
		}
	}
	return strings.Join(numbers, ", ")
}

func (e *Event) argNames() []string {
	names := make([]string, len(e.Args))
	for i := range e.Args {
		names[i] = e.Args[i].Name
	}
	return names
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// wrap writes text in lines of at most textWidth columns, but never breaks a
// word.
func wrap(b *bytes.Buffer, indent, text string) {
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+len(word) > textWidth:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteByte('\n')
}

// flush writes what fill makes in one piece.
func flush(w io.Writer, fill func(*bytes.Buffer)) error {
	var b bytes.Buffer
	fill(&b)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write reference of events: %w", err)
	}
	return nil
}
