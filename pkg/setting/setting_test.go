package setting

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "512": 512, "512B": 512, "1kB": 1000, "1KiB": 1024, "64MiB": 64 << 20, "64 mib": 64 << 20, "10MB": 10e6,
		"2TiB": 2 << 40, "9223372036854775807": 1<<63 - 1,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "64M", "1 2", "0x10", "64MiBB", "9223372036854775808", "18446744073709551616", "9000000TiB"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q: %d, want an error", text, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]string{
		"1m30s": "1m30s", "0": "0s",
		"30": `"30" lacks a unit: write 30s for seconds, 30m for minutes`, "-1s": `"-1s" is negative`,
		"": `"" is no duration; write 300ms, 10s or 1h30m`, "soon": `"soon" is no duration; write 300ms, 10s or 1h30m`,
	} {
		d, err := ParseDuration(text)
		got := d.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

type settings struct {
	Size  Bytes    `json:"size" yaml:"size"`
	Wait  Duration `json:"wait" yaml:"wait"`
	Token Secret   `json:"token" yaml:"token"`
}

func TestMarshalling(t *testing.T) {
	t.Setenv("SETTING_TEST_TOKEN", "hunter2")
	const inYAML = "size: 64MiB\nwait: 1m30s\ntoken: env:SETTING_TEST_TOKEN\n"
	const inJSON = `{"size":"64MiB","wait":"1m30s","token":"env:SETTING_TEST_TOKEN"}`
	for name, unmarshal := range map[string]func(*settings) error{
		"YAML": func(s *settings) error { return yaml.Unmarshal([]byte(inYAML), s) },
		"JSON": func(s *settings) error { return json.Unmarshal([]byte(inJSON), s) },
	} {
		var s settings
		if err := unmarshal(&s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s.Size != 64<<20 || s.Wait.Duration().Seconds() != 90 || s.Token.Reveal() != "hunter2" {
			t.Errorf("%s: %+v", name, s)
		}
		asYAML, _ := yaml.Marshal(s)
		asJSON, _ := json.Marshal(s)
		if string(asYAML) != inYAML || string(asJSON) != inJSON {
			t.Errorf("%s: again\n%s%s", name, asYAML, asJSON)
		}
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	write := func(content string) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hunter2\r\n")
	inFile, err := ParseSecret("file:" + file)
	if err != nil || inFile.Reveal() != "hunter2" || inFile.String() != "file:"+file || inFile.Inline() {
		t.Errorf("%v %q, %v", inFile, inFile.Reveal(), err)
	}
	inline, err := ParseSecret("hunter2")
	if err != nil || inline.Reveal() != "hunter2" || !inline.Inline() || inline.IsZero() {
		t.Errorf("%v %q, %v", inline, inline.Reveal(), err)
	}
	for _, s := range []Secret{inFile, inline} {
		type nested struct{ hidden Secret }
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			for _, value := range []any{s, &s, []Secret{s}, nested{s}, &nested{s}} {
				if got := fmt.Sprintf(format, value); strings.Contains(got, "hunter2") || strings.Contains(got, fmt.Sprintf("%x", "hunter2")) {
					t.Errorf("%s of %T shows the secret: %s", format, value, got)
				}
			}
		}
	}
	if none, err := ParseSecret(""); err != nil || !none.IsZero() || none.String() != "" || none.Reveal() != "" {
		t.Errorf("%v, %v", none, err)
	}
	for content, text := range map[string]string{
		"":                         "file:" + file,
		"\n":                       "file:" + file,
		strings.Repeat("x", 70000): "file:" + file,
		"a":                        "file:" + filepath.Join(dir, "none"),
		"b":                        "file:",
		"c":                        "env:SETTING_TEST_UNSET",
		"d":                        "file:" + dir,
	} {
		write(content)
		if s, err := ParseSecret(text); err == nil {
			t.Errorf("%s with %.10q: %v, want an error", text, content, s)
		}
	}
}

func TestUnder(t *testing.T) {
	cause := errors.New("is bad")
	for _, test := range []struct {
		err  error
		want string
	}{
		{Under("sinks", Under("chat", Under("url", cause))), "sinks.chat.url: is bad"},
		{Under("signatures", Under("paths", Under(Index(2), cause))), "signatures.paths[2]: is bad"},
		{Under("a", errors.Join(Under("b", cause), cause)), "a.b: is bad\na: is bad"},
		{Under("a", Under("b", errors.Join(cause, cause))), "a.b: is bad\na.b: is bad"},
		{Under("a", fmt.Errorf("read %w and %w", cause, os.ErrNotExist)), "a: read is bad and file does not exist"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
		if !errors.Is(test.err, cause) {
			t.Errorf("%v has lost its cause", test.err)
		}
	}
	if err := Under("a", nil); err != nil {
		t.Errorf("%v", err)
	}
}

func FuzzBytes(f *testing.F) {
	for _, seed := range []string{"64MiB", "0", "1 kB", "9223372036854775807", "-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBytes(text)
		if err != nil {
			return
		}
		if again, err := ParseBytes(b.String()); err != nil || again != b || b < 0 {
			t.Errorf("%q is %d, %s, which is %d, %v", text, b, b, again, err)
		}
	})
}
