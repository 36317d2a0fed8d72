// Command gen writes every file that follows from the event table and from the
// Go types: the BPF header, the JSON schemas and the reference, also that of the
// Rego libraries. It is run from
// the top of the repository, by make generate.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/reference"
	"github.com/ipcwarden/ipcwarden/pkg/regosig"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func generate() error {
	var events bytes.Buffer
	if err := reference.Markdown(&events); err != nil {
		return fmt.Errorf("docs/events.md: %w", err)
	}
	eventSchema, err := schema("Event", "What a signature sees of an event, and what trace prints.", event.Document{})
	if err != nil {
		return fmt.Errorf("event schema: %w", err)
	}
	alertSchema, err := schema("Alert", "One alert, as run prints it and webhooks receive it.", alert.Alert{})
	if err != nil {
		return fmt.Errorf("alert schema: %w", err)
	}
	helpers, err := regosig.HelpersMarkdown()
	if err != nil {
		return fmt.Errorf("docs/helpers.md: %w", err)
	}
	var defaults, configSchema bytes.Buffer
	if err := errors.Join(config.WriteDefault(&defaults), config.WriteSchema(&configSchema)); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"ebpf/table.gen.h", header()},
		{"rego/schemas/event.json", eventSchema},
		{"docs/alert.schema.json", alertSchema},
		{"docs/events.md", events.Bytes()},
		{"docs/helpers.md", helpers},
		{"docs/config.schema.json", configSchema.Bytes()},
		{"deploy/config.yaml", defaults.Bytes()},
	} {
		if err := os.MkdirAll(filepath.Dir(file.name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file.name, file.content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
