package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program is what one C program is built from, under programs/.
type program struct {
	compiler string
	name     string
	sources  []string
	flags    []string
}

var callSources = []string{
	"calls.c", "call.c", "enter.c", "object.c", "say.c", "place.c",
	"queues.c", "sets.c", "segments.c", "hostile.c", "operations.c", "library.c",
}

var raceSources = []string{
	"races.c", "changes.c", "flips.c", "shares.c", "stalls.c", "enter.c", "place.c",
}

// variant is one way into System V IPC, for which calls.c and races.c are compiled.
type variant struct {
	name      string
	compiler  string
	flags     []string
	compat    bool // through the 32-bit system call table
	multiplex bool // through ipc(2)
	time64    bool // a compat semtimedop has 64-bit seconds
	garbage   bool // in the upper halves of the registers, which the kernel ignores
}

// arch is the architecture of the programs: that of the tests, unless they only
// build the programs, for another machine.
var arch = cmp.Or(os.Getenv("IPCWARDEN_E2E_ARCH"), runtime.GOARCH)

// variants has the native one first.
var variants = map[string][]variant{
	"amd64": {
		{name: "amd64", compiler: native, flags: []string{"-m64"}},
		{name: "i386", compiler: native, flags: compat386, compat: true, time64: true},
		{name: "i386-ipc", compiler: native, flags: append(compat386, "-DUSE_IPC"), compat: true, multiplex: true},
		{name: "int80", compiler: native, flags: []string{"-m64", "-DUSE_INT80"}, compat: true, time64: true, garbage: true},
		{name: "int80-ipc", compiler: native, flags: []string{"-m64", "-DUSE_INT80", "-DUSE_IPC"}, compat: true, multiplex: true, garbage: true},
	},
	"arm64": {
		{name: "arm64", compiler: native},
		{name: "arm", compiler: armCompiler, compat: true},
		{name: "arm-time64", compiler: armCompiler, flags: []string{"-DUSE_TIME64"}, compat: true, time64: true},
	},
}[arch]

// compat386 finds the kernel's headers where Debian has them for 64-bit programs:
// the package that has them for both, gcc-multilib, excludes cross compilers.
var compat386 = []string{"-m32", "-idirafter", "/usr/include/x86_64-linux-gnu"}

const armCompiler = "arm-linux-gnueabihf-gcc"

// native is the compiler of 64-bit programs.
var native = nativeCompiler()

func nativeCompiler() string {
	if arch == "arm64" && runtime.GOARCH != arch {
		return "aarch64-linux-gnu-gcc"
	}
	return "gcc"
}

// word is the size of a long and of a pointer in bytes.
func (v variant) word() int {
	if v.compat {
		return 4
	}
	return 8
}

func (v variant) calls() program { return program{v.compiler, "calls-" + v.name, callSources, v.flags} }
func (v variant) supported() program {
	return program{v.compiler, "supported-" + v.name, []string{"supported.c"}, v.flags}
}
func (v variant) races() program {
	return program{v.compiler, "races-" + v.name, raceSources, append(slices.Clone(v.flags), "-pthread")}
}

// many is program many by way of the 32-bit library, which knows ipc(2) only.
func (v variant) many() program {
	return program{v.compiler, "many-" + v.name, []string{"many.c"}, v.flags}
}

// multiplexed are the variants whose library makes all calls through ipc(2).
func multiplexed() []variant {
	return slices.DeleteFunc(slices.Clone(variants), func(v variant) bool { return !v.multiplex || v.garbage })
}

// raceVariants are those that races.c is compiled for. It does not place its memory
// where int $0x80 reaches it from 64-bit code.
func raceVariants() []variant {
	return slices.DeleteFunc(slices.Clone(variants), func(v variant) bool { return v.garbage })
}

var (
	blocked    = program{native, "blocked", []string{"blocked.c"}, []string{"-pthread"}}
	count      = program{native, "count", []string{"count.c"}, []string{"-pthread"}}
	steps      = program{native, "steps", []string{"steps.c"}, []string{"-pthread"}}
	suspicious = program{native, "suspicious", []string{"suspicious.c"}, nil}
	many       = program{native, "many", []string{"many.c"}, nil}
	moves      = program{native, "moves", []string{"moves.c"}, nil}
	everyday   = program{native, "everyday", []string{"everyday.c"}, nil}
)

func allPrograms() []program {
	all := []program{blocked, count, steps, suspicious, many, moves, everyday}
	for _, v := range variants {
		all = append(all, v.calls(), v.supported())
	}
	for _, v := range raceVariants() {
		all = append(all, v.races())
	}
	for _, v := range multiplexed() {
		all = append(all, v.many())
	}
	return all
}

// buildAll compiles every program into dir, for another machine.
func buildAll(dir string) int {
	for _, p := range allPrograms() {
		if err := p.compile(filepath.Join(dir, p.name)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

func (p program) compile(path string) error {
	args := []string{"-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", path}
	args = append(args, p.flags...)
	for _, source := range p.sources {
		args = append(args, filepath.Join("programs", source))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if out, err := exec.CommandContext(ctx, p.compiler, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", p.compiler, strings.Join(args, " "), err, out)
	}
	return nil
}

var built sync.Map // name of a program -> func() (path string, err error)

// build returns the path of a program, which is compiled once in a test run.
func (p program) build(t *testing.T) string {
	t.Helper()
	once, _ := built.LoadOrStore(p.name, sync.OnceValues(func() (string, error) {
		if dir := os.Getenv("IPCWARDEN_E2E_PROGRAMS"); dir != "" {
			path := filepath.Join(dir, p.name)
			_, err := os.Stat(path)
			return path, err
		}
		path := filepath.Join(scratch, p.name)
		return path, p.compile(path)
	}))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatalf("build %s: %v", p.name, err)
	}
	return path
}

// requireVariant skips where the kernel does not serve the variant. Only what a
// kernel without 32-bit callers answers counts: ENOEXEC to a 32-bit program, and
// SIGSEGV to int $0x80.
func requireVariant(t *testing.T, v variant) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	err := exec.CommandContext(ctx, v.supported().build(t)).Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
	case v.compat && errors.Is(err, syscall.ENOEXEC):
		t.Skipf("this kernel runs no 32-bit programs: %v", err)
	case v.compat && errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGSEGV:
		t.Skipf("this kernel serves no int $0x80: %v", err)
	default:
		t.Fatalf("%s: %v", v.supported().name, err)
	}
}

// ended is a program that has run to its end, with success.
type ended struct {
	pid    uint32
	stdout []byte
}

// runProgram runs a command to its end, and fails the test if it fails.
func runProgram(t *testing.T, path string, args ...string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\nstderr: %s", filepath.Base(path), strings.Join(args, " "), err, &stderr)
	}
	return ended{uint32(cmd.Process.Pid), stdout.Bytes()}
}
