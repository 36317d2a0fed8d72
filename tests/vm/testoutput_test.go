package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// parse feeds text in pieces of n bytes.
func parse(text string, n int, err error) (records []record) {
	o := newTestOutput("kprobe", "x.test", func(r record) {
		r.Hook, r.Binary = "", ""
		records = append(records, r)
	})
	for len(text) > 0 {
		n := min(n, len(text))
		if _, err := o.Write([]byte(text[:n])); err != nil {
			panic(err)
		}
		text = text[n:]
	}
	o.close(err)
	return records
}

func TestOutputBecomesRecords(t *testing.T) {
	const text = "\x16=== RUN   TestA\n" +
		"\x16=== RUN   TestA/one\n" +
		"said by one, without an end\x16=== RUN   TestB\n" +
		"\x16=== PAUSE TestB\n" +
		"\x16=== NAME  TestA\n" +
		"    a_test.go:1: said by A\n" +
		"\x16    --- FAIL: TestA/one (0.25s)\n" +
		"\x16--- FAIL: TestA (1.50s)\n" +
		"\x16=== CONT  TestB\n" +
		"    b_test.go:1: needs a moon\n" +
		"\x16--- SKIP: TestB (0.00s)\n" +
		"\x16=== RUN   TestC\n" +
		"\x16--- PASS: TestC (2.00s)\n" +
		"\x16FAIL\n"
	want := []record{
		{Type: recordRun, Test: "TestA"},
		{Type: recordRun, Test: "TestA/one"},
		{Type: recordRun, Test: "TestB"},
		{Type: recordTest, Test: "TestA", Result: "fail", Seconds: 1.5, Output: "said by one, without an end\n" +
			"    a_test.go:1: said by A\n--- FAIL: TestA/one (0.25s)\n"},
		{Type: recordTest, Test: "TestB", Result: "skip", Output: "    b_test.go:1: needs a moon\n"},
		{Type: recordRun, Test: "TestC"},
		{Type: recordTest, Test: "TestC", Result: "pass", Seconds: 2},
	}
	for _, n := range []int{1, 7, len(text)} {
		if got := parse(text, n, errors.New("exit status 1")); !reflect.DeepEqual(got, want) {
			t.Errorf("in pieces of %d bytes:\ngot  %+v\nwant %+v", n, got, want)
		}
	}
}

func TestOutputOfABinaryThatDies(t *testing.T) {
	died := errors.New("exit status 2")
	for name, test := range map[string]struct {
		text string
		err  error
		want record // the last
	}{
		"in a test": {
			"\x16=== RUN   TestA\nhere\n", died,
			record{Type: recordTest, Test: "TestA", Result: "fail", Output: "here\ndid not end: exit status 2\n"},
		},
		"with success in a test": {
			"\x16=== RUN   TestA\n", nil,
			record{Type: recordTest, Test: "TestA", Result: "fail", Output: "did not end: the binary ended before its tests\n"},
		},
		"with a panic": {
			"\x16=== RUN   TestA\n\x16--- FAIL: TestA (0.00s)\npanic: oh [recovered]\n", died,
			record{Type: recordBinary, Error: "exit status 2", Output: "panic: oh [recovered]\n"},
		},
		"before a test": {
			"no such flag\n", died,
			record{Type: recordBinary, Error: "exit status 2", Output: "no such flag\n"},
		},
	} {
		records := parse(test.text, 100, test.err)
		if got := records[len(records)-1]; !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, test.want)
		}
	}
}

func TestOutputIsCutAtItsBeginning(t *testing.T) {
	text := "\x16=== RUN   TestA\n" + strings.Repeat("0123456789\n", 1000) + "last\n\x16--- FAIL: TestA (0.00s)\n"
	records := parse(text, 100, errors.New("exit status 1"))
	got := records[len(records)-1].Output
	if len(got) != outputLimit || !strings.HasSuffix(got, "last\n") {
		t.Errorf("%d bytes that end with %q", len(got), last([]byte(got), 10))
	}
}
