package e2e

import (
	"slices"
	"strings"
	"testing"
)

// TestEveryday does what programs do all day, and is nearly what a signature finds: for
// each of those whose attack is only simulated, which nothing else has a benign twin for.
func TestEveryday(t *testing.T) {
	requireBPF(t)
	emulated(t)
	path := everyday.build(t)
	ids := strings.Fields(string(runProgram(t, path).stdout))
	args := []string{"run", "--output", "json", "--signatures", signatures(t, map[string]string{"end.rego": endSignature})}
	elsewhere := []string{
		"IPCW-001", "IPCW-002", "IPCW-003", "IPCW-004", "IPCW-005", "IPCW-006", "IPCW-030", "IPCW-049", // suspicious.c
		"IPCW-013", "IPCW-014", "IPCW-015", "IPCW-016", "IPCW-017", "IPCW-018", // many.c
		"IPCW-007", "IPCW-008", "IPCW-009", "IPCW-010", "IPCW-011", "IPCW-012", // races.c
	}
	for _, s := range scenarios(t) {
		if !slices.Contains(ids, s.ID) && !slices.Contains(elsewhere, s.ID) {
			t.Errorf("%s has no benign twin", s.ID)
		}
		if s.OffByDefault {
			args = append(args, "--enable", s.ID)
		}
	}
	w := start(t, args...)
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			got := slices.DeleteFunc(perform(w, path, id), func(a alert) bool { return a.Signature.ID != id })
			if len(got) != 0 {
				t.Errorf("the benign twin gave alerts %s, want none", describe(got))
			}
		})
	}
}
