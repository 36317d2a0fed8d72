package status

import (
	"fmt"
	"strings"
	"time"
)

const (
	// staleAfter is how old the counters may be before events count as not read. An
	// evaluation may take half a second, ten times that while others take the CPUs.
	staleAfter = 10 * time.Second

	// fullPart is from which part on a ring or a queue is full.
	fullPart = 0.9
)

// Alive tells whether events are read: the counters are fresh at now.
func (s *Status) Alive(now time.Time) bool { return now.Sub(s.Time) < staleAfter }

// Judge fills in Checks and Ready by all the rest, at now.
func (s *Status) Judge(now time.Time) {
	s.Checks = []Check{s.probe(), s.ring(now), s.sinks(now), s.signatures()}
	s.Ready = true
	for _, check := range s.Checks {
		s.Ready = s.Ready && check.OK
	}
}

func (s *Status) probe() Check {
	if !s.Capture.Attached {
		return Check{"probe", false, "not attached"}
	}
	return Check{"probe", true, "attached by " + s.Capture.Hook}
}

func (s *Status) ring(now time.Time) Check {
	c := s.Capture
	switch {
	case !s.Alive(now):
		return Check{"ring", false, fmt.Sprintf("not read for %s", now.Sub(s.Time).Round(time.Second))}
	case float64(c.RingUsed) > fullPart*float64(c.RingBytes):
		return Check{"ring", false, fmt.Sprintf("full: %d of %d bytes", c.RingUsed, c.RingBytes)}
	}
	return Check{"ring", true, fmt.Sprintf("%d of %d bytes used", c.RingUsed, c.RingBytes)}
}

func (s *Status) sinks(now time.Time) Check {
	var wrong []string
	for _, sink := range s.Sinks {
		switch {
		case sink.Failing != "":
			wrong = append(wrong, fmt.Sprintf("%s for %s: %s", sink.Name, now.Sub(sink.Since).Round(time.Second), sink.Failing))
		case sink.Capacity > 0 && float64(sink.Queue) > fullPart*float64(sink.Capacity):
			wrong = append(wrong, fmt.Sprintf("%s: %d of %d alerts wait", sink.Name, sink.Queue, sink.Capacity))
		}
	}
	if s.Spool != nil && s.Spool.Failing != "" {
		wrong = append(wrong, "spool, so that alerts are in memory only: "+s.Spool.Failing)
	}
	if len(wrong) > 0 {
		return Check{"sinks", false, strings.Join(wrong, "; ")}
	}
	return Check{"sinks", true, fmt.Sprintf("%d within their limits", len(s.Sinks))}
}

func (s *Status) signatures() Check {
	var suspended []string
	for _, signature := range s.Signatures {
		if signature.Suspended {
			suspended = append(suspended, signature.ID)
		}
	}
	switch {
	case len(s.Reload.Problems) > 0:
		return Check{"signatures", false, "not current, the last reload failed: " + strings.Join(s.Reload.Problems, "; ")}
	case len(suspended) > 0:
		return Check{"signatures", false, "suspended: " + strings.Join(suspended, ", ")}
	}
	return Check{"signatures", true, fmt.Sprintf("%d, loaded %s", len(s.Signatures), s.Reload.Loaded.UTC().Format(time.RFC3339))}
}
