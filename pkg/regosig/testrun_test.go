package regosig

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// write makes a directory with a file per pair of name and text.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	sized = "package a\nmatch if {\n\tinput.arg.msgsz > limit\n}\nlimit := 10\nunused if input.via == \"ipc\"\n"
	head  = "package a_test\nimport data.a\n"
)

func outcomes(r *TestReport) string {
	var all []string
	for _, t := range r.Tests {
		all = append(all, t.Name+" "+t.Outcome)
	}
	return strings.Join(all, ", ")
}

func TestRunTests(t *testing.T) {
	dir := write(t,
		"a.rego", header("A")+sized,
		"a_test.rego", head+`
test_large if a.match with input as {"arg": {"msgsz": 11}}

test_small if {
	print("checking")
	a.match with input as {"arg": {"msgsz": 9}}
}

test_broken if 1 / (a.limit - 10) == 1

todo_test_later if false

test_cases[name] if {
	some name, want in {"good": true, "bad": false}
	want
}

test_twice if a.limit == 10

test_twice if a.limit == 11
`,
		"sub/b_test.rego", "package b_test\ntest_b if data.a.limit == 10",
		".hidden/c_test.rego", "no rego",
	)
	r, err := RunTests(t.Context(), TestOptions{Paths: []string{dir}, Coverage: true})
	if err != nil {
		t.Fatal(err)
	}
	want := "a_test.test_large pass, a_test.test_small fail, a_test.test_broken error, a_test.todo_test_later skip, " +
		"a_test.test_cases fail, a_test.test_twice pass, a_test.test_twice#01 fail, b_test.test_b pass"
	if got := outcomes(r); got != want || r.Passed != 3 || r.Failed != 4 || r.Skipped != 1 {
		t.Errorf("got %s\nwant %s", got, want)
	}
	small := r.Tests[1]
	var b strings.Builder
	tell(&b, "", small.Bodies)
	wantReason := `a_test.test_small 6:1
  8:2 a.match with input as {"arg": {"msgsz": 9}} (1)
  > a.match 8:1
  >   9:2 input.arg.msgsz > limit (1)
  >     input.arg.msgsz = 9
  >     limit = 10
`
	if b.String() != wantReason || small.Output != "checking\n" || small.Place.String() != filepath.Join(dir, "a_test.rego")+":6:1" {
		t.Errorf("got %+v\n%s", small, b.String())
	}
	if again := r.Tests[6]; len(again.Bodies) != 1 || again.Bodies[0].Failed == nil || again.Bodies[0].Failed.Expression != "a.limit == 11" {
		t.Errorf("got %+v", again)
	}
	if got := r.Tests[2].Error; !strings.Contains(got, "divide by zero") {
		t.Errorf("error %q", got)
	}
	if got := r.Tests[4].Cases; !reflect.DeepEqual(got, []string{"bad"}) {
		t.Errorf("cases %q", got)
	}
	if len(r.Coverage) != 1 || !reflect.DeepEqual(r.Coverage[0].Uncovered, []LineRange{{12, 12}}) || r.Coverage[0].Percent != 75 || r.TotalCoverage() != 75 {
		t.Errorf("coverage %+v", r.Coverage)
	}

	r, err = RunTests(t.Context(), TestOptions{Paths: []string{dir}, Run: regexp.MustCompile(`b_test\.test_b$`)})
	if err != nil || outcomes(r) != "b_test.test_b pass" || r.Coverage != nil {
		t.Errorf("got %s and error %v", outcomes(r), err)
	}
	for _, file := range []string{"a.rego", "a_test.rego"} {
		r, err = RunTests(t.Context(), TestOptions{Paths: []string{filepath.Join(dir, file)}})
		if err != nil || len(r.Tests) != 7 {
			t.Errorf("%s: %d tests and error %v", file, len(r.Tests), err)
		}
	}
	r, err = RunTests(t.Context(), TestOptions{Paths: []string{write(t, "a.rego", header("A")+sized)}})
	if err != nil || len(r.Tests) != 0 {
		t.Errorf("got %+v and error %v", r, err)
	}
}

func TestRunTestsOfTracee(t *testing.T) {
	r, err := RunTests(t.Context(), TestOptions{Paths: []string{write(t,
		"t.rego", traceeHead+"tracee_selected_events[s] { s := {\"source\": \"tracee\", \"name\": \"ptrace\"} }\ntracee_match { input.notOurs == 1 }",
		"t_test.rego", "package tracee.a\ntest_one { tracee_match with input as {\"notOurs\": 1} }\ntest_two { tracee_match with input as data.events.two }",
		"two.json", `{"notOurs": 2}`,
		"lib.rego", "package lib\nyes := true",
		"lib_test.rego", "package lib_test\ntest_yes if data.lib.yes",
	)}, Coverage: true})
	if err != nil || outcomes(r) != "lib_test.test_yes pass, tracee.a.test_one pass, tracee.a.test_two fail" || len(r.Coverage) != 2 {
		t.Errorf("got %+v and error %v", r, err)
	}
}

func TestRecordedEventsInTests(t *testing.T) {
	large := `{"eventName": "msgsnd", "arg": {"msgsz": 20}}`
	dir := write(t,
		"one/a.rego", header("A")+sized,
		"one/a_test.rego", head+"import data.events\ntest_file if a.match with input as data.events.seen\ntest_import if a.match with input as events[\"burst\"][1]\ntest_count if count(events.burst) == 2",
		"one/seen.json", "{\n"+large[1:],
		"one/burst.jsonl", strings.Replace(large, "20", "1", 1)+"\n"+large+"\n",
		"one/unused.json", "not JSON, and nobody asks",
		// The same name elsewhere is another event; a variable names all of them.
		"two/b.rego", header("B")+strings.Replace(sized, "package a", "package b", 1),
		"two/b_test.rego", "package b_test\ntest_all if every e in data.events { not data.b.match with input as e }\ntest_one if data.events.seen.arg.msgszz == 3\ntest_match if data.b.match with input as {\"arg\": {\"msgsz\": 11}}",
		"two/seen.json", `{"arg": {"msgszz": 3}}`,
	)
	r, err := RunTests(t.Context(), TestOptions{Paths: []string{dir}, Coverage: true})
	if err != nil {
		t.Fatal(err)
	}
	// Each directory is run by itself, and covers its own.
	for _, f := range r.Coverage {
		if !reflect.DeepEqual(f.Uncovered, []LineRange{{12, 12}}) {
			t.Errorf("coverage %+v", f)
		}
	}
	want := "a_test.test_file pass, a_test.test_import pass, a_test.test_count pass, b_test.test_all pass, b_test.test_one pass, b_test.test_match pass"
	if got := outcomes(r); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	warning := filepath.Join(dir, "two/seen.json") + ":1:10: input.arg has no field msgszz; the nearest is msgsz"
	if !reflect.DeepEqual(r.Warnings, []string{warning}) {
		t.Errorf("warnings %q, want %q", r.Warnings, warning)
	}
}

func TestBrokenTests(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		want  string // DIR is the directory
	}{
		{"test that does not parse", []string{"a_test.rego", "package x\ntest_a if {"}, "DIR/a_test.rego:2:11: unexpected eof token: test_a if {"},
		{"test that does not compile", []string{"a_test.rego", "package x\ntest_a if y"}, "DIR/a_test.rego:2:11: var y is unsafe"},
		{"misspelt package", []string{"a_test.rego", "package x\ntest_a if not data.aa.match"}, "DIR/a_test.rego:2:15: data.aa.match is not defined in any file; the nearest to aa is a"},
		{"signature", []string{"b.rego", header("B") + "package b\nmatch if input.nope"}, "DIR/b.rego:8:10: undefined ref: input.nope: input has no field nope; the nearest is ipc"},
		{"no such event", []string{"a_test.rego", "package x\ntest_a if data.events.sen", "seen.json", "{}"}, "DIR/a_test.rego:2:11: data.events.sen: neither sen.json nor sen.jsonl nor sen.ipcwcap lies beside this file; the nearest is seen"},
		{"no event at all", []string{"a_test.rego", "package x\ntest_a if data.events.sen"}, "DIR/a_test.rego:2:11: data.events.sen: neither sen.json nor sen.jsonl nor sen.ipcwcap lies beside this file"},
		{"two files", []string{"a_test.rego", "package x\ntest_a if data.events.s", "s.json", "{}", "s.jsonl", "{}"}, "DIR/a_test.rego:2:11: data.events.s: both s.json and s.jsonl lie beside this file"},
		{"two events", []string{"a_test.rego", "package x\ntest_a if data.events.s", "s.json", "{}\n{}"}, "DIR/s.json:2:1: a second event: several go to a file s.jsonl"},
		{"malformed event", []string{"a_test.rego", "package x\ntest_a if data.events.s", "s.jsonl", "{\"a\": 1}\n{\"b\": }\n"}, "DIR/s.jsonl:2:7: not JSON: invalid character '}' looking for beginning of value"},
		{"cut event", []string{"a_test.rego", "package x\ntest_a if data.events.s", "s.jsonl", "{\"a\": 1}\n{\"b\": "}, "DIR/s.jsonl:2:7: the file ends within an event"},
		{"no object", []string{"a_test.rego", "package x\ntest_a if data.events.s", "s.json", "\n [1]"}, "DIR/s.json:2:2: an array or a set is no event: an event is a JSON object"},
		{"empty event file", []string{"a_test.rego", "package x\ntest_a if data.events.s", "s.json", "\n"}, "DIR/s.json:2:1: no event in this file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, append([]string{"a.rego", header("A") + sized}, tt.files...)...)
			_, err := RunTests(t.Context(), TestOptions{Paths: []string{dir}})
			var loadError *LoadError
			if want := strings.ReplaceAll(tt.want, "DIR", dir); !errors.As(err, &loadError) || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
	dir := write(t, "a.rego", header("A")+sized)
	for name, want := range map[string]string{
		"a.rego":      "a.rego: no a_test.rego lies beside this file",
		"a_test.rego": "a_test.rego: no such file or directory",
		"none":        "none: no such file or directory",
	} {
		if _, err := RunTests(t.Context(), TestOptions{Paths: []string{filepath.Join(dir, name)}}); err == nil || err.Error() != filepath.Join(dir, want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestRepository is how the repository's own signatures are tested while they
// are written: beside the libraries that are built in as well.
func TestRepository(t *testing.T) {
	for _, dir := range []string{"../../rego", "../../rego/low-attach"} {
		r, err := RunTests(t.Context(), TestOptions{Paths: []string{dir}})
		if err != nil || r.Failed > 0 || r.Passed < 10 {
			t.Errorf("%s: %d passed, error %v", dir, r.Passed, err)
		}
	}
}
