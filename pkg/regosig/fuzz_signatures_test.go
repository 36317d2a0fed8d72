package regosig

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/engine"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// chosen is a source of random numbers of which somebody has chosen the first ones,
// one byte each.
type chosen struct {
	bytes []byte
	rest  rand.Source
}

func (c *chosen) Uint64() uint64 {
	if len(c.bytes) == 0 {
		return c.rest.Uint64()
	}
	b := c.bytes[0]
	c.bytes = c.bytes[1:]
	return uint64(b) * 0x0101010101010101
}

// judges are all who have a say in what a signature finds, or what it is asked for.
type judges struct {
	signatures []detect.Signature
	selectors  []sieve.Signature
	index      *sieve.Index
	engine     *engine.Engine

	in       detect.Input
	selected sieve.Found
}

func newJudges(t testing.TB, set *Set) *judges {
	t.Helper()
	j := &judges{signatures: set.Signatures()}
	for _, s := range j.signatures {
		_, filter := filterAndVerdict(s)
		j.selectors = append(j.selectors, sieve.Signature{Events: s.Metadata().Events, Filter: filter.Sieve()})
	}
	j.index = sieve.NewIndex(j.selectors)
	all, err := engine.NewSet(j.signatures)
	if err != nil {
		t.Fatal(err)
	}
	j.engine = engine.New(all, zap.NewNop())
	t.Cleanup(j.engine.Close)
	return j
}

// agree compares, for one event and every signature, what its plan says with what
// OPA's interpreter says; with what its filter allows; that with what the index over
// all filters selects; and with what the engine finds. seed is for the reader.
func (j *judges) agree(t testing.TB, e *event.Event, seed uint64) {
	t.Helper()
	j.in.Reset(e)
	var passing []int
	var finding []string
	for i, s := range j.signatures {
		id := s.Metadata().ID
		verdict, filter := filterAndVerdict(s)
		for _, rule := range judgedRules(s) {
			compareWithTopdown(t, rule, &j.in, seed)
		}
		if !s.Metadata().Events.Has(e.ID) {
			continue
		}
		passes := filter.MayMatch(e)
		if passes {
			passing = append(passing, i)
		}
		if !passes && finds(verdict.onEvent(t.Context(), &j.in)) {
			t.Errorf("%s matches what its filter rejects: %s\nfilter:\n%s", id, viewOf(&j.in).term(), strings.Join(filter.Words(), "\n"))
		}
		if found, err := s.Match(t.Context(), &j.in, nil); err == nil && len(found) > 0 {
			finding = append(finding, id)
		}
	}
	if selected := j.index.Select(e, &j.selected); !slices.Equal(selected, passing) {
		t.Errorf("the index selects %v, the filters pass %v: %s", selected, passing, viewOf(&j.in).term())
	}
	var found []string
	j.engine.Evaluate(t.Context(), e, func(md *detect.Metadata, _ detect.Finding, _ *detect.Input) { found = append(found, md.ID) })
	if found = slices.Compact(found); !slices.Equal(found, finding) {
		t.Errorf("the engine finds %q, the signatures %q: %s", found, finding, viewOf(&j.in).term())
	}
}

// FuzzSignatures looks for events on which those who judge signatures differ. An
// event is random, but for what the bytes decide, one choice each, in the order in
// which its fields are filled in.
func FuzzSignatures(f *testing.F) {
	j := newJudges(f, everySignature(f))
	for seed := range uint64(100) {
		choices := make([]byte, 32)
		for i := range choices {
			choices[i] = byte(seed * uint64(i+1))
		}
		f.Add(seed, choices)
	}
	f.Fuzz(func(t *testing.T, seed uint64, choices []byte) {
		j.agree(t, eventFrom(&chosen{choices, rand.NewPCG(seed, 1)}), seed)
	})
}

// FuzzRule looks for rules on which those who judge signatures differ.
func FuzzRule(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, "match if input.error")
	}
	f.Add(uint64(1), `match if { some a in input.args; a.value == "0x0"; not input.object.created }`)
	f.Add(uint64(2), `match if count(input.memory) > 1 with input.memory as [input.arg, 2]`)
	f.Add(uint64(3), `match if input[k][l] == 7`)
	f.Add(uint64(4), `match if { every k, v in input.arg { v != k }; x := sprintf("%v %d", [input, input.returnValue]); contains(x, "7") }`)
	for _, rule := range otherRules {
		f.Add(uint64(5), rule)
	}
	f.Fuzz(func(t *testing.T, seed uint64, rule string) {
		if !deterministic(rule) {
			return
		}
		set, err := Load(tree("a.rego", header("A")+"package a\n"+rule))
		if err != nil || len(set.Interpreted()) > 0 {
			return
		}
		j := newJudges(t, set)
		for event := range uint64(8) {
			j.agree(t, randomEvent(8*seed+event), seed)
		}
	})
}

// deterministic tells whether no built-in answers differently from call to call.
func deterministic(rule string) bool {
	for _, name := range []string{"rand.", "time.now", "uuid."} {
		if strings.Contains(rule, name) {
			return false
		}
	}
	return true
}
