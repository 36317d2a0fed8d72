package suppress

import (
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

var now = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// entries reads them as the configuration does.
func entries(t *testing.T, text string) (list []Entry) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func list(t *testing.T, text string) *List {
	t.Helper()
	l, err := New(entries(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func finding() *alert.Alert {
	e := event.Event{ID: event.Shmget, TimeNS: now.UnixNano(), Return: 7}
	e.Process = event.Process{Comm: "postgres", Executable: "/usr/lib/postgresql/15/bin/postgres", UID: 114}
	e.Object = event.Object{Kind: event.SharedMemory, ID: 7, Key: -559038737}
	var d event.Document
	e.Document(&d)
	return (&alert.Factory{Host: "host"}).FromFinding(&detect.Metadata{ID: "IPCW-002"}, detect.Finding{}, &d)
}

func TestSuppresses(t *testing.T) {
	for where, want := range map[string]bool{
		`{signature: IPCW-002}`:           true,
		`{signature: IPCW-003}`:           false,
		`{signature: "IPCW-*"}`:           true,
		`{where: {comm: postgres}}`:       true,
		`{where: {comm: postgre}}`:        false,
		`{where: {processName: "post*"}}`: true,
		`{where: {uid: 114}}`:             true,
		`{where: {uid: "0114"}}`:          false,
		`{where: {uid: 11}}`:              false,
		`{where: {executable: "/usr/lib/postgresql/*/bin/postgres"}}`:     true,
		`{where: {executable: "/usr/lib/*"}}`:                             false, // * passes over no /
		`{where: {executable: "/usr/lib/**"}}`:                            true,
		`{where: {comm: "{apache2,postgres}"}}`:                           true,
		`{where: {key: 0xdeadbeef}}`:                                      true,
		`{where: {key: 3735928559}}`:                                      true,
		`{where: {object.key: -559038737}}`:                               true,
		`{where: {returnValue: 7, eventName: shmget}}`:                    true,
		`{where: {returnValue: 7, eventName: shmat}}`:                     false,
		`{where: {error: "*"}}`:                                           false, // is not there
		`{where: {image: ""}}`:                                            true,  // of no container
		`{signature: IPCW-002, where: {contextFlags.isCompat: "false"}}`:  true,
		`{signature: IPCW-002, where: {comm: other}}`:                     false,
		`{signature: IPCW-002, expires: 2026-05-06}`:                      false,
		`{signature: IPCW-002, expires: 2026-05-07}`:                      true,
		`{signature: IPCW-002, expires: "2026-05-06T09:08:09.5+02:00"}`:   true,
		`{signature: IPCW-002, expires: "2026-05-06T09:08:08.999+02:00"}`: false,
	} {
		l := list(t, "[{reason: benign, "+where[1:]+"]")
		if got := l.Suppresses(finding()); got != want {
			t.Errorf("%s suppresses: %t", where, got)
		}
		state := l.States(now)[0]
		if (state.Count == 1) != want || state.Last.Equal(now) != want {
			t.Errorf("%s: %+v", where, state)
		}
	}
}

// TestFirstCounts has two entries for one finding.
func TestFirstCounts(t *testing.T) {
	l := list(t, `[{signature: X, reason: r}, {where: {uid: 114}, reason: r, expires: 2026-06-01}, {signature: IPCW-002, reason: r}]`)
	l.Suppresses(finding())
	l.Suppresses(finding())
	s := l.States(now.AddDate(1, 0, 0))
	if s[0].Count != 0 || s[1].Count != 2 || s[2].Count != 0 || !s[1].Expired || s[2].Expired {
		t.Errorf("states %+v", s)
	}
	if got, want := s[1].String(), `any signature, uid "114"`; got != want {
		t.Errorf("entry is %q, want %q", got, want)
	}
}

// TestCorrelated is about a finding whose last event is not remembered any more.
func TestCorrelated(t *testing.T) {
	a := finding()
	a.Event, a.Correlation = nil, &alert.Correlation{Group: map[string]any{"userId": uint32(114), "object.id": nil}, To: now}
	for where, want := range map[string]bool{"uid: 114": true, "uid: 1": false, "object.id: 7": false, "comm: postgres": false} {
		if got := list(t, "[{reason: r, where: {"+where+"}}]").Suppresses(a); got != want {
			t.Errorf("%s suppresses: %t", where, got)
		}
	}
}

// TestOnlyFindings are suppressed: what says that something was lost never is.
func TestOnlyFindings(t *testing.T) {
	f := (&alert.Factory{Host: "host"})
	e := event.Event{ID: event.Shmget}
	var d event.Document
	e.Document(&d)
	l := list(t, `[{signature: "*", reason: r}, {where: {eventName: "*"}, reason: r}]`)
	for _, a := range []*alert.Alert{
		f.FromGap(alert.Gap{}), f.FromSuspension(&detect.Metadata{ID: "A"}, alert.Suspension{}, &d), f.FromDelivery(alert.Delivery{}),
		f.FromSuppressed(&alert.Signature{ID: "A"}, detect.High, alert.Suppressed{}),
	} {
		if l.Suppresses(a) {
			t.Errorf("alert of type %s suppressed", a.Type)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`[{reason: r}]`: "suppress[0]: the entry would suppress every alert",
		`[{signature: A, reason: r}, {signature: A}]`:        "suppress[1]: reason is missing",
		`[{signature: A, reason: " "}]`:                      "reason is missing",
		`[{where: {proces: a}, reason: r}]`:                  `suppress[0]: where.proces: events have no single value "proces"; the nearest is process`,
		`[{where: {executble: a}, reason: r}]`:               `where.executble: events have no single value "executble"; the nearest is executable`,
		`[{where: {keys: a}, reason: r}]`:                    `the nearest is key`,
		`[{where: {uid: root}, reason: r}]`:                  `where.uid: "root" is no number`,
		`[{where: {key: 0xZZ}, reason: r}]`:                  `where.key: "0xZZ" is no number`,
		`[{where: {key: 0x100000000}, reason: r}]`:           `where.key: 0x100000000 is beyond what the field can be`,
		`[{where: {uid: -1}, reason: r}]`:                    `where.uid: -1 is beyond what the field can be`,
		`[{where: {contextFlags.isCompat: 1}, reason: r}]`:   `"1" is neither true nor false`,
		`[{where: {uid: ""}, reason: r}]`:                    `where.uid: "" is no number`,
		`[{where: {contextFlags.isCompat: yes}, reason: r}]`: `"yes" is neither true nor false`,
		`[{where: {flags: a}, reason: r}]`:                   `no single value "flags"`,
		`[{where: {proces: a, object.kye: 1}, reason: r}]`:   `the nearest is object.key`,
	} {
		if _, err := New(entries(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", text, err)
		}
	}
	for _, text := range []string{`[{expires: tomorrow}]`, `[{where: {comm: "[a"}}]`, `[{signature: "{a"}]`} {
		var list []Entry
		if err := yaml.Unmarshal([]byte(text), &list); err == nil {
			t.Errorf("%s was accepted: %+v", text, list)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("post*{a,b}[c-d]", "postgres")
	f.Add("0xdeadbeef", "-559038737")
	f.Add(`\`, "\xff")
	f.Fuzz(func(_ *testing.T, pattern, value string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		p.matches(value)
		p.matches(int32(len(value)))
	})
}

// TestInherit has the same entry in two configurations, and others.
func TestInherit(t *testing.T) {
	old := list(t, `[{signature: X, reason: r}, {signature: "IPCW-*", where: {uid: 114, comm: postgres}, reason: r}]`)
	old.Suppresses(finding())
	l := list(t, `[{signature: "IPCW-*", where: {comm: postgres, uid: 114}, reason: r}, {signature: "IPCW-*", where: {uid: 114, comm: postgres}, reason: other}]`)
	l.Inherit(old)
	l.Inherit(nil)
	(*List)(nil).Inherit(old)
	if s := l.States(now); s[0].Count != 1 || !s[0].Last.Equal(now) || s[1].Count != 0 {
		t.Errorf("states %+v", s)
	}
}
