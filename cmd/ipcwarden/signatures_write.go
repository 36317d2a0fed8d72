package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/format"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/signatures"
)

func newSignaturesShowCommand() *cobra.Command {
	var selected selection
	var output string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Print everything about a signature",
		Long: `Print everything about a signature: what it says of itself, the events that it
is evaluated for, what else matches, where it is defined, and its source.`,
		Example: `  ipcwarden signatures show IPCW-001
  ipcwarden signatures show SITE-001 -s /etc/ipcwarden/signatures --output json`,
		Args:              oneID,
		ValidArgsFunction: selected.completeID,
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			w, err := selected.open(cmd)
			if err != nil {
				return err
			}
			d, err := selected.definition(w, args[0])
			if err != nil {
				return selected.unknown(cmd, err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), shownSignature{listed(d.Metadata), d.Contract, d.Package, d.Verdict, d.Filter, d.Kernel, d.Files})
			}
			return printDefinition(cmd.OutOrStdout(), d)
		},
	}
	selected.addFlags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	return cmd
}

// shownSignature is a signature as show --output json writes it.
type shownSignature struct {
	listedSignature
	Contract string          `json:"contract"`
	Package  string          `json:"package"`
	Verdict  []regosig.Place `json:"verdict"`
	Filter   []string        `json:"filter"`
	Kernel   []string        `json:"kernel"`
	Files    []regosig.File  `json:"files"`
}

func printDefinition(out io.Writer, d *regosig.Definition) error {
	md, p := d.Metadata, newPage(out)
	p.line("%s  %s", p.paint(bold, escaped(md.ID)), escaped(md.Title))
	w := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	events := strings.Join(md.Events.Names(), ", ")
	if md.Events == 0 {
		events = "none that ipcwarden sees"
	}
	row("severity", md.Severity.String())
	if md.Off {
		row("default", "off; run --enable "+escaped(md.ID)+" uses it")
	}
	row("events", events)
	row("ATT&CK", strings.Join(md.Attack, ", "))
	row("version", escaped(md.Version))
	row("tags", escaped(strings.Join(md.Tags, ", ")))
	row("correlation", inline(d.Correlation))
	row("contract", d.Contract)
	row("package", escaped(d.Package))
	if len(d.Verdict) == 0 {
		row("defined in", escaped(md.Source))
	}
	for _, place := range d.Verdict {
		row("defined at", place.String())
	}
	for _, key := range sortedKeys(md.Properties) {
		row("property", inline(key)+" = "+shortValue(md.Properties[key]))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	p.block("description", "  ", strings.Split(strings.TrimSpace(md.Description), "\n"))
	p.block("false positives", "  - ", md.FalsePositives)
	p.block("references", "  - ", md.References)
	p.block("evaluated only on an event of which one of these is true", "  - ", d.Filter)
	p.block("sent by the kernel only if one of these is true of the call", "  - ", d.Kernel)
	for _, f := range d.Files {
		p.line("\n%s", p.paint(bold, escaped(f.Name)))
		p.WriteString(printableText(f.Text))
	}
	return p.writeTo(out)
}

// block adds lines below a title, if there are any.
func (p *page) block(title, before string, lines []string) {
	if len(lines) == 0 || lines[0] == "" {
		return
	}
	p.line("\n%s", p.paint(bold, title))
	for _, line := range lines {
		p.line("%s%s", before, format.AppendPrintable(nil, line))
	}
}

// printableText is a text as it is, but for what a terminal would obey; lines
// and tabs stay.
func printableText(text string) string {
	var b []byte
	for line := range strings.Lines(text) {
		for i, part := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			if i > 0 {
				b = append(b, '\t')
			}
			b = format.AppendPrintable(b, part)
		}
		b = append(b, '\n')
	}
	return string(b)
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func newSignaturesNewCommand() *cobra.Command {
	var eventName, output string
	cmd := &cobra.Command{
		Use:   "new ID [DIR]",
		Short: "Write a new signature and its test",
		Long: `Write a signature and its test below DIR, the current directory without one. Both
load and pass as they are: replace what says TODO, and the condition.

The names of the files and of the package come from ID. Nothing is replaced.`,
		Example: `  ipcwarden signatures new SITE-001 ./signatures --event msgsnd
  ipcwarden signatures test ./signatures`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return fmt.Errorf("an ID and at most one directory are needed; see %s --help", cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			dir := "."
			if len(args) > 1 {
				dir = args[1]
			}
			if event.ByName(eventName) == nil {
				return fmt.Errorf("--event: %w", unknownEvent(eventName))
			}
			if err := refuseTaken(args[0], dir); err != nil {
				return err
			}
			files, err := regosig.Scaffold(args[0], eventName, dir)
			if err != nil {
				return err
			}
			return printFiles(cmd.OutOrStdout(), files, asJSON,
				"try: ipcwarden signatures test "+escaped(filepath.Dir(files[0])))
		},
	}
	cmd.Flags().StringVarP(&eventName, "event", "e", "msgsnd", "the `name` of the event that the signature is for")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	names := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return completeEventNames(nil, nil, "")
	}
	if err := cmd.RegisterFlagCompletionFunc("event", names); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
	return cmd
}

// refuseTaken refuses the id of a signature that is built in or lies below dir.
// What does not load has no ids yet; check tells of it.
func refuseTaken(id, dir string) error {
	for _, s := range signatures.All() {
		if md := s.Metadata(); md.ID == id {
			return fmt.Errorf("id %s is taken by %s", id, md.Source)
		}
	}
	for _, paths := range [][]string{nil, {dir}} {
		set, err := regosig.Load(regosig.Sources(len(paths) > 0, paths)...)
		if err != nil {
			continue
		}
		for _, s := range set.Signatures() {
			if md := s.Metadata(); md.ID == id {
				return fmt.Errorf("id %s is taken by %s", id, escaped(md.Source))
			}
		}
	}
	return nil
}

// printFiles lists files that were written, and for people what to do next.
func printFiles(out io.Writer, files []string, asJSON bool, next string) error {
	if asJSON {
		return writeJSON(out, struct {
			Files []string `json:"files"`
		}{files})
	}
	p := newPage(out)
	for _, name := range files {
		p.line("wrote %s", escaped(name))
	}
	p.line("%s", next)
	return p.writeTo(out)
}

func newSignaturesSchemaCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "schema [DIR]",
		Short: "Write down the schema of events for editors and OPA",
		Long: `Write into DIR, the current directory without one, what editors and OPA need to
check signatures as ipcwarden does: below .ipcwarden the JSON Schema of events,
the built-in functions that signatures may use, and the libraries that they can
import; and .regal/config.yaml, the configuration of Regal, the linter and
language server for Rego.

What is below .ipcwarden is replaced, .regal/config.yaml only if it is not yours.`,
		Example: `  ipcwarden signatures schema ./signatures
  cd signatures
  opa check --strict --schema .ipcwarden/schemas/event.json --capabilities .ipcwarden/capabilities.json .
  regal lint .`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := parseOutput(output)
			if err != nil {
				return err
			}
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			files, err := regosig.WriteEditorFiles(dir)
			if err != nil {
				return err
			}
			return printFiles(cmd.OutOrStdout(), files, asJSON, "try, in "+escaped(dir)+
				": opa check --schema .ipcwarden/schemas/event.json --capabilities .ipcwarden/capabilities.json .")
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	completeOutput(cmd)
	return cmd
}
