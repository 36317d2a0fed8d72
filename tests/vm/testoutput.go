package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// outputLimit is how much of a test's output is kept, counted from its end.
const outputLimit = 4096

// marker precedes the lines that the testing package writes itself, if a test
// binary runs with -test.v=test2json. It need not be at the start of a line.
const marker = "\x16"

// testOutput reads what a test binary prints and sends one record for each test
// that begins and one for each top-level test that ends. The binary's machine has
// no go command, and so no go tool test2json.
type testOutput struct {
	hook, binary string
	send         func(record)

	partial []byte
	current string            // the test that what follows belongs to; "" is none
	output  map[string][]byte // of the top-level tests that have not ended
	running []string          // these tests, in the order of their beginning
	stray   []byte            // output since the last test ended
	failed  bool
}

func newTestOutput(hook, binary string, send func(record)) *testOutput {
	return &testOutput{hook: hook, binary: binary, send: send, output: map[string][]byte{}}
}

// Write takes output in pieces of any size.
func (t *testOutput) Write(p []byte) (int, error) {
	t.partial = append(t.partial, p...)
	for {
		line, rest, found := bytes.Cut(t.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		t.line(string(line))
		t.partial = append([]byte(nil), rest...)
	}
}

func (t *testOutput) line(line string) {
	before, said, found := strings.Cut(line, marker)
	if !found {
		t.keep(line + "\n")
		return
	}
	if before != "" {
		t.keep(before + "\n")
	}
	if verb, rest, ok := strings.Cut(strings.TrimPrefix(said, "=== "), " "); ok && strings.HasPrefix(said, "=== ") {
		t.turn(verb, strings.TrimSpace(rest))
		return
	}
	if verdict, ok := strings.CutPrefix(strings.TrimSpace(said), "--- "); ok {
		t.verdict(verdict)
		return
	}
	t.current = "" // the final PASS or FAIL
}

// turn is said when another test begins to run or to print.
func (t *testOutput) turn(verb, name string) {
	switch verb {
	case "RUN":
		if _, ok := t.output[name]; !ok && top(name) == name {
			t.output[name] = nil
			t.running = append(t.running, name)
		}
		t.send(record{Type: recordRun, Hook: t.hook, Binary: t.binary, Test: name})
		t.current = name
	case "CONT", "NAME":
		t.current = name
	}
}

// verdict reads "PASS: TestName (1.23s)".
func (t *testOutput) verdict(text string) {
	verdict, rest, _ := strings.Cut(text, ": ")
	name, duration, _ := strings.Cut(rest, " (")
	if top(name) != name {
		if verdict == "FAIL" || verdict == "SKIP" {
			t.keepFor(name, "--- "+text+"\n")
		}
		return
	}
	seconds, _ := strconv.ParseFloat(strings.TrimSuffix(duration, "s)"), 64) // 0 if it is not said
	t.end(name, strings.ToLower(verdict), seconds)
	t.current = ""
}

func (t *testOutput) end(name, result string, seconds float64) {
	r := record{Type: recordTest, Hook: t.hook, Binary: t.binary, Test: name, Result: result, Seconds: seconds}
	if result != "pass" {
		r.Output = string(t.output[name])
	}
	t.failed = t.failed || result == "fail"
	delete(t.output, name)
	for i, other := range t.running {
		if other == name {
			t.running = append(t.running[:i:i], t.running[i+1:]...)
			break
		}
	}
	t.stray = nil
	t.send(r)
}

func (t *testOutput) keep(text string) { t.keepFor(t.current, text) }

func (t *testOutput) keepFor(test, text string) {
	name := top(test)
	if kept, ok := t.output[name]; ok {
		t.output[name] = last(append(kept, text...), outputLimit)
		return
	}
	t.stray = last(append(t.stray, text...), outputLimit)
}

// close is called when the binary has ended. Tests that had not ended failed, and
// with them what the binary printed when it died.
func (t *testOutput) close(err error) {
	if len(t.partial) > 0 {
		t.line(string(t.partial))
		t.partial = nil
	}
	if err == nil && len(t.running) > 0 {
		err = fmt.Errorf("the binary ended before its tests")
	}
	stray := string(t.stray)
	for _, name := range append([]string(nil), t.running...) {
		t.output[name] = last(append(t.output[name], fmt.Sprintf("%sdid not end: %v\n", stray, err)...), outputLimit)
		t.end(name, "fail", 0)
	}
	// The panic of a test comes after its verdict.
	if err != nil && (!t.failed || strings.Contains(stray, "panic: ")) {
		t.send(record{Type: recordBinary, Hook: t.hook, Binary: t.binary, Error: err.Error(), Output: stray})
	}
}

// top returns the top-level test that a test belongs to.
func top(name string) string {
	name, _, _ = strings.Cut(name, "/")
	return name
}

func last(b []byte, size int) []byte {
	if len(b) > size {
		return b[len(b)-size:]
	}
	return b
}
