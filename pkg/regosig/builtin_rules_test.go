package regosig

import (
	"slices"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pushdown"
)

// TestBuiltinRulesFit: what all built-in signatures together want of an event has to
// fit into one rule of the BPF programs. What is left out would be sent for nothing.
func TestBuiltinRulesFit(t *testing.T) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	var all pushdown.Set
	used, err := Choice{}.Of(set.Signatures())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range used {
		wanted := s.(pushdown.Source).Wanted()
		all = all.Or(wanted)
		for _, c := range wanted.Clauses {
			if len(c.Tests) == 0 {
				t.Errorf("%s wants each call of %s", s.Metadata().ID, c.Events.Names())
			}
		}
	}
	for _, row := range event.Rows() {
		clauses, rule := all.For(row.ID), all.Rule(row.ID)
		if int(rule.ClauseN) != len(clauses) {
			t.Errorf("%s: the %d clauses became %d", row.Name, len(clauses), rule.ClauseN)
		}
		for _, c := range clauses {
			for _, test := range c.Tests {
				if !slices.Contains(rule.Tests[:rule.TestN], test) {
					t.Errorf("%s: no room for %+v among %d tests", row.Name, test, rule.TestN)
				}
			}
		}
	}
}
