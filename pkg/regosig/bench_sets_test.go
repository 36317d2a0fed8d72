package regosig

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/rego"
)

// ruleSet is signatures as text, with what they say in Go by their ids.
type ruleSet struct {
	files []string // name and text in turn
	ids   []string // in the order of files
	in    map[string]predicate

	loaded *Set
}

func (r *ruleSet) add(id, name, text string, p predicate) {
	r.files, r.ids = append(r.files, name, text), append(r.ids, id)
	r.in[id] = p
}

// load loads the signatures as the daemon does, once.
func (r *ruleSet) load(t testing.TB) *Set {
	t.Helper()
	if r.loaded != nil {
		return r.loaded
	}
	set, err := Load(tree(r.files...))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Signatures()) != len(r.in) || len(set.Interpreted()) > 0 {
		t.Fatalf("%d signatures, want %d; interpreted: %q", len(set.Signatures()), len(r.in), set.Interpreted())
	}
	r.loaded = set
	return set
}

// engine is one that evaluates the signatures.
func (r *ruleSet) engine(t testing.TB) *engine.Engine {
	t.Helper()
	set, err := engine.NewSet(r.load(t).Signatures())
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(set, zap.NewNop())
	t.Cleanup(e.Close)
	return e
}

// predicates lists by event ID what has to be asked of an event.
func (r *ruleSet) predicates(t testing.TB) (table [256][]predicate) {
	t.Helper()
	for _, s := range r.load(t).Signatures() {
		for _, row := range event.Rows() {
			if s.Metadata().Events.Has(row.ID) {
				table[row.ID] = append(table[row.ID], r.in[s.Metadata().ID])
			}
		}
	}
	return table
}

var (
	idLine      = regexp.MustCompile(`(?m)^(#   id: |\t"id": ")([A-Z0-9-]+)`)
	packageLine = regexp.MustCompile(`(?m)^package ([a-z]+)\.(\w+)$`)
	matchRules  = regexp.MustCompile(`(?m)^(match if|tracee_match(?: = \w+)?) (\{|\w+\[_\]$)`)
	evidences   = regexp.MustCompile(`(?ms)^evidence\[.*?(\n\n|\z)`)
)

// varied are n signatures: the built-in ones and those in testdata/bench that are
// written by hand too, 20 together, and beyond these the same ones again that ask for
// something more, with another constant each.
func varied(t testing.TB, n int) *ruleSet {
	t.Helper()
	r := &ruleSet{in: map[string]predicate{}}
	texts := append(regoFiles(t, rego.FS), regoFiles(t, os.DirFS("testdata/bench"))...)
	texts = slices.DeleteFunc(texts, func(text string) bool { return handwritten[idLine.FindStringSubmatch(text)[2]] == nil })
	if len(texts) != len(handwritten) {
		t.Fatalf("%d signatures, %d in Go", len(texts), len(handwritten))
	}
	for i := range n {
		text, round := texts[i%len(texts)], i/len(texts)
		id := idLine.FindStringSubmatch(text)[2]
		p := handwritten[id]
		if round > 0 {
			text, p = variant(text, p, i)
			id += fmt.Sprintf("-%d", i)
		}
		r.add(id, fmt.Sprintf("%d.rego", i), text, p)
	}
	return r
}

// variant is a signature for one user, one program or very long calls.
func variant(text string, p predicate, i int) (string, predicate) {
	var more string
	var and predicate
	switch i / len(handwritten) % 3 {
	case 0:
		uid := uint32(60000 + i)
		more, and = fmt.Sprintf("input.userId == %d", uid), func(e *event.Event) bool { return e.Process.UID == uid }
	case 1:
		comm := fmt.Sprintf("worker-%d", i)
		more, and = fmt.Sprintf("input.processName == %q", comm), func(e *event.Event) bool { return e.Process.Comm == comm }
	default:
		ns := uint64(60_000_000_000 + i)
		more, and = fmt.Sprintf("input.durationNs > %d", ns), func(e *event.Event) bool { return e.DurationNS > ns }
	}
	text = idLine.ReplaceAllString(text, fmt.Sprintf("${1}${2}-%d", i))
	text = packageLine.ReplaceAllString(text, fmt.Sprintf("package ${1}.${2}_%d", i))
	text = matchRules.ReplaceAllStringFunc(text, func(head string) string {
		if rule, set, _ := strings.Cut(head, " if "); set != "{" && set != "" {
			return rule + " if {\n\t" + more + "\n\t" + set + "\n}"
		}
		return head + "\n\t" + more
	})
	return text, func(e *event.Event) bool { return and(e) && p(e) }
}

// bare are 20 signatures without evidence.
func bare(t testing.TB) *ruleSet {
	t.Helper()
	r := varied(t, len(handwritten))
	for i := 1; i < len(r.files); i += 2 {
		r.files[i] = evidences.ReplaceAllString(r.files[i], "")
	}
	return r
}

// ofOneKind are n signatures for msgsnd, in five forms that differ by constants.
func ofOneKind(n int) *ruleSet {
	r := &ruleSet{in: map[string]predicate{}}
	for i := range n {
		c := uint64(100_000 + i)
		var body string
		var p predicate
		switch i % 5 {
		case 0:
			body = fmt.Sprintf("\"IPC_NOWAIT\" in input.flags\n\tinput.arg.msgsz > %d", c<<8)
			p = func(e *event.Event) bool { return e.Args[3]&event.IPCNowait != 0 && e.Args[2] > c<<8 }
		case 1:
			body = fmt.Sprintf("input.error == \"EAGAIN\"\n\tinput.object.ownerUid == %d", c)
			p = func(e *event.Event) bool {
				return failedWith(e, eagain) && e.Object.Kind != event.NoKind && uint64(e.Object.OwnerUID) == c
			}
		case 2:
			comm := fmt.Sprintf("worker-%d", c)
			body = fmt.Sprintf("input.processName == %q\n\tnot input.error", comm)
			p = func(e *event.Event) bool { return e.Process.Comm == comm && (e.Unfinished || !e.Failed()) }
		case 3:
			body = fmt.Sprintf("input.arg.msqid == %d\n\tinput.object.mode != 384", c<<12)
			p = func(e *event.Event) bool {
				return e.Args[0] == c<<12 && e.Object.Kind != event.NoKind && e.Object.Mode != 0o600
			}
		default:
			body = fmt.Sprintf("some region in input.memory\n\tregion.atEntry.mtype == %d", c)
			p = func(e *event.Event) bool {
				main := &e.Memory[event.MainMemory]
				mtype, _, ok := event.Msgbuf(e.ABI, main.Entry.Bytes)
				return main.Pointee == event.MsgbufIn && ok && mtype == int64(c)
			}
		}
		id := fmt.Sprintf("KIND-%d", i)
		r.add(id, id+".rego", header(id)+fmt.Sprintf("package bench.kind_%d\n\nmatch if {\n\t%s\n}\n\nevidence[\"queue\"] := input.arg.msqid\n", i, body), p)
	}
	return r
}

// regoFiles are the texts of the signatures in a tree.
func regoFiles(t testing.TB, fsys fs.FS) (texts []string) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".rego" || strings.HasSuffix(name, "_test.rego") {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		texts = append(texts, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
