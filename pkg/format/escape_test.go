package format

import (
	"strconv"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func TestEscape(t *testing.T) {
	tests := []struct{ in, escaped, word string }{
		{"plain", "plain", "plain"},
		{"/usr/bin/x-1.2_3", "/usr/bin/x-1.2_3", "/usr/bin/x-1.2_3"},
		{"", "", `""`},
		{"tmux: server", "tmux: server", `"tmux: server"`},
		{"a\nb\tc\r", `a\nb\tc\r`, `"a\nb\tc\r"`},
		{"\x00\x1b[31m\x7f", `\x00\x1b[31m\x7f`, `"\x00\x1b[31m\x7f"`},
		{"\xff\xc3", `\xff\xc3`, `"\xff\xc3"`},
		{"größe", "größe", `"größe"`},
		{"\u009b\u202e\u2028", `\u009b\u202e\u2028`, `"\u009b\u202e\u2028"`},
		{"\U000e0001", `\U000e0001`, `"\U000e0001"`},
		{`back\n"slash"`, `back\\n"slash"`, `"back\\n\"slash\""`},
		{"\ufffd", "\ufffd", "\"\ufffd\""},
	}
	for _, test := range tests {
		if got := string(AppendEscaped(nil, test.in)); got != test.escaped {
			t.Errorf("AppendEscaped(%q) = %s, want %s", test.in, got, test.escaped)
		}
		if got := string(AppendWord(nil, []byte(test.in))); got != test.word {
			t.Errorf("AppendWord(%q) = %s, want %s", test.in, got, test.word)
		}
	}
	if got := string(AppendPrintable(nil, `{"a":"\n`+"\u009b\"}")); got != `{"a":"\n\u009b"}` {
		t.Errorf("AppendPrintable: %s", got)
	}
}

// FuzzQuoted checks that what is quoted can be read back.
func FuzzQuoted(f *testing.F) {
	f.Add("a\"\\\n\xff\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		quoted := AppendQuoted(nil, s)
		checkLine(t, quoted)
		if back, err := strconv.Unquote(string(quoted)); err != nil || back != s {
			t.Fatalf("%q quoted as %s reads as %q, %v", s, quoted, back, err)
		}
		checkLine(t, AppendEscaped(nil, s))
		checkLine(t, AppendPrintable(nil, s))
		checkLine(t, AppendWord(nil, s))
	})
}

func TestAppendCall(t *testing.T) {
	e := base(event.Semctl, 5, 0, event.IPCRmid, 0x1000)
	e.Return, e.Multiplexed, e.ABI = -1, true, event.I386
	var d event.Document
	e.Document(&d)
	want := "semctl(semid=5, semnum=0, cmd=IPC_RMID, arg=0x1000) = -1 EPERM via ipc"
	if got := string(AppendCall(nil, &d)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(AppendCall(nil, &event.Document{EventName: "new\nevent"})); strings.Contains(got, "\n") {
		t.Errorf("unknown event: %q", got)
	}
}
