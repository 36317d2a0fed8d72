package simulate

import (
	"slices"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/signatures"
)

// TestEveryBuiltinSignatureHasAScenario wants one for each, and none for others.
func TestEveryBuiltinSignatureHasAScenario(t *testing.T) {
	inRego, err := regosig.Load(regosig.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := signatures.AddTo(inRego.Signatures())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range builtin {
		id := s.Metadata().ID
		ids = append(ids, id)
		if Find(id) == nil {
			t.Errorf("%s (%s) has no scenario", id, s.Metadata().Source)
		}
	}
	before := ""
	for _, s := range All() {
		if !slices.Contains(ids, s.ID) {
			t.Errorf("a scenario is for %s, which is no built-in signature", s.ID)
		}
		if s.ID <= before {
			t.Errorf("%s comes after %s", s.ID, before)
		}
		if len(s.Ways) == 0 || s.Does == "" || strings.HasSuffix(s.Does, ".") {
			t.Errorf("%s: %q by %v", s.ID, s.Does, s.Ways)
		}
		before = s.ID
	}
}
