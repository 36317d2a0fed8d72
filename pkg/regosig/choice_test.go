package regosig

import (
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// threeSignatures are some of which the second is off.
func threeSignatures(t *testing.T) []detect.Signature {
	t.Helper()
	of := func(id, enabled string) string {
		return "# METADATA\n# title: a\n# custom:\n#   id: " + id + "\n#   severity: low\n#   events: [shmat]\n" + enabled + "package p." + strings.ToLower(id) + "\n\nmatch if true\n"
	}
	set, err := Load(tree("a.rego", of("SITEA", "#   enabled: true\n"), "b.rego", of("SITEB", "#   enabled: false\n"), "c.rego", of("SITEC", "")))
	if err != nil {
		t.Fatal(err)
	}
	return set.Signatures()
}

func TestChoice(t *testing.T) {
	all := threeSignatures(t)
	for _, c := range []struct {
		name      string
		choice    Choice
		want, err string
	}{
		{"none", Choice{}, "SITEA SITEC", ""},
		{"enabled", Choice{Enable: []string{"SITEB"}}, "SITEA SITEB SITEC", ""},
		{"enabled, and is anyway", Choice{Enable: []string{"SITEA"}}, "SITEA SITEC", ""},
		{"disabled", Choice{Disable: []string{"SITEA"}}, "SITEC", ""},
		{"disabled, and is anyway", Choice{Disable: []string{"SITEB"}}, "SITEA SITEC", ""},
		{"all of them", Choice{Disable: []string{"SITEA", "SITEC"}}, "", ""},
		{"unknown", Choice{Enable: []string{"SITED"}}, "", `enable "SITED": there is no such signature; the nearest is SITEA`},
		{"two unknown", Choice{Enable: []string{"x"}, Disable: []string{"SITEBB"}}, "",
			"enable \"x\": there is no such signature; the nearest is SITEA\ndisable \"SITEBB\": there is no such signature; the nearest is SITEB"},
		{"both", Choice{Enable: []string{"SITEB"}, Disable: []string{"SITEB"}}, "", "signature SITEB is to be enabled and disabled: leave out one of the two"},
	} {
		used, err := c.choice.Of(all)
		var ids []string
		for _, s := range used {
			ids = append(ids, s.Metadata().ID)
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got := strings.Join(ids, " "); got != c.want || text != c.err {
			t.Errorf("%s: %q, error %q; want %q, %q", c.name, got, text, c.want, c.err)
		}
	}
}
