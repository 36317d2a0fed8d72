package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ipcwarden/ipcwarden/pkg/config"
)

// patience is more than a change takes to be noticed.
const patience = 20 * time.Second

// quiet is long enough for a change to be noticed that must not be.
const quiet = 300 * time.Millisecond

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// configured is a configuration with signatures of these paths.
func configured(paths ...string) *config.Loaded {
	c := config.Default()
	c.Signatures.Paths = paths
	return &config.Loaded{Config: c}
}

// loads starts a reloader and yields each attempt of it.
func loads(t *testing.T, paths ...string) (attempts <-chan struct{}, hangup chan<- os.Signal) {
	t.Helper()
	signals, made := make(chan os.Signal, 1), make(chan struct{}, 100)
	r := newReloader(RunOptions{Config: configured(paths...), Hangup: signals}, zap.NewNop())
	r.settle = 30 * time.Millisecond
	r.load = func(*config.Loaded) (*loaded, error) {
		made <- struct{}{}
		return &loaded{}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return made, signals
}

func expect(t *testing.T, attempts <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-attempts:
	case <-time.After(patience):
		t.Fatalf("%s was not noticed", what)
	}
}

func expectNone(t *testing.T, attempts <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-attempts:
		t.Fatalf("%s made it load", what)
	case <-time.After(quiet):
	}
}

func TestChangesAreNoticed(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "signatures")
	at := func(elements ...string) string { return filepath.Join(append([]string{dir}, elements...)...) }
	write(t, at("a.rego"), "a")
	attempts, hangup := loads(t, dir)

	expectNone(t, attempts, "nothing")
	write(t, at(".a.rego.swp"), "editor")
	write(t, at("README.md"), "text")
	write(t, at("a_test.rego"), "test")
	write(t, at("a.rego"), "a")
	expectNone(t, attempts, "what is no signature, or the same")

	write(t, at("a.rego"), "b")
	expect(t, attempts, "another text")
	write(t, at("a.rego~"), "c")
	must(t, os.Rename(at("a.rego~"), at("a.rego")))
	expect(t, attempts, "a renamed file")
	write(t, at("sub", "deep", "b.rego"), "b")
	expect(t, attempts, "a new directory")
	write(t, at("sub", "deep", "b.rego"), "c")
	expect(t, attempts, "a change in a new directory")
	must(t, os.RemoveAll(at("sub")))
	expect(t, attempts, "a directory that is gone")

	must(t, os.Rename(dir, filepath.Join(top, "old")))
	expect(t, attempts, "the top directory's end")
	write(t, at("a.rego"), "new")
	expect(t, attempts, "the top directory's return")
	write(t, at("a.rego"), "newer")
	expect(t, attempts, "a change in the returned directory")

	hangup <- nil
	expect(t, attempts, "SIGHUP")
	expectNone(t, attempts, "nothing")
}

func TestReplacedLinksAreNoticed(t *testing.T) {
	top := t.TempDir()
	for _, version := range []string{"1", "2"} {
		write(t, filepath.Join(top, "releases", version, "signatures", "a.rego"), version)
	}
	replace := func(target, link string) {
		must(t, os.Symlink(target, link+"_tmp"))
		must(t, os.Rename(link+"_tmp", link))
	}
	current := filepath.Join(top, "current")
	replace("releases/1", current)

	// As Kubernetes lays out a ConfigMap.
	mount := filepath.Join(top, "mount")
	write(t, filepath.Join(mount, "..1", "a.rego"), "1")
	replace("..1", filepath.Join(mount, "..data"))
	must(t, os.Symlink("..data/a.rego", filepath.Join(mount, "a.rego")))

	attempts, _ := loads(t, filepath.Join(current, "signatures"), mount)
	replace("releases/2", current)
	expect(t, attempts, "a link on the way")
	write(t, filepath.Join(current, "signatures", "a.rego"), "3")
	expect(t, attempts, "a change behind the link")

	write(t, filepath.Join(mount, "..2", "a.rego"), "2")
	replace("..2", filepath.Join(mount, "..data"))
	expect(t, attempts, "a ConfigMap's link")
	must(t, os.RemoveAll(filepath.Join(mount, "..1")))
	write(t, filepath.Join(mount, "..3", "a.rego"), "3")
	replace("..3", filepath.Join(mount, "..data"))
	expect(t, attempts, "a ConfigMap's second link")
}

func TestReloadKeepsWhatIsThere(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	r := newReloader(RunOptions{Config: configured()}, zap.New(core))
	for _, load := range []func(*config.Loaded) (*loaded, error){
		func(*config.Loaded) (*loaded, error) { return nil, errors.New("broken") },
		func(*config.Loaded) (*loaded, error) { panic("broken") },
	} {
		r.load = load
		if r.reload("test", nil); r.take() != nil {
			t.Error("a set came of an error")
		}
	}
	if n := logs.FilterLevelExact(zapcore.ErrorLevel).Len(); n != 3 {
		t.Errorf("%d errors in the log, want 3: %v", n, logs.All())
	}
	r.load = func(*config.Loaded) (*loaded, error) { return &loaded{}, nil }
	r.reload("test", nil)
	if r.take() == nil || r.take() != nil {
		t.Error("a set must be taken once")
	}
}

// TestReloadedConfiguration reloads a configuration with a change that takes effect at
// once and one that does not, and one that is wrong.
func TestReloadedConfiguration(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	level := zap.NewAtomicLevel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	reread := func() (*config.Loaded, error) { return config.Load(config.Sources{File: file}) }
	write(t, file, "log: {level: info}")
	first, err := reread()
	must(t, err)
	r := newReloader(RunOptions{Config: first, LogLevel: level, Reread: reread}, zap.New(core))
	before := r.status.get()

	write(t, file, "log: {level: debug}\nwebhook: http://127.0.0.1:9/\nsignatures: {paths: ["+ofOne(t, "SITE-1")+"]}")
	r.reload("SIGHUP", reread)
	set := r.take()
	if set == nil || set.engine.Len() == 0 || r.config.Log.Level != "debug" || level.Level() != zapcore.InfoLevel {
		t.Fatalf("%+v, log at %s", set, level)
	}
	r.taken(set)
	if level.Level() != zapcore.DebugLevel || len(logs.FilterField(zap.Strings("keys", []string{"webhook"})).All()) != 1 {
		t.Errorf("log at %s: %v", level, logs.All())
	}
	if s := r.status.get(); s.Successes != 2 || s.Failures != 0 || !s.Loaded.After(before.Loaded) {
		t.Errorf("%+v", s)
	}

	write(t, file, "signatures: {enable: [IPCW-033]}")
	r.reload("SIGHUP", reread)
	enabled := r.take()
	write(t, file, "log: {level: debug}\nsignatures: {disable: [IPCW-001]}")
	r.reload("SIGHUP", reread)
	if disabled := r.take(); enabled == nil || disabled == nil || enabled.engine.Len() != disabled.engine.Len()+2 {
		t.Errorf("one enabled: %+v, one disabled: %+v", enabled, disabled)
	}

	write(t, file, "log: {level: lowd}")
	r.reload("SIGHUP", reread)
	s := r.status.get()
	if r.take() != nil || r.config.Log.Level != "debug" || s.Failures != 1 || len(s.Problems) != 1 || !strings.HasPrefix(s.Problems[0], file+":1: log.level: ") {
		t.Errorf("%+v", s)
	}
}
