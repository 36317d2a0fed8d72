package regosig

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// load loads one signature, whose text is the whole file.
func load(t *testing.T, text string) detect.Signature {
	t.Helper()
	set, err := Load(tree("a.rego", text))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Signatures()) != 1 {
		t.Fatalf("%d signatures", len(set.Signatures()))
	}
	return set.Signatures()[0]
}

func match(ctx context.Context, s detect.Signature, e *event.Event) ([]detect.Finding, error) {
	var in detect.Input
	in.Reset(e)
	found, err := s.Match(ctx, &in, nil)
	for i := range found {
		found[i].Evidence, found[i].Unread = found[i].Explanation(), nil
	}
	return found, err
}

func TestNativeVerdicts(t *testing.T) {
	type object = map[string]any
	tests := []struct {
		name, rules string
		want        []detect.Finding
		err         string
	}{
		{name: "true", rules: "match if input.eventName == \"msgsnd\"", want: []detect.Finding{{}}},
		{name: "undefined", rules: "match if input.eventName != \"msgsnd\""},
		{name: "false", rules: "default match := false"},
		{name: "another type", rules: "match := input.eventName", err: "data.a.match is a string, not true or false"},
		{name: "number", rules: "match := 1", err: "data.a.match is a number, not true or false"},
		{name: "evidence", rules: "match if true\nevidence[\"max\"] := input.args[1].value\nevidence[\"no\"] := 1 if false",
			want: []detect.Finding{{Evidence: object{"max": "0xffffffffffffffff"}}}},
		{name: "no evidence", rules: "match if true\nevidence[\"no\"] := 1 if false", want: []detect.Finding{{Evidence: object{}}}},
		{name: "evidence as a value", rules: "match if true\nevidence := {\"n\": 18446744073709551615}",
			want: []detect.Finding{{Evidence: object{"n": json.Number("18446744073709551615")}}}},
		{name: "evidence of another type", rules: "match if true\nevidence := [1]", want: []detect.Finding{{}}, err: "data.a.evidence is an array or a set, not an object"},
		{name: "conflict", rules: "match := true\nmatch := input.error if input.processorId", err: "produced conflicting values"},
		{name: "conflict of evidence", rules: "match if true\nevidence[\"a\"] := 1\nevidence[\"a\"] := 2", want: []detect.Finding{{}}, err: "produced conflicting values"},
		{name: "findings", rules: "findings contains {\"name\": a.name} if some a in input.args",
			want: []detect.Finding{{Evidence: object{"name": "msgflg"}}, {Evidence: object{"name": "msgp"}}, {Evidence: object{"name": "msgsz"}}, {Evidence: object{"name": "msqid"}}}},
		{name: "no findings", rules: "findings contains {} if false"},
		{name: "some findings of another type", rules: "findings contains {\"n\": 1}\nfindings contains 1",
			want: []detect.Finding{{Evidence: object{"n": json.Number("1")}}}, err: "data.a.findings has a number, not only objects"},
		{name: "findings of another type", rules: "findings contains 1", err: "data.a.findings has a number, not only objects"},
		{name: "failing built-in", rules: "match if 1 / (input.processorId - 1) == 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := match(t.Context(), load(t, header("A")+"package a\n"+tt.rules), sample(event.Msgsnd))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got %v and error %v, want %v and error %q", got, err, tt.want, tt.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v and error %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestCancelledContext(t *testing.T) {
	s := load(t, header("A")+"package a\nmatch if count([x | some x in numbers.range(1, 100000000); x % 2 == 0]) > 1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := match(ctx, s, sample(event.Msgsnd)); err == nil {
		t.Error("no error")
	}
}

const traceeHead = "package tracee.a\n__rego_metadoc__ := {\"id\": \"T\", \"name\": \"n\", \"properties\": {\"Severity\": 1}}\n"

func TestTraceeVerdicts(t *testing.T) {
	tests := []struct {
		name, verdict, err string
		want               []detect.Finding
	}{
		{name: "true", verdict: "tracee_match { input.metadata.Version != \"x\"; false }\ntracee_match { true }", want: []detect.Finding{{}}},
		{name: "undefined", verdict: "tracee_match { false }"},
		{name: "false", verdict: "tracee_match = false"},
		{name: "object", verdict: "tracee_match = {\"a\": input.eventId} { true }", want: []detect.Finding{{Evidence: map[string]any{"a": "69"}}}},
		{name: "empty object", verdict: "tracee_match = res { res := {} }", want: []detect.Finding{{Evidence: map[string]any{}}}},
		{name: "string", verdict: "tracee_match = \"yes\"", err: "data.tracee.a.tracee_match is a string, not true or an object"},
		{name: "conflict", verdict: "tracee_match = 1 { true }\ntracee_match = {\"a\": 1} { true }", err: "produced conflicting values"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := load(t, traceeHead+"tracee_selected_events[s] { s := {\"source\": \"tracee\", \"name\": \"msgsnd\"} }\n"+tt.verdict)
			got, err := match(t.Context(), s, sample(event.Msgsnd))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v and error %v", got, err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v and error %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestTraceeOrigins(t *testing.T) {
	for origin, want := range map[string][2]bool{ // on the host, in a container
		"": {true, true}, "*": {true, true}, "host": {true, false}, "container": {false, true}, "container-init": {false, false},
	} {
		s := load(t, traceeHead+"tracee_selected_events[s] { s := {\"source\": \"tracee\", \"name\": \"*\", \"origin\": \""+origin+"\"} }\ntracee_match { true }")
		if s.Metadata().Events != event.All {
			t.Errorf("origin %q: events %b", origin, s.Metadata().Events)
		}
		for i, container := range []string{"", "c0ffee"} {
			e := sample(event.Shmat)
			e.Process.ContainerID = container
			found, err := match(t.Context(), s, e)
			if err != nil || (len(found) == 1) != want[i] {
				t.Errorf("origin %q, container %q: %v, error %v", origin, container, found, err)
			}
		}
	}
}

func TestTraceeSignatures(t *testing.T) {
	set, err := Load(Path("testdata/tracee"), Builtin())
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]detect.Signature{}
	for _, s := range set.Signatures() {
		byID[s.Metadata().ID] = s
	}
	tracer := byID["TRC-IPC-1"].Metadata()
	if tracer.Severity != detect.High || tracer.Events != 0 || !reflect.DeepEqual(tracer.Attack, []string{"T1622"}) ||
		tracer.Properties["MITRE ATT&CK"] != "Defense Evasion: Debugger Evasion" || tracer.Properties["eventName"] != "self_tracing" {
		t.Errorf("got %+v", tracer)
	}
	want := []string{"testdata/tracee/stop_the_tracer.rego:20:43: selects ptrace, which ipcwarden does not see"}
	if got := set.Warnings(); !reflect.DeepEqual(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
	busy := byID["TRC-IPC-2"]
	if busy.Metadata().Events != event.Of(event.Shmat, event.Msgsnd) || busy.Metadata().Severity != detect.Low {
		t.Errorf("got %+v", busy.Metadata())
	}
	e := sample(event.Shmat)
	e.Args[2] = 0o10000
	found, err := match(t.Context(), busy, e)
	if err != nil || len(found) != 1 || !maps.Equal(found[0].Explanation(), map[string]any{"segment": json.Number("7"), "who": "a\ufffdb"}) {
		t.Errorf("got %v and error %v", found, err)
	}
	e.Args[2] = 0
	if found, err := match(t.Context(), busy, e); err != nil || len(found) != 0 {
		t.Errorf("got %v and error %v", found, err)
	}
}

func TestTraceeLibraries(t *testing.T) {
	set, err := Load(tree(
		"helpers.rego", "package tracee.helpers\nis_file_write(flags) { true }",
		"more_helpers.rego", "package tracee.more\nis_seven(x) { x == 7 }",
		"a.rego", traceeHead+"import data.tracee.helpers\nimport data.tracee.more\n"+
			"tracee_selected_events[s] { s := {\"source\": \"tracee\", \"name\": \"shmat\"} }\n"+
			"tracee_match { more.is_seven(helpers.get_tracee_argument(\"shmid\")); not helpers.is_file_write(\"O_RDONLY\"); "+
			"helpers.is_file_write(\"O_RDWR|O_CREAT\"); helpers.is_file_read(\"o_rdonly\"); helpers.is_file_read(\"O_WRONLY\") == false; "+
			"helpers.is_elf_file(\"f0VMRgIBAQ==\"); helpers.is_elf_file(\"IyEvYmluL3No\") == false; helpers.is_elf_file(\"?\") == false }",
	))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"dir/helpers.rego: skipped in favour of the built-in data.tracee.helpers"}
	if got := set.Warnings(); !reflect.DeepEqual(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
	if found, err := match(t.Context(), set.Signatures()[0], sample(event.Shmat)); err != nil || len(found) != 1 {
		t.Errorf("got %v and error %v", found, err)
	}
}

// TestInterpreted is about a signature that OPA does not plan.
func TestInterpreted(t *testing.T) {
	set, err := Load(tree("a.rego", header("A")+"package a\nmatch if q.b.c\n"+
		"q[x].a := input.eventName if some x in [\"b\"]\nq.b.c := q.b.a"))
	if err != nil {
		t.Fatal(err)
	}
	list := set.Interpreted()
	if len(list) != 1 || !strings.HasPrefix(list[0], "dir/a.rego: data.a.match is evaluated by OPA's interpreter: ") {
		t.Errorf("got %q", list)
	}
	found, err := match(t.Context(), set.Signatures()[0], sample(event.Msgsnd))
	if err != nil || len(found) != 1 {
		t.Errorf("got %v and error %v", found, err)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	set, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for worker := range uint64(4) {
		group.Go(func() {
			var in detect.Input
			for seed := range uint64(50) {
				in.Reset(randomEvent(worker + seed))
				for _, s := range set.Signatures() {
					if _, err := s.Match(t.Context(), &in, nil); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
}
