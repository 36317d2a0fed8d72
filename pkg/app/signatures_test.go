package app

import (
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/regosig"
	"github.com/ipcwarden/ipcwarden/signatures"
)

// ofOne is a file with one signature.
func ofOne(t *testing.T, id string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.rego")
	write(t, name, "# METADATA\n# title: a\n# custom:\n#   id: "+id+"\n#   severity: low\n#   events: [shmat]\npackage a\n\nmatch if true\n")
	return name
}

// TestLoadSignatures counts the signatures in Rego and in Go.
func TestLoadSignatures(t *testing.T) {
	builtin, err := regosig.Load(regosig.Builtin())
	must(t, err)
	inRego, err := regosig.Choice{}.Of(builtin.Signatures())
	must(t, err)
	both := len(inRego) + len(signatures.All())
	const off = "IPCW-033"
	own := ofOne(t, "SITE-001")
	for name, c := range map[string]struct {
		opts SignatureOptions
		want int
	}{
		"built-in":     {SignatureOptions{}, both},
		"and own":      {SignatureOptions{Signatures: []string{own}}, both + 1},
		"nothing else": {SignatureOptions{Signatures: []string{own}, NoBuiltin: true}, 1},
		"one enabled":  {SignatureOptions{Choice: regosig.Choice{Enable: []string{off}}}, both + 1},
		"two disabled": {SignatureOptions{Choice: regosig.Choice{Disable: []string{"IPCW-001", "IPCW-030"}}}, both - 2},
	} {
		set, err := loadSignatures(c.opts, zap.NewNop())
		must(t, err)
		if n := set.engine.Len(); n != c.want {
			t.Errorf("%s: %d signatures, want %d", name, n, c.want)
		}
	}
	taken := signatures.All()[0].Metadata().ID
	same := SignatureOptions{Signatures: []string{ofOne(t, taken)}}
	if _, err := loadSignatures(same, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "a.rego: signature id "+taken+" is taken by builtin/signatures/") {
		t.Errorf("error %v", err)
	}
	same.NoBuiltin = true
	if _, err := loadSignatures(same, zap.NewNop()); err != nil {
		t.Errorf("without the built-in ones: %v", err)
	}
	misspelt := SignatureOptions{Choice: regosig.Choice{Enable: []string{"IPCW-0333"}}}
	if _, err := loadSignatures(misspelt, zap.NewNop()); err == nil || err.Error() != `enable "IPCW-0333": there is no such signature; the nearest is IPCW-033` {
		t.Errorf("error %v", err)
	}
	none := SignatureOptions{Signatures: []string{own}, NoBuiltin: true, Choice: regosig.Choice{Disable: []string{"SITE-001"}}}
	if _, err := loadSignatures(none, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "no signature to watch with") {
		t.Errorf("error %v", err)
	}
	if _, err := loadSignatures(SignatureOptions{NoBuiltin: true}, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "no signature to watch with") {
		t.Errorf("error %v", err)
	}
}
