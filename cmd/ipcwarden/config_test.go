package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/ipcwarden/ipcwarden/pkg/config"
	"github.com/ipcwarden/ipcwarden/pkg/probe"
)

// TestFlagsAreKeys gives every flag of run its own default: each sets a key, and to
// what the key is by default.
func TestFlagsAreKeys(t *testing.T) {
	nothing := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(nothing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newRunCommand().Flags().VisitAll(func(f *pflag.Flag) {
		values := []string{f.DefValue}
		switch f.Name {
		case "config":
			return
		case "signatures", "enable", "disable":
			values = nil
		}
		loaded, err := config.Load(config.Sources{File: nothing, Flags: []config.Flag{{Name: f.Name, Values: values}}})
		if err != nil {
			t.Errorf("--%s=%s: %v", f.Name, f.DefValue, err)
			return
		}
		if len(loaded.Origins) != 1 {
			t.Errorf("--%s sets %v, want one key", f.Name, loaded.Origins)
		}
		if !reflect.DeepEqual(loaded.Config, config.Default()) {
			t.Errorf("--%s=%s makes %+v of the default", f.Name, f.DefValue, loaded.Config)
		}
	})
}

func TestBoundsAreThoseOfTheProbe(t *testing.T) {
	if config.MaxSnapshotBytes != probe.MaxSnapshotBytes || config.MaxDigestBytes != probe.MaxDigestBytes || config.MaxMaxActive != probe.MaxKretprobes {
		t.Errorf("%d, %d, %d", config.MaxSnapshotBytes, config.MaxDigestBytes, config.MaxMaxActive)
	}
	for _, hook := range []string{"auto", "fentry", "kprobe", "tracepoint"} {
		var h probe.Hook
		if err := h.UnmarshalText([]byte(hook)); err != nil {
			t.Error(err)
		}
	}
}

func TestConfigCommands(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	set := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set("webhook: https://x.example/hunter2\ncapture:\n  hook: kprobe\n")
	if stdout, stderr, code := ipcwarden("config", "check", file); code != 0 || stdout != "the configuration is good; files read: 1, warnings: 0\n" || stderr != "" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	t.Setenv("IPCWARDEN_CONFIG", file)
	t.Setenv("IPCWARDEN_LOG_LEVEL", "warn")
	stdout, stderr, code := ipcwarden("config", "show", "--output", "json")
	var got shown
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || stderr != "" || strings.Contains(stdout, "hunter2") {
		t.Fatalf("%v %d %q %q", err, code, stdout, stderr)
	}
	values := map[string]any{}
	for _, s := range got.Settings {
		values[s.Key] = s.Value
	}
	if values["capture.hook"] != "kprobe" || values["log.level"] != "warn" || values["webhook"] != "********" || len(got.Files) != 1 {
		t.Error(stdout)
	}
	stdout, _, code = ipcwarden("config", "show")
	for _, want := range []string{"capture.hook kprobe " + file + ":3", "log.level warn $IPCWARDEN_LOG_LEVEL", "output json default", "signatures.paths [] default"} {
		if code != 0 || !strings.Contains(strings.Join(strings.Fields(stdout), " "), want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}

	set("otput: json\nlog: {level: \"in\\e[31m\"}\n")
	stdout, stderr, code = ipcwarden("config", "check", file)
	want := file + ":1: otput: unknown key; the nearest is output\n" +
		file + `:2: log.level: "in\\x1b[31m" is none of debug, info, warn, error` + "\n" +
		"ipcwarden: the configuration has 2 problems\n"
	if code != 1 || stdout != "" || stderr != want {
		t.Errorf("%d %q %q\nwant %q", code, stdout, stderr, want)
	}
	set("otput: json\n")
	for _, args := range []string{"config check " + file, "config show", "run", "run --config " + file} {
		if _, stderr, code := ipcwarden(strings.Fields(args)...); code != 1 || stderr != "ipcwarden: "+file+":1: otput: unknown key; the nearest is output\n" {
			t.Errorf("%s: %d %q", args, code, stderr)
		}
	}
}

// TestGeneratedFiles holds what is checked in to what the commands print.
func TestGeneratedFiles(t *testing.T) {
	for command, path := range map[string]string{"default": "deploy/config.yaml", "schema": "docs/config.schema.json"} {
		want, err := os.ReadFile(filepath.Join("..", "..", path))
		if err != nil {
			t.Fatal(err)
		}
		if stdout, _, code := ipcwarden("config", command); code != 0 || !bytes.Equal([]byte(stdout), want) {
			t.Errorf("%s is not what config %s prints; run make generate", path, command)
		}
	}
}

// TestExamples are good as they are shipped.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../deploy/examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if stdout, stderr, code := ipcwarden("config", "check", file); code != 0 || !strings.Contains(stdout, "warnings: 0") {
			t.Errorf("%s: %d %s%s", file, code, stdout, stderr)
		}
	}
}
