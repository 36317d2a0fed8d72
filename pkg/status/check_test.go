package status

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	good := func() *Status {
		return &Status{
			Time: now, Capture: Capture{Attached: true, Hook: "kprobe", RingBytes: 100, RingUsed: 90},
			Signatures: []Signature{{ID: "A"}}, Sinks: []Sink{{Name: "hook", Queue: 9, Capacity: 10}, {Name: "stdout"}},
			Spool: &Spool{}, Reload: Reload{Loaded: now},
		}
	}
	for _, test := range []struct {
		spoil         func(*Status)
		check, detail string
	}{
		{func(*Status) {}, "", ""},
		{func(s *Status) { s.Capture.Attached = false }, "probe", "not attached"},
		{func(s *Status) { s.Time = now.Add(-staleAfter) }, "ring", "not read for 10s"},
		{func(s *Status) { s.Capture.RingUsed = 91 }, "ring", "full: 91 of 100 bytes"},
		{func(s *Status) { s.Sinks[0].Queue = 10 }, "sinks", "hook: 10 of 10 alerts wait"},
		{func(s *Status) {
			s.Sinks[1].Failing, s.Sinks[1].Since = "no space left on device", now.Add(-time.Minute)
		}, "sinks", "stdout for 1m0s: no space left on device"},
		{func(s *Status) { s.Spool.Failing = "read-only file system" }, "sinks", "spool, so that alerts are in memory only: read-only file system"},
		{func(s *Status) { s.Signatures[0].Suspended = true }, "signatures", "suspended: A"},
		{func(s *Status) { s.Reload.Problems = []string{"a.rego:1: bad"} }, "signatures", "not current, the last reload failed: a.rego:1: bad"},
	} {
		s := good()
		test.spoil(s)
		s.Judge(now)
		if s.Ready != (test.check == "") || len(s.Checks) != 4 {
			t.Errorf("%s: %+v", test.check, s)
		}
		for _, check := range s.Checks {
			if check.OK != (check.Name != test.check) || !check.OK && check.Detail != test.detail {
				t.Errorf("%+v, want only %s to fail: %s", check, test.check, test.detail)
			}
		}
	}
}
