package reference

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; if that is right, run go test ./pkg/reference -update. Got:\n%s", path, got)
	}
}

func TestText(t *testing.T) {
	var list, text bytes.Buffer
	if err := List(&list, All()); err != nil {
		t.Fatal(err)
	}
	golden(t, "list.txt", list.Bytes())
	events := []Event{Of(event.ByName("ipc")), Of(event.ByName("msgrcv"))}
	if err := Text(&text, events); err != nil {
		t.Fatal(err)
	}
	golden(t, "events.txt", text.Bytes())
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, []Event{Of(event.ByName("shmat"))}); err != nil {
		t.Fatal(err)
	}
	golden(t, "shmat.json", b.Bytes())
	b.Reset()
	if err := JSON(&b, All()); err != nil {
		t.Fatal(err)
	}
	var all []Event
	if err := json.Unmarshal(b.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(event.Rows()) {
		t.Errorf("%d events, want %d", len(all), len(event.Rows()))
	}
}

// TestMarkdownTables checks that no cell breaks its table.
func TestMarkdownTables(t *testing.T) {
	var b bytes.Buffer
	if err := Markdown(&b); err != nil {
		t.Fatal(err)
	}
	columns := 0
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns != 0 && n != columns {
			t.Errorf("%d columns, want %d: %s", n, columns, line)
		}
		columns = n
	}
}

// TestEveryPointerIsExplained finds a pointee that was added to the table and
// forgotten here.
func TestEveryPointerIsExplained(t *testing.T) {
	for _, row := range event.Rows() {
		for i, arg := range row.Args {
			if arg.Pointee != event.NoPointee && Of(row).Args[i].LeadsTo == "" {
				t.Errorf("%s: what %s leads to is not described", row.Name, arg.Name)
			}
		}
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteErrors(t *testing.T) {
	for name, err := range map[string]error{
		"List": List(broken{}, All()), "Text": Text(broken{}, All()), "JSON": JSON(broken{}, All()), "Markdown": Markdown(broken{}),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
