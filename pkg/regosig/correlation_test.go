package regosig

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// correlating is the text of a signature with a correlation, in flow style.
func correlating(correlation, rules string) string {
	return header("A") + "#   correlation: " + correlation + "\npackage a\n" + rules
}

const twoSteps = "first if input.error\nsecond if not input.error\n"

func TestCorrelation(t *testing.T) {
	tests := []struct {
		name, correlation, rules string
		want                     detect.Correlation
		words                    string
	}{
		{
			"event_count", "{type: event_count, group_by: [hostProcessId, object.id, arg.msgsz], timespan: 1s, condition: {gte: 500}}", "match if true",
			detect.Correlation{Type: detect.EventCount, GroupBy: []string{"hostProcessId", "object.id", "arg.msgsz"}, Timespan: time.Second, Operator: detect.AtLeast, Threshold: 500},
			"event_count of matches gte 500 within 1s by hostProcessId, object.id, arg.msgsz",
		},
		{
			"value_count", "{type: value_count, field: object.key, timespan: 250 ms, condition: {lt: 3}}", "match if true\nevidence[\"a\"] := 1",
			detect.Correlation{Type: detect.ValueCount, Field: "object.key", Timespan: 250 * time.Millisecond, Operator: detect.LessThan, Threshold: 3},
			"value_count of object.key lt 3 within 250ms",
		},
		{
			"temporal", "{type: temporal, steps: [first, second], timespan: 2m, group_by: [userId]}", twoSteps,
			detect.Correlation{Type: detect.Temporal, GroupBy: []string{"userId"}, Steps: []string{"first", "second"}, Timespan: 2 * time.Minute},
			"temporal of first, second within 2m0s by userId",
		},
		{
			"temporal_ordered", "{type: temporal_ordered, steps: [second, first], until: third, timespan: 7d}", twoSteps + "third if input.unfinished\nevidence[\"a\"] := 1",
			detect.Correlation{Type: detect.TemporalOrdered, Steps: []string{"second", "first"}, Until: "third", Timespan: 168 * time.Hour},
			"temporal_ordered of second, first within 168h0m0s without third",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := Open(tree("a.rego", correlating(tt.correlation, tt.rules)))
			if err != nil {
				t.Fatal(err)
			}
			d, err := w.Definition("A")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(d.Metadata.Correlation, &tt.want) || d.Correlation != tt.words {
				t.Errorf("got  %+v: %s\nwant %+v: %s", d.Metadata.Correlation, d.Correlation, tt.want, tt.words)
			}
			if len(d.Files) != 1 || len(d.Verdict) == 0 {
				t.Errorf("%d files, decided at %v", len(d.Files), d.Verdict)
			}
		})
	}
}

func TestCorrelationErrors(t *testing.T) {
	const count = "{type: event_count, timespan: 1s, condition: {gte: 5}"
	const at = "dir/a.rego:7:"
	tests := []struct {
		name, correlation, rules, want string
	}{
		{"no mapping", "event_count", "match if true", at + "18: METADATA: a mapping is needed here"},
		{"no type", "{timespan: 1s}", "match if true", at + "18: custom.correlation lacks type"},
		{"unknown type", "{type: event_cout}", "match if true", at + `25: custom.correlation.type: there is no type "event_cout"; the nearest is event_count`},
		{"unknown key", count + ", groupby: [userId]}", "match if true", at + `73: METADATA: unknown key "groupby"; the nearest is group_by`},
		{"no condition and no timespan", "{type: event_count}", "match if true", at + "18: custom.correlation lacks condition\n" + at + "18: custom.correlation lacks timespan"},
		{"unknown field", count + ", group_by: [userId, hostProcesId]}", "match if true", at + "92: custom.correlation.group_by: input has no field hostProcesId; the nearest is hostProcessId"},
		{"unknown field below", count + ", group_by: [object.keys]}", "match if true", at + "84: custom.correlation.group_by: input.object has no field keys; the nearest is key"},
		{"nothing below", count + ", group_by: [userId.x]}", "match if true", at + "84: custom.correlation.group_by: input.userId has no field x"},
		{"argument of another event", count + ", group_by: [arg.shmid]}", "match if true", at + "84: custom.correlation.group_by: input.arg has no field shmid; the nearest is msqid"},
		{"field with input", count + ", group_by: [input.userId]}", "match if true", at + "84: custom.correlation.group_by: leave out input. of input.userId"},
		{"array", count + ", group_by: [flags]}", "match if true", at + "84: custom.correlation.group_by: flags is an array; events are grouped and counted by single values"},
		{"object", count + ", group_by: [object]}", "match if true", at + "84: custom.correlation.group_by: object is an object; events are grouped and counted by single values"},
		{"field twice", count + ", group_by: [userId, userId]}", "match if true", at + "92: custom.correlation.group_by: field userId is there twice"},
		{"no list", count + ", group_by: userId}", "match if true", at + "83: custom.correlation.group_by must be a list of strings"},
		{"empty field", count + ", group_by: ['']}", "match if true", at + "84: custom.correlation.group_by is empty\n" + at + "84: custom.correlation.group_by: input has no field ; the nearest is arg"},
		{"unknown unit", "{type: event_count, timespan: 1sec, condition: {gte: 5}}", "match if true", at + `48: custom.correlation.timespan: there is no unit "sec"; the units are ms, s, m, h and d`},
		{"no unit", "{type: event_count, timespan: 10, condition: {gte: 5}}", "match if true", at + `48: custom.correlation.timespan: there is no unit ""; the units are ms, s, m, h and d`},
		{"fraction", "{type: event_count, timespan: 1.5s, condition: {gte: 5}}", "match if true", at + "48: custom.correlation.timespan must be a whole number with a unit, such as 500ms, 1s or 10m"},
		{"too long", "{type: event_count, timespan: 8d, condition: {gte: 5}}", "match if true", at + "48: custom.correlation.timespan: 8d is not from 1ms to 7d"},
		{"no time", "{type: event_count, timespan: 0s, condition: {gte: 5}}", "match if true", at + "48: custom.correlation.timespan: 0s is not from 1ms to 7d"},
		{"unknown comparison", "{type: event_count, timespan: 1s, condition: {ge: 5}}", "match if true", at + `64: custom.correlation.condition: there is no comparison "ge"; the nearest is gte`},
		{"two comparisons", "{type: event_count, timespan: 1s, condition: {gte: 5, lte: 9}}", "match if true", at + "63: custom.correlation.condition must have one comparison, such as {gte: 500}"},
		{"text for a number", "{type: event_count, timespan: 1s, condition: {gte: '5'}}", "match if true", at + "69: custom.correlation.condition: gte of event_count must be a whole number from 1 to 1000000000"},
		{"none", "{type: event_count, timespan: 1s, condition: {lt: 1}}", "match if true", at + "68: custom.correlation.condition: lt of event_count must be a whole number from 2 to 1000"},
		{"many values", "{type: value_count, field: userId, timespan: 1s, condition: {gt: 5000}}", "match if true", at + "83: custom.correlation.condition: gt of value_count must be a whole number from 1 to 4096"},
		{"no field", "{type: value_count, timespan: 1s, condition: {gt: 5}}", "match if true", at + "18: custom.correlation lacks field"},
		{"unknown value field", "{type: value_count, field: object.ky, timespan: 1s, condition: {gt: 5}}", "match if true", at + "45: custom.correlation.field: input.object has no field ky; the nearest is key"},
		{"field of a count", count + ", field: userId}", "match if true", at + "80: custom.correlation: field does not go with type event_count"},
		{"steps of a count", count + ", steps: [match]}", "match if true", at + "80: custom.correlation: steps does not go with type event_count"},
		{"condition of steps", "{type: temporal, steps: [first, second], timespan: 1s, condition: {gte: 2}}", twoSteps, at + "84: custom.correlation: condition does not go with type temporal"},
		{"until without order", "{type: temporal, steps: [first, second], timespan: 1s, until: first}", twoSteps, at + "80: custom.correlation.until: first is a step already\n" + at + "80: custom.correlation: until does not go with type temporal"},
		{"unknown step", "{type: temporal, steps: [first, secnd], timespan: 1s}", twoSteps, at + "50: custom.correlation.steps: package a has no rule secnd; the nearest is second"},
		{"unknown steps", "{type: temporal, steps: [x, y], timespan: 1s}", "z if true", at + "43: custom.correlation.steps: package a has no rule x; the nearest is z\n" + at + "46: custom.correlation.steps: package a has no rule y; the nearest is z"},
		{"no steps", "{type: temporal_ordered, timespan: 1s}", twoSteps, at + "18: custom.correlation lacks steps"},
		{"one step", "{type: temporal, steps: [first], timespan: 1s}", twoSteps, at + "42: custom.correlation.steps must have from 2 to 8 rules"},
		{"step twice", "{type: temporal, steps: [first, first], timespan: 1s}", twoSteps, at + "50: custom.correlation.steps: first is there twice"},
		{"step with a key", "{type: temporal, steps: [first, third], timespan: 1s}", twoSteps + "third contains 1 if true", "dir/a.rego:11:1: step third must have the form: third if { … }"},
		{"step is a function", "{type: temporal, steps: [first, third], timespan: 1s}", twoSteps + "third(x) if x > 1", "dir/a.rego:11:1: step third must have the form: third if { … }"},
		{"match beside steps", "{type: temporal, steps: [first, second], timespan: 1s}", twoSteps + "match if true", "dir/a.rego:8:1: the steps of the correlation decide: there is no place for match or findings"},
		{"findings", count + "}", "findings contains {} if true", at + "18: custom.correlation goes with match, which an event has once, and not with findings"},
		{"our own rule", count + "}", "match if true\n__steps__ := 1", "dir/a.rego:10:1: __steps__ is a name that ipcwarden gives"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(problemsOf(t, tree("a.rego", correlating(tt.correlation, tt.rules))), "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestSteps evaluates a signature whose steps, in two files, can hold for one event
// together.
func TestSteps(t *testing.T) {
	text := correlating("{type: temporal_ordered, steps: [sent, large], until: failed, timespan: 1s}",
		"sent if input.eventName == \"msgsnd\"\nevidence[\"size\"] := input.arg.msgsz\nfailed if input.error == \"EAGAIN\"")
	other := "package a\nlarge if input.arg.msgsz > 100\nlarge if input.arg.msgsz == 7"
	set, err := Load(tree("a.rego", text, "b.rego", other))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Signatures()) != 1 || len(set.Interpreted()) > 0 {
		t.Fatalf("%d signatures, interpreted: %v", len(set.Signatures()), set.Interpreted())
	}
	for name, tt := range map[string]struct {
		size uint64
		ret  int64
		want []string
	}{
		"one":   {5, 0, []string{"sent"}},
		"two":   {101, 0, []string{"large", "sent"}},
		"other": {7, -11, []string{"failed", "large", "sent"}},
	} {
		e := sample(event.Msgsnd)
		e.Args[2], e.Return = tt.size, tt.ret
		found, err := match(t.Context(), set.Signatures()[0], e)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, f.Step)
			if len(f.Explanation()) != 1 {
				t.Errorf("%s: evidence %v", name, f.Explanation())
			}
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: steps %v, want %v", name, got, tt.want)
		}
	}
}

// TestStepsFilter wants the pre-filter to let pass what is any step.
func TestStepsFilter(t *testing.T) {
	s := load(t, correlating("{type: temporal, steps: [refused, large], timespan: 1s}",
		"refused if input.error == \"EAGAIN\"\nlarge if input.arg.msgsz > 100"))
	words := strings.Join(s.(*native).filter.Words(), "\n")
	if !strings.Contains(words, "EAGAIN") || !strings.Contains(words, "100") {
		t.Errorf("filter:\n%s", words)
	}
	e := sample(event.Msgsnd)
	e.Args[2], e.Return = 5, 0
	if s.(*native).filter.MayMatch(e) {
		t.Error("the filter lets everything pass")
	}
}

func TestExplainSteps(t *testing.T) {
	w, err := Open(tree("a.rego", correlating("{type: temporal, steps: [first, second], timespan: 1s}", twoSteps+"evidence[\"a\"] := 1")))
	if err != nil {
		t.Fatal(err)
	}
	events, _, err := ReadRecorded("e.json", strings.NewReader(`{"eventName": "msgsnd", "error": "EAGAIN"}`))
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.Explain(t.Context(), "A", &events[0])
	if err != nil {
		t.Fatal(err)
	}
	if !x.Matches || !reflect.DeepEqual(x.Steps, []string{"first"}) || len(x.Findings) != 1 || len(x.Findings[0]) != 1 {
		t.Errorf("got %+v", x)
	}
	if len(x.Bodies) != 2 || !x.Bodies[0].Held || x.Bodies[1].Held || x.Bodies[1].Rule != "a.second" {
		t.Errorf("bodies %+v", x.Bodies)
	}
}
