package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestWatcherJudgesTheEnd(t *testing.T) {
	const run = `{"type":"run","hook":"kprobe","test":"TestA/b"}`
	for name, test := range map[string]struct {
		console, records []string
		stopped, waited  error
		want             string // "" is a good end
	}{
		"good":    {records: []string{run, `{"type":"end"}`}},
		"panic":   {console: []string{"[ 1.0] Kernel panic - not syncing: x", "more"}, records: []string{run}, want: "the kernel died: [ 1.0] Kernel panic - not syncing: x (during kprobe TestA/b)"},
		"late":    {console: []string{"BUG: kernel NULL pointer dereference"}, records: []string{`{"type":"end"}`}, want: "the kernel died: BUG: kernel NULL pointer dereference"},
		"silent":  {records: []string{run}, stopped: errors.New("no line for 5m"), waited: errors.New("killed"), want: "no line for 5m (during kprobe TestA/b)"},
		"early":   {want: "the machine ended before its tests"},
		"QEMU":    {waited: errors.New("exit status 1"), want: "QEMU: exit status 1"},
		"unended": {records: []string{run}, want: "the machine ended before its tests (during kprobe TestA/b)"},
	} {
		w := watcher{log: io.Discard, receive: func(record) {}}
		for _, text := range test.records {
			w.line(line{text: text})
		}
		for _, text := range test.console {
			w.line(line{text: text, console: true})
		}
		got := ""
		if err := w.verdict(test.stopped, test.waited); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestWatcherReportsWhatIsNoRecord(t *testing.T) {
	var got []record
	w := watcher{log: io.Discard, receive: func(r record) { got = append(got, r) }}
	w.line(line{text: `{"type":"te`})
	if len(got) != 1 || got[0].Type != recordError {
		t.Errorf("got %+v", got)
	}
}

func TestWatcherKeepsTheTail(t *testing.T) {
	var log strings.Builder
	w := watcher{log: &log, receive: func(record) {}}
	for range tailLines + 5 {
		w.line(line{text: "x", console: true})
	}
	w.line(line{text: `{"type":"stream","data":"` + strings.Repeat("A", 1000) + `"}`})
	if n := strings.Count(w.tail(), "\n") + 1; n != tailLines {
		t.Errorf("%d lines in the tail", n)
	}
	if log.Len() > 500 || !strings.Contains(log.String(), "1000 bytes") {
		t.Errorf("the log has all of a stream: %s", log.String())
	}
}

func TestReadLines(t *testing.T) {
	lines := make(chan line, 10)
	long := strings.Repeat("x", 1<<20)
	readLines(strings.NewReader("one\r\n\r\n"+long+"\r\nrest"), true, lines)
	close(lines)
	var got []string
	for l := range lines {
		got = append(got, l.text)
	}
	if len(got) != 3 || got[0] != "one" || got[1] != long || got[2] != "rest" {
		t.Errorf("got %d lines", len(got))
	}
}

func TestOrderSurvivesTheCommandLine(t *testing.T) {
	o := order{Hooks: allHooks, Binaries: binaryNames(), Run: `Test"A b'|^(C)$`, Short: true, Limit: time.Minute}
	word, err := o.encode()
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(word, " \"'=") {
		t.Errorf("not one word: %s", word)
	}
	got, err := decodeOrder(word)
	if err != nil || got.Run != o.Run || len(got.Hooks) != 3 || !got.Short || got.Limit != o.Limit {
		t.Errorf("got %+v, %v", got, err)
	}
}
