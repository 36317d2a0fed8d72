package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// place says where the machine that runs the tests has everything.
type place struct {
	ipcwarden string
	binaries  string // the directory of the test binaries
	programs  string // the directory of the programs in C
	work      string // a directory to run in
	streams   string // a directory that gets one directory of streams for each hook
}

// runSuite runs everything that is ordered, in a guest and on the live kernel
// alike, and sends what comes of it. Nothing that fails keeps the rest from
// running.
func runSuite(ctx context.Context, o order, p place, send func(record)) {
	send(record{Type: recordBoot, Release: release()})
	for _, hook := range o.Hooks {
		if ctx.Err() != nil {
			break
		}
		start := time.Now()
		for _, binary := range o.Binaries {
			failed := runBinary(ctx, o, p, hook, binary, send)
			for try := 1; try < tries && len(failed) > 0 && len(failed) <= fewTests; try++ {
				again := o
				again.Run = "^(" + strings.Join(failed, "|") + ")$"
				failed = runBinary(ctx, again, p, hook, binary, send)
			}
		}
		if err := sendStreams(hook, filepath.Join(p.streams, hook), send); err != nil {
			send(record{Type: recordError, Hook: hook, Error: err.Error()})
		}
		send(record{Type: recordHook, Hook: hook, Seconds: time.Since(start).Seconds()})
	}
	send(document(ctx, recordDoctor, p.ipcwarden, "doctor", "--output", "json"))
	send(document(ctx, recordPrograms, p.ipcwarden, "doctor", "--programs", "--output", "json"))
}

// A machine stands still now and then, for seconds, above all an emulated one: the few
// tests that failed are run again, fewTests of them at most, and tries times in all. What
// more tests fail for, or every time, is something else.
const (
	fewTests = 5
	tries    = 3
)

// runBinary returns the tests that failed.
func runBinary(ctx context.Context, o order, p place, hook, binary string, send func(record)) (failed []string) {
	arguments := []string{"-test.v=test2json", "-test.count=1", "-test.timeout=" + o.Limit.String()}
	if o.Short {
		arguments = append(arguments, "-test.short")
	}
	if o.Run != "" {
		arguments = append(arguments, "-test.run="+o.Run)
	}
	output := newTestOutput(hook, binary, func(r record) {
		if r.Type == recordTest && r.Result == "fail" {
			failed = append(failed, r.Test)
		}
		send(r)
	})
	cmd := exec.CommandContext(ctx, filepath.Join(p.binaries, binary), arguments...)
	cmd.Dir = p.work
	cmd.Env = append(os.Environ(),
		"IPCWARDEN_BIN="+p.ipcwarden,
		"IPCWARDEN_E2E_PROGRAMS="+p.programs,
		"IPCWARDEN_E2E_HOOK="+hook,
		"IPCWARDEN_E2E_STREAMS="+filepath.Join(p.streams, hook))
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = 5 * time.Second // for a daemon that a test left behind
	if err := os.MkdirAll(filepath.Join(p.streams, hook), 0o777); err != nil {
		send(record{Type: recordError, Hook: hook, Error: err.Error()})
	}
	output.close(cmd.Run())
	return failed
}

// sendStreams sends each JSON file of a directory.
func sendStreams(hook, dir string, send func(record)) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		data, err := pack(content)
		if err != nil {
			return fmt.Errorf("packing %s: %w", file, err)
		}
		name := filepath.Base(file)
		send(record{Type: recordStream, Hook: hook, Name: name[:len(name)-len(".json")], Data: data})
	}
	return nil
}

// pack makes text for a slow line of content that repeats itself.
func pack(content []byte) (string, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// document runs a command that prints a JSON document. A bad diagnosis is one
// too, although the command fails.
func document(ctx context.Context, kind, name string, arguments ...string) record {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if json.Valid(out) {
		return record{Type: kind, Document: bytes.TrimSpace(out)}
	}
	if err == nil {
		err = fmt.Errorf("no JSON")
	}
	return record{Type: kind, Error: fmt.Sprintf("%s %v: %v: %s", filepath.Base(name), arguments, err, last(complaint.Bytes(), outputLimit))}
}

// release is what uname -r prints.
func release() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err == nil {
		return string(bytes.TrimSpace(b))
	}
	return "unknown"
}

// kernelLog is what dmesg prints.
func kernelLog() (string, error) {
	const readAll, size = 3, 1 << 20
	b := make([]byte, size)
	n, err := syscall.Klogctl(readAll, b)
	if err != nil {
		return "", fmt.Errorf("reading the kernel's log: %w", err)
	}
	return string(b[:n]), nil
}
