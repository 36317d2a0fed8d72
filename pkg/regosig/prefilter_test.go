package regosig

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/regosig/prefilter"
	"github.com/ipcwarden/ipcwarden/pkg/sieve"
)

// filterAndVerdict are the parts of a signature, of whichever contract.
func filterAndVerdict(s detect.Signature) (verdict *query, filter *prefilter.Filter) {
	switch s := s.(type) {
	case *native:
		return s.verdict, s.filter
	case *tracee:
		return s.verdict, s.filter
	}
	return nil, nil
}

// finds tells whether a verdict is a finding.
func finds(value any, defined bool, err error) bool {
	if list, many := value.([]any); many && len(list) == 0 {
		return false
	}
	return err == nil && defined && value != false
}

// TestPrefilterIsNecessary evaluates every signature on random events: what its
// filter rejects must not match.
func TestPrefilterIsNecessary(t *testing.T) {
	set := everySignature(t)
	matches, rejected, evaluated := map[string]int{}, 0, 0
	for seed := range uint64(5_000) {
		e := randomEvent(seed)
		var in detect.Input
		in.Reset(e)
		for _, s := range set.Signatures() {
			if !s.Metadata().Events.Has(e.ID) {
				continue
			}
			verdict, filter := filterAndVerdict(s)
			evaluated++
			passes := filter.MayMatch(e)
			if !passes {
				rejected++
			}
			if !finds(verdict.onEvent(t.Context(), &in)) {
				continue
			}
			matches[s.Metadata().ID]++
			if !passes {
				t.Fatalf("%s matches what its filter rejects: %+v\nfilter:\n%s", s.Metadata().ID, in.Document(), strings.Join(filter.Words(), "\n"))
			}
		}
	}
	for _, s := range set.Signatures() {
		if strings.HasPrefix(s.Metadata().ID, "IPCW-") && matches[s.Metadata().ID] == 0 {
			t.Errorf("%s matched no random event: nothing was compared", s.Metadata().ID)
		}
	}
	t.Logf("%d of %d evaluations were rejected by filters; matches: %v", rejected, evaluated, matches)
}

// textExpressions compare texts of which documents replace what is not UTF-8.
var textExpressions = []string{
	`input.processName == "init"`, `input.processName != "init"`, `input.processName in {"init", "sshd"}`, `input.processName == "a\ufffdb"`,
	`input.processName in ["a\ufffdb"]`, `input.processName < "a\ufffe"`, `input.processName == input.hostName`, `input.executable.path == "/tmp/a"`,
	`input.executable.path != "/bin/\ufffd"`, `input.hostName == "host"`, `input.containerId == "c0ffee"`, `input.container.id in {"c0ffee"}`,
}

// TestFiltersOfExpressions holds the filters of single expressions, and of their
// contrary, to the signatures.
func TestFiltersOfExpressions(t *testing.T) {
	var files []string
	for i, x := range slices.Concat(textExpressions, expressions) {
		add := func(name, rules string) { files = append(files, name+".rego", signatureFor(everyEvent, name, rules)) }
		add(fmt.Sprintf("is_%d", i), "match if "+x)
		if !strings.Contains(x, "[_]") {
			add(fmt.Sprintf("not_%d", i), "match if not "+x)
		}
	}
	set, err := Load(tree(files...))
	if err != nil {
		t.Fatal(err)
	}
	matches := map[string]int{}
	for seed := range uint64(500) {
		e := randomEvent(seed)
		var in detect.Input
		in.Reset(e)
		for _, s := range set.Signatures() {
			verdict, filter := filterAndVerdict(s)
			if !finds(verdict.onEvent(t.Context(), &in)) {
				continue
			}
			if matches[s.Metadata().ID]++; !filter.MayMatch(e) {
				t.Fatalf("%s matches what its filter rejects: %+v\nfilter: %q", s.Metadata().ID, in.Document(), filter.Words())
			}
		}
	}
	if len(matches) < len(set.Signatures())*9/10 {
		t.Errorf("only %d of %d signatures matched an event", len(matches), len(set.Signatures()))
	}
}

// TestIndexFindsWhatFiltersPass compares the index over all signatures with their
// filters, asked one by one: what it leaves out does not pass, and what passes is
// left out only where the index knows more of an address.
func TestIndexFindsWhatFiltersPass(t *testing.T) {
	signatures := everySignature(t).Signatures()
	var selectors []sieve.Signature
	for _, s := range signatures {
		_, filter := filterAndVerdict(s)
		selectors = append(selectors, sieve.Signature{Events: s.Metadata().Events, Filter: filter.Sieve()})
	}
	index := sieve.NewIndex(selectors)
	var found sieve.Found
	passed := 0
	for seed := range uint64(20_000) {
		e := randomEvent(seed)
		selected := index.Select(e, &found)
		var want []int
		for i, s := range selectors {
			if s.Events.Has(e.ID) && s.Filter.MayMatch(e) {
				want = append(want, i)
			}
		}
		passed += len(want)
		if !slices.Equal(selected, want) {
			t.Fatalf("event %d, a %s: the index finds %v, the filters pass %v", seed, e.ID, selected, want)
		}
	}
	if passed == 0 {
		t.Error("no filter passed anything")
	}
	if n := testing.AllocsPerRun(1, func() {
		for seed := range uint64(100) {
			index.Select(&randomEvents[seed], &found)
		}
	}); n != 0 {
		t.Errorf("%v allocations for 100 events, want none", n)
	}
}

// randomEvents are some that are made once.
var randomEvents = func() (events [100]event.Event) {
	for i := range events {
		events[i] = *randomEvent(uint64(i))
	}
	return events
}()

// TestPrefilterWords wants every built-in signature to have a filter.
func TestPrefilterWords(t *testing.T) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range set.Signatures() {
		_, filter := filterAndVerdict(s)
		if filter == nil {
			t.Errorf("%s has no filter", s.Metadata().ID)
		}
		t.Logf("%s:\n\t%s", s.Metadata().ID, strings.Join(filter.Words(), "\n\t"))
	}
}

// TestPrefilterAllocatesNothing is for the many events that match nothing.
func TestPrefilterAllocatesNothing(t *testing.T) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	events := make([]*event.Event, 100)
	for i := range events {
		events[i] = randomEvent(uint64(i))
	}
	for _, s := range set.Signatures() {
		_, filter := filterAndVerdict(s)
		n := testing.AllocsPerRun(1, func() {
			for i := range events {
				filter.MayMatch(events[i])
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations for %d events, want none", s.Metadata().ID, n, len(events))
		}
	}
}
