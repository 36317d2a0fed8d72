package signatures

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// TestAll holds the signatures to what a reader expects of them.
func TestAll(t *testing.T) {
	last := ""
	for _, s := range All() {
		md := s.Metadata()
		if md.ID <= last || !strings.HasPrefix(md.ID, "IPCW-0") {
			t.Errorf("%q comes after %q", md.ID, last)
		}
		last = md.ID
		if md.Title == "" || md.Description == "" || md.Events == 0 || len(md.References) == 0 || len(md.FalsePositives) == 0 || len(md.Attack) == 0 {
			t.Errorf("%s says too little: %+v", md.ID, md)
		}
		if source, ok := s.(pushdown.Source); !ok || len(source.Wanted().Clauses) == 0 {
			t.Errorf("%s does not say what the kernel is to send", md.ID)
		}
		name, ok := strings.CutPrefix(md.Source, Prefix)
		text, err := fs.ReadFile(Files, name)
		if !ok || err != nil || !strings.Contains(string(text), `"`+md.ID+`"`) {
			t.Errorf("%s is not in %s: %v", md.ID, md.Source, err)
		}
	}
	again := All()
	for i, s := range All() {
		if s == again[i] {
			t.Errorf("%s is made once only", s.Metadata().ID)
		}
	}
}

func TestAddTo(t *testing.T) {
	other := func(id string) detect.Signature {
		s := newImpossibleOperations()
		s.metadata.ID, s.metadata.Source = id, "a.rego"
		return s
	}
	all, err := AddTo([]detect.Signature{other("IPCW-001"), other("SITE-001")})
	if err != nil || len(all) != len(All())+2 || all[0].Metadata().ID != "IPCW-001" || all[len(all)-1].Metadata().ID != "SITE-001" {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := AddTo([]detect.Signature{other("IPCW-030")}); err == nil ||
		err.Error() != "a.rego: signature id IPCW-030 is taken by builtin/signatures/impossible_operations.go" {
		t.Errorf("error %v", err)
	}
}

// TestAllocatesNothing has events of every kind that no signature is about.
func TestAllocatesNothing(t *testing.T) {
	var in detect.Input
	var found []detect.Finding
	for _, s := range All() {
		for _, row := range event.Rows() {
			if !slices.Contains(s.Metadata().Events.Names(), row.Name) {
				continue
			}
			e := &event.Event{ID: row.ID}
			n := testing.AllocsPerRun(10, func() {
				in.Reset(e)
				found, _ = s.Match(t.Context(), &in, found[:0])
			})
			if n != 0 || len(found) != 0 {
				t.Errorf("%s on an empty %s: %v allocations, found %v", s.Metadata().ID, row.Name, n, found)
			}
		}
	}
}
