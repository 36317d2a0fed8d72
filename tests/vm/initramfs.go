package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// ipcwardenBinary is the program under test, which make build makes.
const ipcwardenBinary = "bin/ipcwarden"

// testBinary is one package whose tests are run, once for each hook.
type testBinary struct {
	name, pkg string
	cgo       bool // links libbpf, statically: the guest has no libraries for it
}

var testBinaries = []testBinary{
	{name: "e2e.test", pkg: "./tests/e2e"},
	{name: "probe.test", pkg: "./pkg/probe", cgo: true},
}

func binaryNames() (names []string) {
	for _, b := range testBinaries {
		names = append(names, b.name)
	}
	return names
}

// build makes everything that the tests need, below work: bin/ and programs/.
// One after the other, as each go command takes all CPUs.
func build(ctx context.Context, work string) error {
	if _, err := os.Stat(ipcwardenBinary); err != nil {
		return fmt.Errorf("no program to test; run make build in the top directory: %w", err)
	}
	for _, dir := range []string{"bin", "programs"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o755); err != nil {
			return err
		}
	}
	init := []string{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(work, "bin", "init"), "./tests/vm"}
	if err := command(ctx, ".", []string{"CGO_ENABLED=0"}, init...); err != nil {
		return err
	}
	for _, b := range testBinaries {
		if err := b.build(ctx, filepath.Join(work, "bin", b.name)); err != nil {
			return err
		}
	}
	programs, err := filepath.Abs(filepath.Join(work, "programs"))
	if err != nil {
		return err
	}
	builder, err := filepath.Abs(filepath.Join(work, "bin", "e2e.test"))
	if err != nil {
		return err
	}
	return command(ctx, "tests/e2e", []string{"IPCWARDEN_E2E_BUILD=" + programs}, builder)
}

func (b testBinary) build(ctx context.Context, output string) error {
	arguments, environment := []string{"go", "test", "-c", "-o", output}, []string{"CGO_ENABLED=0"}
	if b.cgo {
		libraries, err := exec.CommandContext(ctx, "pkg-config", "--static", "--libs", "libbpf", "libelf", "zlib").Output()
		if err != nil {
			return fmt.Errorf("asking pkg-config for libbpf: %w", err)
		}
		environment = []string{"CGO_ENABLED=1", "CGO_LDFLAGS=" + string(libraries)}
		arguments = append(arguments, "-tags", "netgo,osusergo", "-ldflags", `-extldflags "-static"`)
	}
	return command(ctx, ".", environment, append(arguments, b.pkg)...)
}

// command runs a program and returns what it printed as part of the error.
func command(ctx context.Context, dir string, environment []string, arguments ...string) error {
	cmd := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// writeInitramfs packs what build made and the tools that tests use.
func writeInitramfs(work, target string) (err error) {
	f, err := os.Create(target)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = fmt.Errorf("packing %s: %w", target, err)
		}
	}()
	a, err := newArchive(f)
	if err != nil {
		return err
	}
	if err := fill(a, work); err != nil {
		return err
	}
	return a.close()
}

func fill(a *archive, work string) error {
	for _, dir := range []string{"proc", "sys", "dev", "tmp", "tests"} {
		if err := a.directory(dir); err != nil {
			return err
		}
	}
	files := map[string]string{
		"init":          filepath.Join(work, "bin", "init"),
		"bin/busybox":   "/bin/busybox",
		"bin/ipcwarden": ipcwardenBinary,
	}
	for _, name := range binaryNames() {
		files["bin/"+name] = filepath.Join(work, "bin", name)
	}
	programs, err := os.ReadDir(filepath.Join(work, "programs"))
	if err != nil {
		return err
	}
	for _, p := range programs {
		files["programs/"+p.Name()] = filepath.Join(work, "programs", p.Name())
	}
	if err := libraries(files, "strace"); err != nil {
		return err
	}
	for name, source := range files {
		if err := a.file(name, source); err != nil {
			return err
		}
	}
	if err := a.content("etc/passwd", "root:x:0:0:root:/:/bin/busybox\n"); err != nil {
		return err
	}
	return a.link("bin/sh", "busybox")
}

var libraryPath = regexp.MustCompile(`/[^ ]+`)

// libraries adds a dynamic program and its libraries, which stay at their places.
func libraries(files map[string]string, name string) error {
	program, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return fmt.Errorf("asking ldd for the libraries of %s: %w", program, err)
	}
	files["bin/"+name] = program
	for _, library := range libraryPath.FindAllString(string(out), -1) {
		files[library] = library
	}
	return nil
}
