package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestFewFailuresAreRunAgain has a test binary in which some tests fail in its first runs.
func TestFewFailuresAreRunAgain(t *testing.T) {
	for _, c := range []struct {
		fail, runs int // how many tests fail, in how many runs
		want       []string
	}{
		{fail: 1, runs: 0, want: []string{"pass"}},
		{fail: 1, runs: 2, want: []string{"fail", "fail", "pass"}},
		{fail: 2, runs: 9, want: []string{"fail", "fail", "fail", "fail", "fail", "fail"}},
		{fail: fewTests + 1, runs: 1, want: slices.Repeat([]string{"fail"}, fewTests+1)},
	} {
		dir := t.TempDir()
		script := fmt.Sprintf(`#!/bin/sh
echo >>runs
result=PASS
test $(wc -l <runs) -gt %d || result=FAIL
for i in $(seq %d); do
	printf '\026=== RUN   Test%%d\n\026--- %%s: Test%%d (0.01s)\n' $i $result $i
done
test $result = PASS
`, c.runs, c.fail)
		if err := os.WriteFile(filepath.Join(dir, "binary"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		var got []string
		p := place{ipcwarden: "/bin/false", binaries: dir, work: dir, streams: dir}
		runSuite(t.Context(), order{Hooks: []string{"kprobe"}, Binaries: []string{"binary"}}, p, func(r record) {
			if r.Type == recordTest {
				got = append(got, r.Result)
			}
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%d tests that fail in %d runs: %q, want %q", c.fail, c.runs, got, c.want)
		}
	}
}
