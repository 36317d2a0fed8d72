package alert

import (
	"encoding/json"
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

func factory() *Factory { return &Factory{Host: "host"} }

func document() *event.Document {
	e := event.Event{ID: event.Msgget, TimeNS: 1_714_982_887_000_000_000, DurationNS: 6}
	e.Process.Comm, e.Process.HostPID, e.Process.UID = "evil\n", 7, 8
	var d event.Document
	e.Document(&d)
	return &d
}

func TestFromFindingOwnsEverything(t *testing.T) {
	meta := &detect.Metadata{
		ID: "id", Title: "Title", Severity: detect.High, Attack: []string{"T1559"},
		Properties: map[string]any{"list": []string{"a"}},
	}
	inner := map[string]any{"n": 1}
	finding := detect.Finding{Evidence: map[string]any{"inner": inner, "list": []any{inner}}}
	doc := document()
	a := factory().FromFinding(meta, finding, doc)
	before, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	meta.Attack[0] = "changed"
	meta.Properties["list"].([]string)[0] = "changed"
	inner["n"] = 2
	finding.Evidence["more"] = true
	doc.ProcessName = "changed"
	after, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("the alert changed with its sources:\n%s\n%s", before, after)
	}
}

func TestJSON(t *testing.T) {
	meta := &detect.Metadata{ID: "id", Title: "Title", Severity: detect.High}
	b, err := json.Marshal(factory().FromFinding(meta, detect.Finding{}, document()))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version                        int
		ID, Type, Time, Severity, Host string
		Signature                      struct{ Attack, References, Tags, FalsePositives []string }
		Event                          struct{ EventName string }
		Gap                            *Gap
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || len(got.ID) != 32 || got.Type != "finding" || got.Severity != "high" || got.Host != "host" || got.Gap != nil {
		t.Errorf("got %s", b)
	}
	if want := "2024-05-06T08:08:07.000000006Z"; got.Time != want {
		t.Errorf("time %s, want %s", got.Time, want)
	}
	if got.Event.EventName != "msgget" {
		t.Errorf("event %q", got.Event.EventName)
	}
	if s := got.Signature; s.Attack == nil || s.References == nil || s.Tags == nil || s.FalsePositives == nil {
		t.Errorf("a list is null in %s", b)
	}
}

// TestCorrelation is about a finding that rests on many events.
func TestCorrelation(t *testing.T) {
	from := time.Date(2024, 5, 6, 9, 8, 7, 0, time.FixedZone("east", 3600))
	group := map[string]any{"hostProcessId": uint32(7), "object.id": nil}
	a := factory().FromFinding(&detect.Metadata{ID: "id"}, detect.Finding{Correlated: &detect.Correlated{
		Type: detect.TemporalOrdered, Group: group, Count: 2, From: from, To: from.Add(time.Second), First: document(),
		Steps: []detect.CorrelatedStep{{Name: "a", Event: document()}, {Name: "b"}},
	}}, document())
	group["object.id"] = 1
	b, err := json.Marshal(a.Correlation)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Type     string
		Group    map[string]any
		Count    int
		From, To string
		First    *struct{ EventName string }
		Steps    []struct {
			Name  string
			Event *struct{ EventName string }
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Type != "temporal_ordered" || got.Count != 2 || got.From != "2024-05-06T08:08:07Z" || got.To != "2024-05-06T08:08:08Z" ||
		len(got.Group) != 2 || got.Group["object.id"] != nil || got.First.EventName != "msgget" {
		t.Errorf("got %s", b)
	}
	if len(got.Steps) != 2 || got.Steps[0].Event.EventName != "msgget" || got.Steps[1].Name != "b" || got.Steps[1].Event != nil {
		t.Errorf("steps of %s", b)
	}
}

// TestEvidenceIsAlwaysJSON gives evidence that JSON does not have.
func TestEvidenceIsAlwaysJSON(t *testing.T) {
	evidence := map[string]any{
		"nan": math.NaN(), "channel": make(chan int), "number": json.Number("12"), "bad": json.Number("x"),
		"nested": []any{map[string]any{"f": func() {}}}, "struct": struct{ A int }{1}, "nil": nil,
	}
	a := factory().FromFinding(&detect.Metadata{}, detect.Finding{Evidence: evidence}, document())
	b, err := json.Marshal(a.Evidence)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(evidence) || got["number"] != 12.0 || got["nan"] != "NaN" || got["bad"] != "x" {
		t.Errorf("evidence became %s", b)
	}
}

func TestSummary(t *testing.T) {
	from := time.Date(2024, 5, 6, 9, 8, 7, 0, time.UTC)
	f := factory()
	tests := []struct {
		alert *Alert
		want  string
	}{
		{
			f.FromFinding(&detect.Metadata{ID: "id", Title: "Message copied"}, detect.Finding{}, document()),
			`Message copied: "evil\n"[7] of uid 8 called msgget`,
		},
		{
			f.FromFinding(&detect.Metadata{ID: "id"}, detect.Finding{}, document()),
			`id: "evil\n"[7] of uid 8 called msgget`,
		},
		{
			f.FromGap(Gap{From: from, To: from.Add(1500 * time.Millisecond), Count: 3, Cause: "ring full", Hook: "tracepoint"}),
			"3 calls lost in 1.5s by tracepoint: ring full",
		},
		{
			f.FromSuspension(&detect.Metadata{ID: "id", Title: "Title"}, Suspension{Overruns: 3, BudgetNS: 1e8}, document()),
			`signature suspended: Title: 3 evaluations took longer than 100ms, the last when "evil\n"[7] of uid 8 called msgget`,
		},
	}
	many := detect.Finding{Correlated: &detect.Correlated{Type: detect.EventCount, Count: 500, From: from, To: from.Add(2600 * time.Microsecond)}}
	tests = append(tests, []struct {
		alert *Alert
		want  string
	}{
		{f.FromFinding(&detect.Metadata{Title: "Spray"}, many, document()), `Spray: 500 events in 2.6ms, the last when "evil\n"[7] of uid 8 called msgget`},
		{f.FromFinding(&detect.Metadata{Title: "Spray"}, many, nil), `Spray: 500 events in 2.6ms`},
	}...)
	aggregated := f.FromGap(Gap{
		From: from, To: from.Add(time.Second), Count: 3, Cause: "aggregated", Hook: "tracepoint",
		Aggregated: &Aggregated{SignatureID: "id", EventName: "msgsnd", HostProcessID: 7},
	})
	repeated := f.FromRepeated(tests[0].alert, Repeated{Count: 3, First: from, Last: from.Add(time.Second)})
	suppressed := f.FromSuppressed(&Signature{ID: "id"}, detect.Low, Suppressed{Count: 4, Limit: 2, From: from, To: from.Add(time.Minute)})
	tests = append(tests, []struct {
		alert *Alert
		want  string
	}{
		{aggregated, "3 more calls counted for id in 1s by tracepoint: aggregated, msgsnd of process 7"},
		{repeated, `Message copied: "evil\n"[7] of uid 8 called msgget (3 more since 09:08:07)`},
		{suppressed, "4 findings suppressed: id: more than 2 in 1m0s"},
		{f.FromDelivery(Delivery{Sink: "chat", State: DeliveryFailing, Problem: "a\nb", Waiting: 2}), `chat takes no alerts: a\nb (2 wait)`},
		{f.FromDelivery(Delivery{Sink: "chat", State: DeliveryRecovered}), "chat works again"},
		{f.FromDelivery(Delivery{Sink: "chat", State: DeliveryRecovered, Lost: 2}), "chat works again, without 2 alerts"},
		{f.FromDelivery(Delivery{Sink: "chat", State: DeliveryLost, Lost: 2}), "2 alerts lost to chat"},
	}...)
	if tests[0].alert.Repeated != nil || repeated.Type != TypeFinding {
		t.Errorf("repeated: %+v of %+v", repeated, tests[0].alert)
	}
	if s := suppressed; s.Type != TypeSuppressed || s.Severity != detect.Low || !s.Time.Equal(from.Add(time.Minute)) {
		t.Errorf("suppressed: %+v", s)
	}
	for _, test := range tests {
		if got := test.alert.Summary(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	if gap := tests[2].alert; gap.Type != TypeGap || gap.Severity != GapSeverity || gap.Signature != nil || gap.Event != nil {
		t.Errorf("gap: %+v", gap)
	}
	if s := tests[3].alert; s.Type != TypeSuspended || s.Severity != SuspendedSeverity || s.Signature.ID != "id" || s.Gap != nil {
		t.Errorf("suspension: %+v", s)
	}
}

// TestIDsTellAlertsApart makes the same alert twice, and each with one thing different.
func TestIDsTellAlertsApart(t *testing.T) {
	meta := &detect.Metadata{ID: "id"}
	finding := detect.Finding{Evidence: map[string]any{"b": 1, "a": []any{map[string]any{"y": 2, "x": 3}}}}
	alike := factory().FromFinding(meta, finding, document())
	if again := factory().FromFinding(meta, finding, document()); again.ID != alike.ID {
		t.Errorf("ids %s and %s of the same alert", alike.ID, again.ID)
	}
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(alike.ID) {
		t.Errorf("id %q", alike.ID)
	}
	thread, moment := document(), document()
	thread.HostThreadID++
	moment.Timestamp++
	gap := Gap{From: time.Unix(1, 0), To: time.Unix(2, 0), Count: 3}
	ids := map[string]string{alike.ID: "the first"}
	for name, a := range map[string]*Alert{
		"host":      (&Factory{Host: "other"}).FromFinding(meta, finding, document()),
		"signature": factory().FromFinding(&detect.Metadata{ID: "other"}, finding, document()),
		"evidence":  factory().FromFinding(meta, detect.Finding{}, document()),
		"thread":    factory().FromFinding(meta, finding, thread),
		"moment":    factory().FromFinding(meta, finding, moment),
		"type":      factory().FromSuspension(meta, Suspension{}, document()),
		"gap":       factory().FromGap(gap),
		"cause":     factory().FromGap(Gap{From: gap.From, To: gap.To, Count: 3, Cause: "other"}),
	} {
		if same := ids[a.ID]; same != "" {
			t.Errorf("%s and %s have the id %s", name, same, a.ID)
		}
		ids[a.ID] = name
	}
}

// TestTimeIsThatOfTheEvents reads no clock.
func TestTimeIsThatOfTheEvents(t *testing.T) {
	from := time.Date(2024, 5, 6, 9, 8, 7, 0, time.FixedZone("east", 3600))
	to := from.Add(time.Second)
	meta, many := &detect.Metadata{}, detect.Finding{Correlated: &detect.Correlated{From: from, To: to}}
	for name, c := range map[string]struct {
		alert *Alert
		want  time.Time
	}{
		"finding":           {factory().FromFinding(meta, detect.Finding{}, document()), time.Unix(1_714_982_887, 6)},
		"correlation":       {factory().FromFinding(meta, many, document()), time.Unix(1_714_982_887, 6)},
		"without its event": {factory().FromFinding(meta, many, nil), to},
		"gap":               {factory().FromGap(Gap{From: from, To: to}), to},
		"suspension":        {factory().FromSuspension(meta, Suspension{From: from, To: to}, document()), to},
	} {
		if !c.alert.Time.Equal(c.want) || c.alert.Time.Location() != time.UTC {
			t.Errorf("%s: %s, want %s", name, c.alert.Time, c.want)
		}
	}
}
