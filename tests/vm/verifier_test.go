package main

import (
	"reflect"
	"slices"
	"testing"
)

func TestVerifierCounts(t *testing.T) {
	old, err := parseCounts(verifierHead + "\n" +
		"5.10\tkprobe\tenter\t100\n" +
		"6.1\tfentry\tenter\t200\n" +
		"6.1\tfentry\tgone\t10\n" +
		"6.1\tkprobe\tenter\t300\n")
	if err != nil {
		t.Fatal(err)
	}
	results := []*result{
		{Kernel: "host", programs: []programCount{{Hook: "fentry", Program: "enter", Instructions: 1}}},
		{Kernel: "5.10", every: true}, // ran, and did not count
		{Kernel: "6.1", every: true, programs: []programCount{
			{Kernel: "6.1.0-56-amd64", Hook: "kprobe", Program: "enter", Instructions: 300},
			{Kernel: "6.1.0-56-amd64", Hook: "fentry", Program: "enter", Instructions: 210},
			{Kernel: "6.1.0-56-amd64", Hook: "fentry", Program: "exit", Instructions: 50},
		}},
	}
	merged := mergeCounts(old, results)
	const want = verifierHead + "\n" +
		"5.10\tkprobe\tenter\t100\n" +
		"6.1\tfentry\tenter\t210\n" +
		"6.1\tfentry\texit\t50\n" +
		"6.1\tkprobe\tenter\t300\n"
	if got := string(formatCounts(merged)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	changes := []string{
		"6.1 fentry enter: 210, was 200 (+5.0 %)",
		"6.1 fentry exit: 50, new",
		"6.1 fentry gone: gone, was 10",
	}
	if got := countChanges(old, merged); !reflect.DeepEqual(got, changes) {
		t.Errorf("got %q, want %q", got, changes)
	}
	again, err := parseCounts(string(formatCounts(merged)))
	if err != nil || !slices.Equal(again, merged) {
		t.Errorf("read back: %v, %v", again, err)
	}
	for _, bad := range []string{"a\tb\tc\n", "a\tb\tc\td\n"} {
		if _, err := parseCounts(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}
