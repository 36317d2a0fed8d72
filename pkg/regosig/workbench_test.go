package regosig

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// recorded reads one document.
func recorded(t *testing.T, text string) *Recorded {
	t.Helper()
	documents, warnings, err := ReadRecorded("event.json", strings.NewReader(text))
	if err != nil || len(documents) != 1 || len(warnings) > 0 {
		t.Fatalf("%d documents, warnings %q, error %v", len(documents), warnings, err)
	}
	return &documents[0]
}

// open opens a signature made of rules, beside a library.
func open(t *testing.T, rules string) *Workbench {
	t.Helper()
	w, err := Open(tree(
		"a.rego", header("A")+"package a\nimport data.lib\n"+rules,
		"lib.rego", "package lib\nsize(a) := n if n := a.msgsz * 2\nsmall if size(input.arg) < 10\n",
	))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// tell writes attempts as indented lines.
func tell(b *strings.Builder, indent string, list []Attempt) {
	for _, a := range list {
		fmt.Fprintf(b, "%s%s %d:%d", indent, a.Rule, a.Line, a.Column)
		if a.Held {
			b.WriteString(" holds")
		}
		if a.Value != nil {
			text, _ := json.Marshal(*a.Value)
			fmt.Fprintf(b, " = %s", text)
		}
		b.WriteByte('\n')
		if f := a.Failed; f != nil {
			fmt.Fprintf(b, "%s  %d:%d %s (%d)\n", indent, f.Line, f.Column, f.Expression, f.Tries)
			for _, v := range f.Values {
				text, _ := json.Marshal(v.Value)
				if v.Undefined {
					text = []byte("undefined")
				}
				fmt.Fprintf(b, "%s    %s = %s\n", indent, v.Name, text)
			}
			tell(b, indent+"  > ", f.Calls)
		}
	}
}

func TestExplainFirstFailure(t *testing.T) {
	const document = `{"eventName": "msgsnd", "arg": {"msgsz": 5000, "msqid": 7}, "flags": ["IPC_NOWAIT", "0x40"], "error": "EINVAL",
		"memory": [{"arg": "msgp", "length": 8}, {"arg": "x", "length": 9}]}`
	tests := []struct{ name, rules, want string }{
		{"field", `match if {
	input.arg.msqid == 7
	input.arg.msgsz < 10
}`, `
a.match 9:1
  11:2 input.arg.msgsz < 10 (1)
    input.arg.msgsz = 5000
`},
		{"field that is not there", `match if input.stalledNs in {1, 2}`, `
a.match 9:1
  9:10 input.stalledNs in {1, 2} (1)
    input.stalledNs = undefined
`},
		{"variable", `match if {
	size := input.arg.msgsz + 1
	size == 4
}`, `
a.match 9:1
  11:2 size == 4 (1)
    size = 5001
`},
		{"helper rule", `match if {
	input.arg.msqid == 7
	succeeded
}
succeeded if not input.error`, `
a.match 9:1
  11:2 succeeded (1)
  > a.succeeded 13:1
  >   13:14 not input.error (1)
  >     input.error = "EINVAL"
`},
		{"helper of a helper, in two bodies", `match if lib.small
match if {
	input.arg.msqid == 7
	lib.small
}`, `
a.match 9:1
  9:10 lib.small (1)
  > lib.small 3:1
  >   3:10 size(input.arg) < 10 (1)
  >     input.arg = {"msgsz":5000,"msqid":7}
  >     size(input.arg) = 10000
a.match 10:1
  12:2 lib.small (1)
  > lib.small 3:1
  >   3:10 size(input.arg) < 10 (1)
  >     input.arg = {"msgsz":5000,"msqid":7}
  >     size(input.arg) = 10000
`},
		{"denied helper", `match if not refused
refused if input.error == "EPERM"
refused if {
	input.error == "EINVAL"
}`, `
a.match 9:1
  9:10 not refused (1)
  > a.refused 11:1 holds
`},
		{"function", `match if wide(input.arg.msgsz)
wide(n) if {
	n > 0
	n > 6000
}`, `
a.match 9:1
  9:10 wide(input.arg.msgsz) (1)
    input.arg.msgsz = 5000
  > a.wide 10:1
  >   12:2 n > 6000 (1)
  >     n = 5000
`},
		{"value of a helper", `match if kind == "large"
kind := "small" if input.arg.msgsz < 10
else := "middle"`, `
a.match 9:1
  9:10 kind == "large" (1)
    kind = "middle"
  > a.kind 11:1 holds = "middle"
`},
		{"iteration", `match if {
	some region in input.memory
	region.length > 0
	region.arg == "sops"
}`, `
a.match 9:1
  12:2 region.arg == "sops" (2)
    region = {"arg":"msgp","length":8}
`},
		{"every", `match if every f in input.flags { startswith(f, "IPC_") }`, `
a.match 9:1
  9:10 every f in input.flags { startswith(f, "IPC_") } (1)
    input.flags = ["IPC_NOWAIT","0x40"]
  > every 9:35
  >   9:35 startswith(f, "IPC_") (1)
  >     f = "0x40"
`},
		{"set of reasons", `match if reasons[_]
reasons contains "large" if input.arg.msgsz > 9000
reasons contains "odd" if "0x80" in input.flags`, `
a.match 9:1
  9:10 reasons[_] (1)
    a.reasons = []
  > a.reasons 10:1
  >   10:29 input.arg.msgsz > 9000 (1)
  >     input.arg.msgsz = 5000
  > a.reasons 11:1
  >   11:27 "0x80" in input.flags (1)
  >     input.flags = ["IPC_NOWAIT","0x40"]
`},
		{"comprehension", `match if count([x | some x in input.flags; x != "0x40"]) > 3`, `
a.match 9:1
  9:10 count([x | some x in input.flags; x != "0x40"]) > 3 (1)
    [x | some x in input.flags; x != "0x40"] = ["IPC_NOWAIT"]
    input.flags = ["IPC_NOWAIT","0x40"]
    count([x | some x in input.flags; x != "0x40"]) = 1
`},
		{"default", "default match := false\nmatch if input.arg.msqid == 8", `
a.match 10:1
  10:10 input.arg.msqid == 8 (1)
    input.arg.msqid = 7
`},
		{"findings", `findings contains {"a": r.arg} if {
	some r in input.memory
	r.length > 10
}`, `
a.findings 9:1
  11:2 r.length > 10 (2)
    r.length = 8
    r = {"arg":"msgp","length":8}
`},
		{"indexed away", `match if {
	input.error == "EPERM"
	input.arg.msqid == 7
}`, `
a.match 9:1
  10:2 input.error == "EPERM" (1)
    input.error = "EINVAL"
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, err := open(t, tt.rules).Explain(t.Context(), "A", recorded(t, document))
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			tell(&b, "", x.Bodies)
			if x.Matches || b.String() != tt.want[1:] {
				t.Errorf("matches %v, got\n%s\nwant\n%s", x.Matches, b.String(), tt.want[1:])
			}
		})
	}
}

func TestExplainMatch(t *testing.T) {
	const document = `{"eventName": "msgsnd", "arg": {"msgsz": 5000}}`
	x, err := open(t, "match if input.arg.msgsz > 1\nmatch if false\nevidence[\"size\"] := input.arg.msgsz").Explain(t.Context(), "A", recorded(t, document))
	want := []map[string]any{{"size": json.Number("5000")}}
	if err != nil || !x.Matches || !reflect.DeepEqual(x.Findings, want) || !x.Bodies[0].Held || x.Bodies[1].Held {
		t.Errorf("got %+v and error %v", x, err)
	}
	x, err = open(t, "match if true").Explain(t.Context(), "A", recorded(t, `{"eventName": "shmat"}`))
	if err != nil || x.Matches || x.NotSelected != "the signature is for msgsnd, and this is shmat" {
		t.Errorf("got %+v and error %v", x, err)
	}
	for rules, want := range map[string]string{
		"match := 1":                    "data.a.match is a number, not a verdict",
		"match := \"x\"":                "not a verdict",
		"findings contains 1":           "data.a.findings has a number, not only objects",
		"match if true\nmatch := false": "produced",
	} {
		if x, err := open(t, rules).Explain(t.Context(), "A", recorded(t, document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v and error %v", rules, x, err)
		}
	}
	for rules, want := range map[string]string{
		"match if true\nevidence := 1":                              "data.a.evidence is a number, not an object",
		"match if true\nevidence[\"a\"] := 1\nevidence[\"a\"] := 2": "produced conflicting values",
	} {
		x, err := open(t, rules).Explain(t.Context(), "A", recorded(t, document))
		if err != nil || !x.Matches || !strings.Contains(x.Unexplained, want) {
			t.Errorf("%s: got %+v and error %v", rules, x, err)
		}
	}
	var unknown *UnknownSignatureError
	if _, err := open(t, "match if true").Explain(t.Context(), "B", recorded(t, document)); !errors.As(err, &unknown) || unknown.Known[0] != "A" {
		t.Errorf("error %v", err)
	}
	if _, err := open(t, "match if true").Explain(t.Context(), "A", recorded(t, `{}`)); err == nil || !strings.Contains(err.Error(), "event.json:1: the document has no eventName") {
		t.Errorf("error %v", err)
	}
}

// TestExplainAgreesWithMatch holds what explain says to what the engine does.
func TestExplainAgreesWithMatch(t *testing.T) {
	w, err := Open(Builtin(), Path("testdata/tracee"))
	if err != nil {
		t.Fatal(err)
	}
	matched := 0
	for _, row := range event.Rows() {
		for _, flags := range []uint64{0, 0o100000, 0o44000, 0o10000} {
			e := sample(row.ID)
			e.Args[len(row.Args)-1], e.Return = flags, 0
			var d event.Document
			e.Document(&d)
			text, err := json.Marshal(&d)
			if err != nil {
				t.Fatal(err)
			}
			document := recorded(t, string(text))
			for _, s := range w.Signatures() {
				if !strings.Contains(" "+strings.Join(s.Metadata().Events.Names(), " ")+" ", " "+row.Name+" ") {
					continue
				}
				found, err := match(t.Context(), s, e)
				if err != nil {
					t.Fatal(err)
				}
				x, err := w.Explain(t.Context(), s.Metadata().ID, document)
				if err != nil {
					t.Fatal(err)
				}
				if x.Matches != (len(found) > 0) || len(x.Findings) != len(found) {
					t.Errorf("%s on %s: explained as %v, matched %v", s.Metadata().ID, row.Name, x.Matches, found)
				}
				if len(found) > 0 {
					matched++
					if len(found[0].Explanation()) != len(x.Findings[0]) {
						t.Errorf("%s: evidence %v, want %v", s.Metadata().ID, x.Findings[0], found[0].Explanation())
					}
				}
				for _, body := range x.Bodies {
					if !body.Held && !x.Matches && body.Failed == nil {
						t.Errorf("%s on %s: no reason in %+v", s.Metadata().ID, row.Name, body)
					}
				}
			}
		}
	}
	if matched < 3 {
		t.Errorf("only %d matches", matched)
	}
}

func TestDefinition(t *testing.T) {
	w, err := Open(Builtin(), Path("testdata/tracee"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.Definition("TRC-IPC-2")
	if err != nil || d.Contract != "tracee" || d.Package != "tracee.TRC_IPC_2" || len(d.Verdict) != 2 ||
		d.Verdict[0].String() != "testdata/tracee/busy_segment.rego:20:1" || !strings.HasPrefix(d.Files[0].Text, "package tracee.TRC_IPC_2") {
		t.Errorf("got %+v and error %v", d, err)
	}
	w, err = Open(tree("a.rego", "package a\nx := 1", "b.rego", header("A")+"package a\nmatch if x == 1"))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := w.Definition("A"); err != nil || d.Files[0].Name != "dir/b.rego" || len(d.Files) != 2 || d.Contract != "ipcwarden" {
		t.Errorf("got %+v and error %v", d, err)
	}
}
