package regosig

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	oparego "github.com/open-policy-agent/opa/v1/rego"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// judged is a rule, with what its plan says.
type judged struct {
	*query
	value func(context.Context, *detect.Input) (value any, defined bool, err error)
}

// judgedRules are the verdict of a signature and its evidence.
func judgedRules(s detect.Signature) []judged {
	verdict, _ := filterAndVerdict(s)
	list := []judged{{verdict, verdict.onEvent}}
	if s, ok := s.(*native); ok && s.evidence != nil {
		list = append(list, judged{s.evidence.query, func(ctx context.Context, in *detect.Input) (any, bool, error) {
			var finding detect.Finding
			if s.evidence.members != nil { // of which the verdict was evaluated before
				if _, err := verdict.answer(ctx, in); err != nil {
					return s.evidence.eval(ctx, oparego.EvalParsedInput(viewOf(in).term()))
				}
			}
			err := s.evidence.explain(ctx, in, &finding)
			object := finding.Explanation()
			if object == nil {
				return nil, false, err
			}
			return object, true, err
		}})
	}
	return list
}

// queries are the planned rules of a set.
func queries(t testing.TB, set *Set) (list []judged) {
	t.Helper()
	for _, s := range set.Signatures() {
		list = append(list, judgedRules(s)...)
	}
	for _, q := range list {
		if q.program == nil {
			t.Errorf("%s is not planned: %v", q.rule, q.unplanned)
		}
	}
	return list
}

// otherRules use the input in ways that our signatures do not.
var otherRules = []string{
	"match if true\nevidence[\"whole\"] := input",
	"match if input\nevidence[\"parts\"] := [input.args, input.arg, input.object, input.memory, input.ipc]",
	"match if input.object == object.union(input.object, {})",
	"findings contains {\"path\": path} if walk(input, [path, 7])",
	"match if { some name; input[name] == input.eventName; some k, v in input.arg; v == input.args[_].value; k != name }",
	"match if { some a in input.args; a.name == \"msgflg\"; a.value > 0; a.type == \"int\" }",
	"match if { input.args[input.processorId].value; input.args[0] != input.args[1]; not input.args[9] }",
	"match if { every a in input.args { a.value != \"0x0\" }; count(input.args) > 1 }",
	"match if count(input.memory) > 1",
	"match if { some region in input.memory; region.atEntry == region.atExit; region.atEntry.bytes != \"\" }",
	"match if { some i; input.memory[i].mappings[j].byte == \"last\"; i < j }",
	"default match := false\nmatch if input.flags[_] == \"IPC_NOWAIT\"\nevidence[name] := true if some name in input.flags",
	"match if q with input as {\"error\": \"EPERM\", \"object\": input.object}\nq if { input.error == \"EPERM\"; input.object.mode > 0 }",
	"match if q with input.object.mode as 511\nq if { bits.and(input.object.mode, 2) != 0; input.args[0].value > 0 }\nevidence[\"q\"] := q",
	"match if { x := input.object; y := x.mode; z := {input.object, x}; count(z) == 1; y in {384, 438} }",
	"match if { input.args[i].name == \"msqid\"; input.args[i] in input.args; [_, \"int\", n] = [1, input.args[i].type, input.args[i].name]; n != \"\" }",
	"match := x if { some x in [true, true]; input.userId == 0 }\nelse if input.via == \"ipc\"\nelse := false",
	"findings contains {\"conflict\": x} if { x := {k: v | some v in input.flags; k := input.via}; input.sleeps > 0 }",
	"import data.ipcwarden.mode\nimport data.ipcwarden.number\nmatch if mode.world_writable(input.object.mode)\n" +
		"evidence[\"key\"] := number.key(input.object.key)\nevidence[\"private\"] := mode.private(input.object.mode)\n" +
		"evidence[\"number\"] := number.hexadecimal(input.object.sequence)\nevidence[\"back\"] := number.address(number.hexadecimal(input.object.sequence))",
	"import data.ipcwarden.flags\nmatch if flags.has_all({\"IPC_NOWAIT\", \"MSG_COPY\"})",
	"import data.ipcwarden.flags\nmatch if flags.has_any({\"SHM_EXEC\", \"MSG_COPY\"})\nevidence[\"none\"] := flags.has_none({\"IPC_NOWAIT\"})",
	"match if { concat(\",\", input.flags) != \"\"; json.marshal(input.arg) != \"\"; sprintf(\"%v\", [input.object]) != \"\" }",
}

// everySignature is those of ours, of Tracee's contract, and some that use the
// input in other ways.
func everySignature(t testing.TB) *Set {
	t.Helper()
	var files []string
	every := "[" + strings.Join(event.All.Names(), ", ") + "]"
	for i, rules := range otherRules {
		name := fmt.Sprintf("other_%d", i)
		files = append(files, name+".rego", strings.Replace(header(name), "[msgsnd]", every, 1)+"package "+name+"\n"+rules)
	}
	set, err := Load(Builtin(), Path("testdata/tracee"), tree(files...))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// compareWithTopdown evaluates a rule by its plan and by topdown, also for events
// that its signature does not select, and tells whether it holds. The seed is for
// the reader.
func compareWithTopdown(t testing.TB, q judged, in *detect.Input, seed uint64) (holds bool) {
	t.Helper()
	got, defined, err := q.value(t.Context(), in)
	want, wantDefined, wantErr := q.eval(t.Context(), oparego.EvalParsedInput(viewOf(in).term()))
	switch {
	case err != nil && strings.Contains(err.Error(), "conflicting values for the same inputs"):
		// Topdown does not always find out.
	case jsonOf(t, got) != jsonOf(t, want) || defined != wantDefined || (err == nil) != (wantErr == nil):
		t.Errorf("%s, seed %d:\ngot  %s, defined %t, error %v\nwant %s, defined %t, error %v\ninput %s",
			q.rule, seed, jsonOf(t, got), defined, err, jsonOf(t, want), wantDefined, wantErr, viewOf(in).term())
	case err != nil && !strings.HasPrefix(wantErr.Error(), err.Error()):
		t.Errorf("%s, seed %d: error %v, want %v", q.rule, seed, err, wantErr)
	}
	return defined && got != false || err != nil
}

func jsonOf(t testing.TB, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPlanSameAsTopdown holds the plans to the answers of OPA's interpreter.
func TestPlanSameAsTopdown(t *testing.T) {
	list := queries(t, everySignature(t))
	events := uint64(3000)
	if testing.Short() {
		events = 100
	}
	var in detect.Input
	defined := map[string]int{}
	for seed := range events {
		in.Reset(randomEvent(seed))
		for _, q := range list {
			// The other rules convert the whole document, which takes topdown long.
			if other := strings.HasPrefix(q.rule.String(), "data.other"); other && seed%8 > 0 {
				continue
			}
			if compareWithTopdown(t, q, &in, seed) {
				defined[q.rule.String()]++
			}
		}
		if t.Failed() {
			return
		}
	}
	for _, q := range list {
		// One of Tracee's is about ptrace.
		if n := defined[q.rule.String()]; n == 0 && !testing.Short() && !strings.Contains(q.rule.String(), "TRC_IPC_1") {
			t.Errorf("no event of %d has a %s", events, q.rule)
		}
	}
}
