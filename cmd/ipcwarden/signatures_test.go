package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// authored is a directory with a signature, its test, and recorded events.
func authored(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "signatures")
	stdout, stderr, code := ipcwarden("signatures", "new", "SITE-001", dir, "--event", "msgrcv")
	if code != 0 || stderr != "" || strings.Count(stdout, "wrote ") != 2 {
		t.Fatalf("new: code %d\n%s%s", code, stdout, stderr)
	}
	save(t, filepath.Join(dir, "site-001", "seen.jsonl"),
		`{"eventName": "msgrcv", "effectiveUserId": 7, "object": {"creatorUid": 8}}`+"\n"+
			`{"eventName": "msgrcv", "error": "ENOMSG", "object": {"creatorUid": 8}}`+"\n"+
			`{"eventName": "shmat"}`+"\n")
	return dir
}

func save(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// contains reports what of wanted is not in the text.
func contains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.ContainsRune(text, '\x1b') {
		t.Errorf("an escape sequence in %q", text)
	}
}

func TestSignaturesNew(t *testing.T) {
	dir := authored(t)
	if stdout, stderr, code := ipcwarden("signatures", "check", dir); code != 0 || stderr != "" {
		t.Errorf("check: code %d\n%s%s", code, stdout, stderr)
	}
	if stdout, _, _ := ipcwarden("signatures", "check", "--no-builtin", dir); !strings.HasPrefix(stdout, "1 signature, ") {
		t.Errorf("check of one: %s", stdout)
	}
	for args, want := range map[string]string{
		"SITE-001 " + dir:               `id SITE-001 is taken by ` + filepath.Join(dir, "site-001", "site-001.rego"),
		"IPCW-001 " + dir:               "id IPCW-001 is taken by builtin/msg-copy-peek/msg-copy-peek.rego",
		"site_001 " + dir:               filepath.Join(dir, "site-001", "site-001.rego") + " is there already: nothing was written",
		"../x " + dir:                   `id "../x": an id begins with a letter or a digit`,
		"X " + dir + " --event msgrcvv": `--event: unknown event "msgrcvv" (did you mean msgrcv?)`,
		"":                              "an ID and at most one directory are needed; see ipcwarden signatures new --help",
	} {
		_, stderr, code := ipcwarden(append([]string{"signatures", "new"}, strings.Fields(args)...)...)
		if code != 1 || !strings.HasPrefix(stderr, "ipcwarden: "+want) {
			t.Errorf("new %s: code %d, %q, want %q", args, code, stderr, want)
		}
	}
	stdout, _, code := ipcwarden("signatures", "new", "SITE-002", dir, "-o", "json")
	var written struct{ Files []string }
	if err := json.Unmarshal([]byte(stdout), &written); err != nil || code != 0 || len(written.Files) != 2 {
		t.Errorf("code %d, %v\n%s", code, err, stdout)
	}
}

func TestSignaturesTest(t *testing.T) {
	dir := authored(t)
	test := filepath.Join(dir, "site-001", "site-001_test.rego")
	stdout, stderr, code := ipcwarden("signatures", "test", dir, "--coverage", "-v")
	if code != 0 || stderr != "" {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	contains(t, stdout, "PASS signatures.site_001_test.test_own_object ("+test+":", "4 passed, 0 failed in ", "100.0%", "total")

	if stdout, stderr, code := ipcwarden("signatures", "test"); code != 0 || stderr != "" || strings.Count(stdout, "\n") != 1 {
		t.Errorf("built-in: code %d\n%s%s", code, stdout, stderr)
	}
	stdout, _, code = ipcwarden("signatures", "test", dir, "-r", "own_object", "--output", "json", "--coverage")
	var report struct {
		Tests []struct {
			Name, Outcome, File string
			Line                int
		}
		Coverage []struct {
			File      string
			Percent   float64
			Uncovered []struct{ Start, End int }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 || len(report.Tests) != 1 ||
		report.Tests[0].Outcome != "pass" || report.Tests[0].File != test || len(report.Coverage) != 1 || len(report.Coverage[0].Uncovered) == 0 {
		t.Errorf("code %d, %v\n%s", code, err, stdout)
	}

	text, err := os.ReadFile(test)
	if err != nil {
		t.Fatal(err)
	}
	save(t, test, string(text)+"\ntest_seen if every e in data.events.seen { signature.match with input as e }\n\ntest_print if {\n\tprint(\"\\u001b[31m\")\n\tfalse\n}\n")
	stdout, stderr, code = ipcwarden("signatures", "test", test)
	if code != 1 || stderr != "ipcwarden: 2 tests failed\n" {
		t.Errorf("code %d, %q", code, stderr)
	}
	contains(t, stdout, "FAIL signatures.site_001_test.test_seen (", "not input.error", `input.error = "ENOMSG"`,
		"ipcwarden.call.succeeded does not hold (builtin/lib/ipcwarden/call.rego:7:1)", `| \x1b[31m`, "4 passed, 2 failed")

	for args, want := range map[string]string{
		dir + " --run nothing":       `no test matches --run "nothing"`,
		dir + "/site-001/.. -r zzzz": `no test matches --run "zzzz"`,
		filepath.Join(dir, "empty"):  "there is no test: a test is a rule test_… in a file …_test.rego",
	} {
		if strings.HasSuffix(args, "empty") {
			if err := os.Mkdir(args, 0o700); err != nil {
				t.Fatal(err)
			}
			save(t, filepath.Join(args, "lib.rego"), "package lib\nx := 1")
		}
		stdout, stderr, code := ipcwarden(append([]string{"signatures", "test"}, strings.Fields(args)...)...)
		if code != 1 || stderr != "ipcwarden: "+want+"\n" || stdout != "" {
			t.Errorf("test %s: code %d\n%s%s", args, code, stdout, stderr)
		}
	}
	save(t, filepath.Join(dir, "site-001", "seen.jsonl"), "{}\n{")
	_, stderr, code = ipcwarden("signatures", "test", dir)
	if want := filepath.Join(dir, "site-001", "seen.jsonl") + ":2:2: the file ends within an event\nipcwarden: 1 problem: no test was run\n"; code != 2 || stderr != want {
		t.Errorf("code %d, %q", code, stderr)
	}
	for args, want := range map[string]string{"-r (": "--run: ", "-o xml": "--output: ", "--rn x": "unknown flag --rn (did you mean --run?)"} {
		_, stderr, code := ipcwarden(append([]string{"signatures", "test"}, strings.Fields(args)...)...)
		if code != 2 || !strings.HasPrefix(stderr, "ipcwarden: "+want) {
			t.Errorf("test %s: code %d, %q", args, code, stderr)
		}
	}
}

// TestSignedBundle wants a bundle that is signed to be verified, or a warning.
func TestSignedBundle(t *testing.T) {
	dir := authored(t)
	rego, err := os.ReadFile(filepath.Join(dir, "site-001", "site-001.rego"))
	if err != nil {
		t.Fatal(err)
	}
	file, key := filepath.Join(t.TempDir(), "site.tar.gz"), filepath.Join(t.TempDir(), "key")
	save(t, key, "some secret")
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for name, text := range map[string]string{"a.rego": string(rego), ".signatures.json": `{"signatures": ["eyJhbGciOiJSUzI1NiJ9.e30."]}`} { // RS256
		err = errors.Join(err, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		_, more := io.WriteString(w, text)
		err = errors.Join(err, more)
	}
	if err = errors.Join(err, w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	save(t, file, b.String())
	refused := file + `: entry ".signatures.json": signed by "RS256", but the key is for HS256`
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"check " + file, "warning: " + file + ": the bundle is signed, but nothing verifies that: --bundle-key, or signatures.bundle_key", 0},
		{"check " + file + " --bundle-key " + key, refused, 1},
		{"show SITE-001 -s " + file + " --bundle-key " + key, refused, 1},
		{"test " + file, file + ": tests are read from directories and files; unpack the bundle", 2},
	} {
		_, stderr, code := ipcwarden(append([]string{"signatures"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.HasPrefix(stderr, c.want) {
			t.Errorf("%s: code %d, %q, want %d and %q", c.args, code, stderr, c.code, c.want)
		}
	}
}

func TestSignaturesExplain(t *testing.T) {
	dir := authored(t)
	seen := filepath.Join(dir, "site-001", "seen.jsonl")
	explain := func(args ...string) (stdout, stderr string, code int) {
		return ipcwarden(append([]string{"signatures", "explain", "SITE-001", "-s", dir, "--event"}, args...)...)
	}
	stdout, stderr, code := explain(seen, "--line", "1")
	if code != 0 || stderr != "" {
		t.Errorf("code %d, %q", code, stderr)
	}
	contains(t, stdout, "SITE-001 matches msgrcv ("+seen+":1)", "caller = 7", "creator = 8", "signatures.site_001.match holds")

	stdout, stderr, code = explain(seen, "--line", "2")
	if code != 1 || stderr != "" {
		t.Errorf("code %d, %q", code, stderr)
	}
	want := "SITE-001 does not match msgrcv (" + seen + `:2)
  signatures.site_001.match does not hold (DIR/site-001/site-001.rego:21:1)
    DIR/site-001/site-001.rego:22:2: call.succeeded
      ipcwarden.call.succeeded does not hold (builtin/lib/ipcwarden/call.rego:7:1)
        builtin/lib/ipcwarden/call.rego:8:2: not input.error
          input.error = "ENOMSG"
`
	if want = strings.ReplaceAll(want, "DIR", dir); stdout != want {
		t.Errorf("got\n%s\nwant\n%s", stdout, want)
	}
	stdout, _, code = explain(seen, "-l", "2", "--output", "json")
	var x struct {
		Matches bool
		Bodies  []struct {
			Failed struct {
				Expression string
				Calls      []struct {
					Failed struct {
						Line   int
						Values []struct{ Name, Value string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout), &x); err != nil || code != 1 || x.Matches || x.Bodies[0].Failed.Expression != "call.succeeded" ||
		x.Bodies[0].Failed.Calls[0].Failed.Values[0].Value != "ENOMSG" {
		t.Errorf("code %d, %v\n%s", code, err, stdout)
	}
	stdout, _, code = explain(seen, "-l", "3")
	contains(t, stdout, "it is not evaluated: the signature is for msgrcv, and this is shmat")
	if code != 1 {
		t.Errorf("code %d", code)
	}

	odd := filepath.Join(t.TempDir(), "odd.json")
	save(t, odd, `{"eventName": "msgrcv", "object": {"creatorUidd": "\u001b[31m"}}`)
	if _, stderr, code := explain(odd); code != 1 || stderr != "warning: "+odd+":1:36: input.object has no field creatorUidd; the nearest is creatorUid\n" {
		t.Errorf("code %d, %q", code, stderr)
	}
	save(t, odd, `{"eventName": 1`)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{seen}, "ipcwarden: --event: 3 events: say which one, by its line, with --line\n"},
		{[]string{seen, "--line", "9"}, "ipcwarden: --line: no event starts on line 9 of " + seen + "\n"},
		{[]string{seen, "--line", "-9"}, "ipcwarden: --line: -9 is no line\n"},
		{[]string{odd}, odd + ":1:16: the file ends within an event\nipcwarden: 1 problem: --event could not be read\n"},
		{[]string{dir}, dir + ": is a directory\nipcwarden: 1 problem: --event could not be read\n"},
		{[]string{"none"}, "ipcwarden: --event: open none: no such file or directory\n"},
		{[]string{""}, "ipcwarden: --event is needed: a file with an event, or - for stdin\n"},
	} {
		if _, stderr, code := explain(test.args...); code != 2 || stderr != test.want {
			t.Errorf("%q: code %d, %q, want %q", test.args, code, stderr, test.want)
		}
	}
	if _, stderr, code := ipcwarden("signatures", "explain", "IPCW-0001", "--event", seen, "-l", "1"); code != 2 ||
		stderr != `ipcwarden: unknown signature "IPCW-0001" (did you mean IPCW-001?); ipcwarden signatures list lists all`+"\n" {
		t.Errorf("code %d, %q", code, stderr)
	}
}

func TestSignaturesShow(t *testing.T) {
	stdout, stderr, code := ipcwarden("signatures", "show", "IPCW-001")
	if code != 0 || stderr != "" {
		t.Errorf("code %d, %q", code, stderr)
	}
	contains(t, stdout, "IPCW-001  Message queue read with MSG_COPY\n", "severity    high\n", "events      msgrcv\n",
		"defined at  builtin/msg-copy-peek/msg-copy-peek.rego:33:1\n", "false positives\n  - CRIU", "references\n  - https://",
		"\tnot \"MSG_EXCEPT\" in input.flags\n")
	stdout, _, code = ipcwarden("signatures", "show", "IPCW-001", "-o", "json")
	var shown struct {
		ID, Package, Contract string
		FalsePositives        []string
		Filter                []string
		Verdict               []struct{ Line int }
		Files                 []struct{ Name, Text string }
	}
	if err := json.Unmarshal([]byte(stdout), &shown); err != nil || code != 0 || shown.ID != "IPCW-001" || shown.Contract != "ipcwarden" ||
		len(shown.FalsePositives) == 0 || shown.Verdict[0].Line != 33 || !strings.HasPrefix(shown.Files[0].Text, "# METADATA\n") ||
		len(shown.Filter) != 1 || !strings.Contains(shown.Filter[0], "flags has MSG_COPY") {
		t.Errorf("code %d, %v\n%s", code, err, stdout)
	}
	hostile := filepath.Join(t.TempDir(), "a.rego")
	save(t, hostile, "# METADATA\n# title: a\n# custom:\n#   id: A\n#   severity: low\n#   events: [shmat]\npackage a\n\n# \x1b[31m\nmatch if true\n")
	stdout, _, code = ipcwarden("signatures", "show", "A", "-s", hostile, "--no-builtin")
	if contains(t, stdout, `# \x1b[31m`); code != 0 {
		t.Errorf("code %d", code)
	}
	for args, want := range map[string]string{
		"IPCW-1":            `unknown signature "IPCW-1" (did you mean IPCW-`,
		"":                  "one ID of a signature is needed, not 0; see ipcwarden signatures show --help",
		"A --no-builtin":    "--no-builtin needs --signatures",
		"A -s none --x":     "unknown flag --x",
		"A -s /nonexistent": "1 problem: no signature was loaded",
	} {
		_, stderr, code := ipcwarden(append([]string{"signatures", "show"}, strings.Fields(args)...)...)
		if code != 1 || !strings.Contains(stderr, "ipcwarden: "+want) {
			t.Errorf("show %s: code %d, %q", args, code, stderr)
		}
	}
}

// TestSignaturesCorrelation is about what the commands say of a signature whose
// correlation has steps.
func TestSignaturesCorrelation(t *testing.T) {
	stdout, stderr, code := ipcwarden("signatures", "show", "IPCW-013")
	if code != 0 || stderr != "" {
		t.Errorf("code %d, %q", code, stderr)
	}
	contains(t, stdout, "correlation  temporal_ordered of refused, acted within 100ms without acquired by hostThreadId\n",
		"flags has IPC_NOWAIT", "\nrefused if {\n")
	stdout, _, code = ipcwarden("signatures", "show", "IPCW-014", "-o", "json")
	var shown struct {
		Correlation struct {
			Type, Timespan string
			GroupBy        []string
			Condition      map[string]int
		}
	}
	err := json.Unmarshal([]byte(stdout), &shown)
	if c := shown.Correlation; err != nil || code != 0 || c.Type != "event_count" || c.Timespan != "3s" || len(c.GroupBy) != 3 || c.Condition["gte"] != 3000 {
		t.Errorf("code %d, %v, %+v", code, err, c)
	}
	events := filepath.Join(t.TempDir(), "events.jsonl")
	save(t, events, `{"eventName": "shmat", "arg": {"shmid": 5}, "returnValue": 4096}`+"\n"+`{"eventName": "shmat", "returnValue": -13, "error": "EACCES"}`+"\n")
	stdout, stderr, code = ipcwarden("signatures", "explain", "IPCW-013", "--event", events, "--line", "1")
	if code != 0 || stderr != "" {
		t.Errorf("code %d, %q", code, stderr)
	}
	contains(t, stdout, "IPCW-013 matches shmat", "it is the step acted of the correlation\n", `segment = 5`, "ipcwarden.acted_without_lock.acted holds")
	stdout, _, code = ipcwarden("signatures", "explain", "IPCW-013", "--event", events, "--line", "2")
	if code != 1 {
		t.Errorf("code %d", code)
	}
	contains(t, stdout, "IPCW-013 does not match shmat", "ipcwarden.acted_without_lock.refused does not hold", "call.succeeded\n")
}

func TestSignaturesSchema(t *testing.T) {
	dir := authored(t)
	stdout, stderr, code := ipcwarden("signatures", "schema", dir)
	if code != 0 || stderr != "" {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	contains(t, stdout, ".ipcwarden/schemas/event.json\n", ".regal/config.yaml\n", "opa check --schema")
	var schema struct{ Properties map[string]any }
	text, err := os.ReadFile(filepath.Join(dir, ".ipcwarden", "schemas", "event.json"))
	if err == nil {
		err = json.Unmarshal(text, &schema)
	}
	if err != nil || schema.Properties["eventName"] == nil {
		t.Errorf("schema: %v", err)
	}
	if stdout, stderr, code := ipcwarden("signatures", "check", dir); code != 0 || stderr != "" {
		t.Errorf("check: code %d\n%s%s", code, stdout, stderr)
	}
	save(t, filepath.Join(dir, ".regal", "config.yaml"), "rules: {}\n")
	if _, stderr, code := ipcwarden("signatures", "schema", dir, "-o", "json"); code != 1 || !strings.Contains(stderr, "is there already and differs") {
		t.Errorf("code %d, %q", code, stderr)
	}
}

func TestSignaturesCompletion(t *testing.T) {
	dir := authored(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"show", ""}, "IPCW-001\t"},
		{[]string{"explain", ""}, "IPCW-001\t"},
		{[]string{"explain", "-s", dir, "--no-builtin", ""}, "SITE-001\t"},
		{[]string{"explain", "A", "--event", ""}, "jsonl\n:8"},
		{[]string{"show", "--signatures", ""}, ":16"},
		{[]string{"test", ""}, "rego\n:8"},
		{[]string{"check", ""}, "rego\n:8"},
		{[]string{"new", "A", ""}, ":16"},
		{[]string{"new", "--event", ""}, "msgsnd\t"},
		{[]string{"schema", ""}, ":16"},
		{[]string{"test", "--output", ""}, "json\n"},
		{[]string{"bench", ""}, "rego\n:8"},
		{[]string{"bench", "--events", ""}, "jsonl\nipcwcap\n:8"},
		{[]string{"bench", "--output", ""}, "json\n"},
	} {
		stdout, _, code := ipcwarden(slices.Concat([]string{"__complete", "signatures"}, test.args)...)
		if code != 0 || !strings.Contains(stdout, test.want) {
			t.Errorf("completing %q: code %d, %q", test.args, code, stdout)
		}
	}
	for _, sub := range []string{"list", "check", "show", "new", "test", "explain", "bench", "schema"} {
		stdout, stderr, code := ipcwarden("signatures", sub, "--help")
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Examples:\n  ") {
			t.Errorf("%s --help: code %d\n%s%s", sub, code, stdout, stderr)
		}
	}
}

// TestOffByDefault: list and show tell which signatures nobody gets without asking.
func TestOffByDefault(t *testing.T) {
	for args, want := range map[string]string{
		"list":                 "IPCW-033  medium    off ",
		"show IPCW-033":        "default     off; run --enable IPCW-033 uses it\n",
		"show IPCW-033 -ojson": `"enabled": false,`,
		"show IPCW-001 -ojson": `"enabled": true,`,
	} {
		if stdout, _, code := ipcwarden(append([]string{"signatures"}, strings.Fields(args)...)...); code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("%s: code %d, no %q in\n%s", args, code, want, stdout)
		}
	}
	if stdout, _, _ := ipcwarden("signatures", "show", "IPCW-001"); strings.Contains(stdout, "\ndefault") {
		t.Errorf("show says of one that is on\n%s", stdout)
	}
	want := "ipcwarden: enable \"IPCW-0333\": there is no such signature; the nearest is IPCW-033\n"
	if _, stderr, code := ipcwarden("run", "--enable", "IPCW-0333"); code != 1 || stderr != want {
		t.Errorf("code %d, %q, want %q", code, stderr, want)
	}
}
