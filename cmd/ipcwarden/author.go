package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

// selection is which signatures a command knows.
type selection struct {
	paths     []string
	noBuiltin bool
}

func (s *selection) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&s.paths, "signatures", "s", nil, "add the signatures below `DIR` (repeatable)")
	flagNoBuiltin(cmd, &s.noBuiltin)
	if err := cmd.MarkFlagDirname("signatures"); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

// open loads the signatures. Problems go to stderr, one line each.
func (s *selection) open(cmd *cobra.Command) (*regosig.Workbench, error) {
	sources, err := withBundleKey(cmd, regosig.Sources(s.noBuiltin, s.paths))
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		return nil, errors.New("--no-builtin needs --signatures")
	}
	w, err := regosig.Open(sources...)
	return w, listProblems(cmd, err, "no signature was loaded")
}

// completeID completes the first argument with the ids of the selection.
func (s *selection) completeID(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	// To complete, cobra parses the flags twice.
	paths := slices.Compact(slices.Sorted(slices.Values(s.paths)))
	set, err := regosig.Load(regosig.Sources(s.noBuiltin, paths)...)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []cobra.Completion
	for _, signature := range append(set.Signatures(), s.inGo()...) {
		md := signature.Metadata()
		ids = append(ids, cobra.CompletionWithDesc(md.ID, escaped(md.Title)))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeRego completes directories and files of signatures.
func completeRego(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"rego"}, cobra.ShellCompDirectiveFilterFileExt
}

// unknown explains an id that no signature has.
func (s *selection) unknown(cmd *cobra.Command, err error) error {
	var unknown *regosig.UnknownSignatureError
	if !errors.As(err, &unknown) {
		return err
	}
	known := slices.Clone(unknown.Known)
	for _, signature := range s.inGo() {
		known = append(known, signature.Metadata().ID)
	}
	parent := cmd.Parent().CommandPath()
	return fmt.Errorf("%w%s; %s list lists all", err, didYouMean(unknown.ID, "", known), parent)
}

// page is text for people, collected to be written at once.
type page struct {
	strings.Builder
	color bool
}

// newPage is a page in colour if out is a terminal, and nobody objects.
func newPage(out io.Writer) *page {
	f, ok := out.(*os.File)
	return &page{color: ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""}
}

// The colours of terminals.
const (
	red   = "31"
	green = "32"
	faint = "2"
	bold  = "1"
)

func (p *page) paint(color, text string) string {
	if !p.color || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// line adds a line. What comes from files must have been escaped.
func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) writeTo(out io.Writer) error {
	_, err := io.WriteString(out, p.String())
	return err
}

// attempts tells of the bodies of a rule, and of those that they depend on.
func (p *page) attempts(indent string, list []regosig.Attempt) {
	for _, a := range list {
		verb := p.paint(red, "does not hold")
		if a.Held {
			verb = p.paint(green, "holds")
		}
		value := ""
		if a.Value != nil {
			value = ", and is " + shortValue(*a.Value)
		}
		p.line("%s%s %s%s %s", indent, p.paint(bold, inline(a.Rule)), verb, value, p.paint(faint, "("+a.Place.String()+")"))
		if a.Failed != nil {
			p.failure(indent+"  ", a.Failed)
		}
	}
}

func (p *page) failure(indent string, f *regosig.Failure) {
	tries := ""
	if f.Tries > 1 {
		tries = p.paint(faint, fmt.Sprintf(" (%d times, first with)", f.Tries))
	}
	p.line("%s%s: %s%s", indent, f.Place, inline(f.Expression), tries)
	for _, v := range f.Values {
		value := "undefined"
		if !v.Undefined {
			value = shortValue(v.Value)
		}
		p.line("%s  %s = %s", indent, inline(v.Name), value)
	}
	p.attempts(indent+"  ", f.Calls)
}

// maxInline is how much of an expression or a value people see; JSON has all.
const maxInline = 160

// inline makes one line of what an author wrote, safe for the terminal.
func inline(text string) string {
	return shorten(string(format.AppendPrintable(nil, strings.Join(strings.Fields(text), " "))))
}

// shortValue is the start of a value as JSON, safe for the terminal.
func shortValue(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "?"
	}
	return shorten(string(format.AppendPrintable(nil, strings.TrimSuffix(b.String(), "\n"))))
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > maxInline {
		return string(runes[:maxInline]) + "…"
	}
	return text
}
