package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// write puts files into a directory, and returns the path of config.yaml there.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

func TestPrecedence(t *testing.T) {
	file := write(t, map[string]string{
		"config.yaml":        "capture:\n  hook: fentry\n  snapshot_bytes: 1\n  digest_bytes: 1\n  max_active: 1\nsignatures:\n  paths: [/a, /b]\nmetrics:\nwebhook: https://x.example/secret\n",
		"conf.d/20-b.yaml":   "capture: {snapshot_bytes: 3, max_active: 3}\n",
		"conf.d/10-a.yaml":   "capture: {snapshot_bytes: 2, digest_bytes: 2, max_active: 2}\n",
		"conf.d/.30-c.yaml":  "nonsense",
		"conf.d/40.yml":      "nonsense",
		"conf.d/50.yaml.bak": "nonsense",
		"conf.d/60.yaml":     "# nothing\n",
	})
	l, err := Load(Sources{
		File: file,
		Env:  []string{"IPCWARDEN_CAPTURE_MAX_ACTIVE=4", "IPCWARDEN_SIGNATURES_PATHS=/c,/d", "IPCWARDEN_API_ALERTS=7", "IPCWARDEN_CAPTURE_HOK=x", "IPCWARDEN_SERVICE_HOST=x"},
		Flags: []Flag{
			{"maxactive", []string{"5"}}, {"no-pushdown", []string{"true"}}, {"signatures", []string{"/e", "/f,g"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Capture = Capture{Hook: "fentry", SnapshotBytes: 3, DigestBytes: 2, MaxActive: 5}
	want.Signatures.Paths = []string{"/e", "/f,g"}
	want.API.Alerts = 7
	want.Webhook = setting.NewSecret("https://x.example/secret")
	if !reflect.DeepEqual(l.Config, want) {
		t.Errorf("%+v\nwant %+v", l.Config, want)
	}
	dir := filepath.Dir(file)
	for key, origin := range map[string]string{
		"capture.hook": file + ":2", "capture.snapshot_bytes": dir + "/conf.d/20-b.yaml:1", "capture.digest_bytes": dir + "/conf.d/10-a.yaml:1",
		"capture.max_active": "--maxactive", "capture.pushdown": "--no-pushdown", "signatures.paths": "--signatures",
		"api.alerts": "$IPCWARDEN_API_ALERTS", "output": "default", "webhook": file + ":9",
	} {
		i := slices.IndexFunc(l.Settings(), func(s Setting) bool { return s.Key == key })
		if i < 0 || l.Settings()[i].Origin.String() != origin {
			t.Errorf("%s: %+v, want %s", key, l.Settings(), origin)
		}
	}
	if shown := fmt.Sprint(l.Settings()); strings.Contains(shown, "secret") {
		t.Errorf("the secret shows: %s", shown)
	}
	var warnings []string
	for _, w := range l.Warnings {
		warnings = append(warnings, strings.TrimPrefix(w.String(), dir))
	}
	if got := strings.Join(warnings, "\n"); got != "$IPCWARDEN_CAPTURE_HOK: is not read; did you mean IPCWARDEN_CAPTURE_HOOK?\n/conf.d/40.yml: is not read; only *.yaml is" {
		t.Error(got)
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct{ yaml, want string }{
		{"capture:\n  snapshot_byte: 1\n", ":2: capture.snapshot_byte: unknown key; the nearest is capture.snapshot_bytes"},
		{"snapshot_bytes: 1\n", ":1: snapshot_bytes: unknown key; the nearest is capture.snapshot_bytes"},
		{"log: {colour: 1}\n", ":1: log.colour: unknown key; there are level"},
		{"capture:\n  snapshot_bytes: many\n", `:2: capture.snapshot_bytes: must be a whole number, not "many"`},
		{"capture:\n  snapshot_bytes: 99999999999999999999\n", `:2: capture.snapshot_bytes: must be a whole number, not "99999999999999999999"`},
		{"capture:\n  snapshot_bytes: -1\n", ":2: capture.snapshot_bytes: -1 is not in 0 to 3064"},
		{"capture:\n  pushdown: yes\n", `:2: capture.pushdown: must be true or false, not "yes"`},
		{"capture:\n  hook: tracepont\n", `:2: capture.hook: "tracepont" is none of auto, fentry, kprobe, tracepoint (did you mean tracepoint?)`},
		{"capture:\n  hook:\n", ":2: capture.hook: has no value; leave the key out for the default"},
		{"capture:\n  hook: [auto]\n", ":2: capture.hook: must be a single value, not a list"},
		{"capture: auto\n", ":1: capture: must be a mapping, not a single value"},
		{"signatures:\n  paths: /a\n", ":2: signatures.paths: must be a list, not a single value"},
		{"signatures:\n  paths:\n    - /a\n    - 1\n", ":4: signatures.paths[1]: must be text, not 1; put it in quotes"},
		{"signatures:\n  builtin: false\n", ":2: signatures.builtin: without the built-in signatures, paths must name others"},
		{"webhook: htp://secret.example\n", ":1: webhook: the URL must begin with http:// or https://"},
		{"webhook: \"http://secret.example:x y/\"\n", ":1: webhook: the URL is malformed (it is not repeated here, as it may hold a secret)"},
		{"webhook: env:IPCWARDEN_UNSET\n", ":1: webhook: the secret in env:IPCWARDEN_UNSET is empty"},
		{"webhook: file:/nonexistent/url\n", ":1: webhook: read the secret: open /nonexistent/url: no such file or directory"},
		{"output: json\noutput: table\n", ":2: output: is there twice, first in line 1"},
		{"log: &a {level: info}\n", ":1: log: anchors and aliases are not supported; write the value again"},
		{"metrics: {listen: \":x:\"}\n", `:1: metrics.listen: ":x:" is neither HOST:PORT nor unix:PATH: address :x:: too many colons in address`},
		{"metrics: {listen: 0.0.0.0:1, pprof: true}\n", `:1: metrics.pprof: profiles show memory: listen at a loopback address or a Unix socket, not at "0.0.0.0:1"`},
		{"metrics: {listen: \"unix:\"}\n", ":1: metrics.listen: unix: lacks a path"},
		{"api: {socket: /" + strings.Repeat("x", 107) + "}\n", ":1: api.socket: a socket's path has at most 107 bytes, not 108"},
		{"api: {alerts: 0}\n", ":1: api.alerts: 0 is not in 1 to 100000"},
		{"correlation:\n  groups: 0\n", ":2: correlation.groups: 0 is not in 1 to 16777216"},
		{"correlation: {max_bytes: 1MiB}\n", ":1: correlation.max_bytes: 1MiB is not in 8MiB to 1TiB"},
		{"correlation: {event_bytes: 64}\n", ":1: correlation.event_bytes: 64 is not in 1MiB to 1TiB"},
		{"a: 1\n---\nb: 1\n", ":2: a second document begins here; a file has one"},
		{"capture:\n\thook: auto\n", ":2: is not YAML: found character that cannot start any token"},
		{"- output\n", ":1: must be a mapping, not a list"},
		{"suppress:\n  - signature: A\n    reason: r\n  - signature: B\n    where:\n      uid: 1\n      executble: /x\n    expires: 2030-01-01\n",
			":4: suppress[1]: reason is missing: say why this is no attack\n" +
				`:7: suppress[1].where.executble: events have no single value "executble"; the nearest is executable`},
		{"suppress:\n  - {signature: A, raeson: r}\n", ":2: suppress[0].raeson: unknown key; the nearest is suppress[0].reason"},
		{"suppress:\n  - reason: r\n    expires: soon\n", `:3: suppress[0].expires: "soon" is no date: write 2030-12-31 or 2030-12-31T23:59:59Z`},
		{"suppress:\n  - reason: r\n    where: {comm: \"{a\"}\n", ":3: suppress[0].where.comm: \"{a\" is no pattern: glob: syntax error at 2: unclosed `{`"},
		{"output: xml\nlog:\n  level: inf\n", `:1: output: "xml" is none of json, table` + "\n" + `:3: log.level: "inf" is none of debug, info, warn, error (did you mean info?)`},
	} {
		file := write(t, map[string]string{"config.yaml": test.yaml})
		_, err := Load(Sources{File: file})
		if err == nil {
			t.Errorf("%q: no error, want %s", test.yaml, test.want)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), file, ""); got != test.want {
			t.Errorf("%q:\n%s\nwant\n%s", test.yaml, got, test.want)
		}
		if strings.Contains(err.Error(), "secret.example") {
			t.Errorf("the secret shows: %v", err)
		}
	}
	_, err := Load(Sources{File: "/nonexistent", Env: []string{"IPCWARDEN_API_ALERTS=many"}, Flags: []Flag{{"output", []string{"xml"}}}})
	want := "$IPCWARDEN_API_ALERTS: api.alerts: must be a whole number, not \"many\"\n--output: \"xml\" is none of json, table\n/nonexistent: no such file or directory"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// TestSuppressAddsUp has entries in three files, and a variable that replaces them all.
func TestSuppressAddsUp(t *testing.T) {
	file := write(t, map[string]string{
		"config.yaml":      "suppress:\n  - {signature: A, reason: r}\n  - {signature: B, reason: r}\n",
		"conf.d/10-a.yaml": "suppress: []\n",
		"conf.d/20-b.yaml": "# of the database\nsuppress:\n  - {signature: C, reason: r}\n",
	})
	dir := filepath.Dir(file)
	l, err := Load(Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	origins := map[string]string{}
	for _, s := range l.Settings() {
		if strings.HasSuffix(s.Key, ".signature") {
			origins[fmt.Sprint(s.Value)] = s.Origin.String()
		}
	}
	want := map[string]string{"A": file + ":2", "B": file + ":3", "C": dir + "/conf.d/20-b.yaml:3"}
	if len(l.Suppress) != 3 || !maps.Equal(origins, want) {
		t.Errorf("%+v, %v, want %v", l.Suppress, origins, want)
	}
	if l, err = Load(Sources{File: file, Env: []string{"IPCWARDEN_SUPPRESS=[{signature: D, reason: r}]"}}); err != nil || len(l.Suppress) != 1 {
		t.Errorf("by the environment: %v, %+v", err, l)
	}

	for name, text := range map[string]string{"20-b.yaml": "suppress:\n  - {signature: C}\n", "30-c.yaml": "suppress:\n  - {signature: D, reason: r}\n  - {where: {comn: x}, reason: r}\n"} {
		if err := os.WriteFile(filepath.Join(dir, "conf.d", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Load(Sources{File: file})
	const mistakes = "/conf.d/20-b.yaml:2: suppress[2]: reason is missing: say why this is no attack\n" +
		`/conf.d/30-c.yaml:3: suppress[4].where.comn: events have no single value "comn"; the nearest is comm`
	if err == nil || strings.ReplaceAll(err.Error(), dir, "") != mistakes {
		t.Errorf("%v\nwant\n%s", err, mistakes)
	}
}

func TestModes(t *testing.T) {
	file := write(t, map[string]string{"config.yaml": "webhook: https://x.example/\n"})
	if l, err := Load(Sources{File: file}); err != nil || len(l.Warnings) != 0 {
		t.Errorf("%v, %+v", err, l)
	}
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := Load(Sources{File: file})
	if err != nil || len(l.Warnings) != 2 || l.Warnings[1].Key != "webhook" {
		t.Errorf("%v, %+v", err, l.Warnings)
	}
}

// TestExtension holds what those may rely on who add settings to Config.
func TestExtension(t *testing.T) {
	var got extended
	d := &decoder{origins: map[string]Origin{}}
	parse := func(text string) {
		d.from = Origin{File: "f"}
		d.parse([]byte(text), reflect.ValueOf(&got).Elem())
	}
	parse("sinks:\n  a: {size: 1KiB}\n  b: {}\nlist: [{size: 1}, {}]\n")
	parse("sinks:\n  a:\n    wait: 1s\n  c: {size: 3kB, wrong: 1}\nlist:\n  - {}\n")
	d.from = Origin{}
	d.validate(reflect.ValueOf(&got).Elem(), "")
	want := extended{Sinks: map[string]element{"a": {1024, 1e9}, "b": {7, 5}, "c": {3000, 5}}, List: []element{{7, 5}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	text := (&Error{tidy(d.problems)}).Error()
	if text != "f:3: sinks.b.size: 7 is unlucky\nf:4: sinks.c.wrong: unknown key; there are size, wait\nf:6: list[0].size: 7 is unlucky" {
		t.Error(text)
	}
}

type extended struct {
	Sinks map[string]element `yaml:"sinks" doc:"sinks"`
	List  []element          `yaml:"list" doc:"list"`
}

type element struct {
	Size setting.Bytes    `yaml:"size" doc:"size"`
	Wait setting.Duration `yaml:"wait" doc:"wait"`
}

func (e *element) SetDefaults() { *e = element{7, 5} }

func (e *element) Validate() error {
	if e.Size == 7 {
		return setting.Under("size", errors.New("7 is unlucky"))
	}
	return nil
}

func TestChanges(t *testing.T) {
	load := func(text string) *Loaded {
		l, err := Load(Sources{File: write(t, map[string]string{"config.yaml": text})})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a := load("webhook: http://a.example\nlog: {level: info}\n")
	b := load("webhook: http://b.example\nlog: {level: debug}\nsignatures: {paths: [/a]}\n")
	if live, restart := a.Changes(a); live != nil || restart != nil {
		t.Errorf("%v, %v", live, restart)
	}
	if live, restart := a.Changes(b); !slices.Equal(live, []string{"signatures.paths", "log.level"}) || !slices.Equal(restart, []string{"webhook"}) {
		t.Errorf("%v, %v", live, restart)
	}
}

func TestDefaultFile(t *testing.T) {
	var b bytes.Buffer
	if err := WriteDefault(&b); err != nil {
		t.Fatal(err)
	}
	l, err := Load(Sources{File: write(t, map[string]string{"config.yaml": b.String()})})
	if err != nil || len(l.Origins) != 0 || !reflect.DeepEqual(l.Config, Default()) {
		t.Fatalf("as written: %v, %+v", err, l)
	}
	// Each key says what it would be: all of them together are a configuration.
	all := regexp.MustCompile(`(?m)^( *)#(\w+:)|^( +)#(  )`).ReplaceAllString(b.String(), "$1$2$3$4")
	secret := write(t, map[string]string{"config.yaml": "https://x.example/"})
	all = regexp.MustCompile(`file:/etc/ipcwarden/\S+`).ReplaceAllString(all, "file:"+secret)
	l, err = Load(Sources{File: write(t, map[string]string{"config.yaml": all})})
	if err != nil {
		t.Fatalf("%v in\n%s", err, all)
	}
	for _, k := range keys() {
		isThere := func(path string) bool { return path == k.path || strings.HasPrefix(path, k.path+".") } // a mapping is in its values
		if !slices.ContainsFunc(slices.Collect(maps.Keys(l.Origins)), isThere) {
			t.Errorf("%s is not in the default file", k.path)
		}
	}
	validate(t, all)
}

// validate holds a file to the schema.
func validate(t *testing.T, file string) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSchema(&b); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("config.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := yaml.Unmarshal([]byte(file), &document); err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(document); err != nil {
		t.Error(err)
	}
	for _, wrong := range []any{
		map[string]any{"captre": nil}, map[string]any{"output": "xml"}, map[string]any{"capture": map[string]any{"snapshot_bytes": "1"}},
	} {
		if err := compiled.Validate(wrong); err == nil {
			t.Errorf("%v is valid by the schema", wrong)
		}
	}
}

func FuzzLoad(f *testing.F) {
	var b bytes.Buffer
	if err := WriteDefault(&b); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{b.String(), "capture: {hook: auto}", "signatures:\n paths: [a, b]", "a: &a [*a]", "? [a]\n: b", "---\n---\n", "<<: {output: json}", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "file:") {
			t.Skip("reads a file")
		}
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Load(Sources{File: path})
		var known *Error
		switch {
		case err != nil && (!errors.As(err, &known) || len(known.Problems) == 0):
			t.Errorf("%v", err)
		case err == nil:
			for _, s := range l.Settings() {
				if s.Origin.Line > strings.Count(text, "\n")+1 {
					t.Errorf("%+v", s)
				}
			}
		}
	})
}
