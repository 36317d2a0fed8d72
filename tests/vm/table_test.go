package main

import (
	"reflect"
	"strings"
	"testing"
)

func silent(string, ...any) {}

func TestTable(t *testing.T) {
	k := kernel{name: "6.1", suites: []string{"x"}}
	r := newResult(k, []string{"kprobe", "tracepoint"}, silent, false)
	for _, rec := range []record{
		{Type: recordBoot, Release: "6.1.0-56-amd64"},
		{Type: recordTest, Hook: "kprobe", Test: "TestA", Result: "pass"},
		{Type: recordTest, Hook: "kprobe", Test: "TestB", Result: "skip"},
		{Type: recordHook, Hook: "kprobe"},
		{Type: recordTest, Hook: "tracepoint", Test: "TestA", Result: "pass"},
		{Type: recordTest, Hook: "tracepoint", Test: "TestB", Result: "pass"},
		{Type: recordHook, Hook: "tracepoint"},
	} {
		r.receive(rec)
	}
	if table := newTable([]*result{r}, nil); !table.Green {
		t.Errorf("not green: %+v", table)
	}
	for _, rec := range []record{
		{Type: recordTest, Hook: "kprobe", Test: "TestC", Result: "fail", Output: "late\n"},
		{Type: recordTest, Hook: "kprobe", Test: "TestC", Result: "pass"},
	} {
		r.receive(rec)
	}
	if table := newTable([]*result{r}, nil); !table.Green {
		t.Errorf("not green, though it passed when it was run again: %+v", table)
	}
	for range 2 {
		r.receive(record{Type: recordTest, Hook: "tracepoint", Test: "TestC", Result: "fail", Output: strings.Repeat("more\n", 20) + "why\n"})
	}
	table := newTable([]*result{r}, nil)
	var b strings.Builder
	if err := table.write(&b); err != nil || table.Green {
		t.Errorf("green with a failure, or %v", err)
	}
	const want = "\n" +
		"kernel  release         fentry  kprobe                    tracepoint  time\n" +
		"6.1     6.1.0-56-amd64  -       2 ok, 1 flaky, 1 skipped  FAIL 1/3    0 s\n" +
		"flaky 6.1 kprobe: TestC passed when it was run again\n    late\n"
	failed := "streams: none\n" +
		"FAIL 6.1 tracepoint: TestC\n" + strings.Repeat("    more\n", 11) + "    why\n"
	if b.String() != want+failed {
		t.Errorf("got %q, want %q", b.String(), want+failed)
	}
}

func TestCellsThatAreNotGreen(t *testing.T) {
	for want, h := range map[string]hookResult{
		"FAIL not run":          {},
		"FAIL ended after 3":    {Passed: 3},
		"FAIL 1/3":              {Complete: true, Passed: 2, Failed: []string{"TestA"}},
		"FAIL none passed of 1": {Complete: true, Skipped: []string{"TestA"}},
		"FAIL none passed of 0": {Complete: true},
	} {
		if got := h.cell(); got != want || h.ok() {
			t.Errorf("got %q, ok %v, want %q", got, h.ok(), want)
		}
	}
}

func TestProblemsAreNotGreen(t *testing.T) {
	for _, rec := range []record{
		{Type: recordBinary, Error: "exit status 2"},
		{Type: recordError, Error: "no line"},
		{Type: recordDoctor, Error: "killed"},
		{Type: recordStream, Data: "?"},
		{Type: recordTest, Hook: "lsm", Result: "pass"},
	} {
		r := newResult(kernel{name: "sid"}, nil, silent, false)
		if r.receive(rec); r.ok() {
			t.Errorf("%+v is no problem", rec)
		}
	}
	if newTable(nil, nil).Green {
		t.Error("nothing is green")
	}
}

func TestSelection(t *testing.T) {
	kernels, err := selectKernels("sid, 6.1", "")
	if err != nil || len(kernels) != 2 || kernels[0].name != "6.1" || kernels[1].name != "sid" {
		t.Errorf("got %+v, %v", kernels, err)
	}
	if _, err := selectKernels("6.2", ""); err == nil {
		t.Error("no error for a kernel that there is not")
	}
	hooks, err := selectHooks([]string{"kprobe", "tracepoint"}, "fentry,kprobe")
	if err != nil || !reflect.DeepEqual(hooks, []string{"kprobe"}) {
		t.Errorf("got %q, %v", hooks, err)
	}
	if _, err := selectHooks(allHooks, "lsm"); err == nil {
		t.Error("no error for a hook that there is not")
	}
}

func TestAttachableHooks(t *testing.T) {
	got, err := attachableHooks([]byte(`{"checks":[
		{"name":"hook fentry","status":"ok","found":"attached and detached again: x"},
		{"name":"hook kprobe","status":"ok","found":"the kernel offers none"}]}`))
	if want := []string{"fentry", "tracepoint"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
