package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/simulate"
)

// show has scenarios performed, and says what became of each.
type show struct {
	out     io.Writer
	builtin map[string]*detect.Metadata
	asJSON  bool

	seen    *sightings      // of the running ipcwarden; nil if nobody asks
	enabled map[string]bool // ids of the signatures that it uses
	timeout time.Duration   // how long it has for them
}

// performed is a performance as --output json writes it.
type performed struct {
	simulate.Performance
	Off bool `json:"offByDefault,omitempty"` // the signature

	// With --verify, for what was done.
	Expected bool     `json:"expected"`          // an alert of the signature, for this
	Seen     bool     `json:"seen"`              // there was one
	AfterNS  int64    `json:"afterNs,omitempty"` // from the beginning of the performance
	Also     []string `json:"also,omitempty"`    // signatures that gave an alert as well
}

// run performs scenarios by all their ways.
func (s *show) run(ctx context.Context, scenarios []*simulate.Scenario) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program to act: %w", err)
	}
	stage := &simulate.Stage{Command: []string{self, actCommand}}
	defer stage.Close()
	list := []performed{}
	for _, scenario := range scenarios {
		for _, way := range scenario.Ways {
			performance, err := stage.Perform(ctx, scenario, way)
			if err != nil {
				return err
			}
			p := performed{Performance: performance, Off: s.builtin[scenario.ID].Off}
			p.Expected = s.seen != nil && p.Outcome == simulate.Done && (!p.Off || s.enabled[p.ID])
			list = append(list, p)
			if s.asJSON || s.seen != nil {
				continue
			}
			if err := s.print(scenario, &p); err != nil {
				return err
			}
		}
	}
	if s.seen != nil {
		if err := s.verify(ctx, list); err != nil {
			return err
		}
	}
	if s.asJSON {
		if err := writeJSON(s.out, list); err != nil {
			return err
		}
	}
	return verdictOn(list)
}

// verdictOn is what the exit code is made of.
func verdictOn(list []performed) error {
	failed, expected, unseen := 0, 0, 0
	for i := range list {
		p := &list[i]
		if p.Outcome == simulate.Failed {
			failed++
		}
		if p.Expected {
			expected++
			if !p.Seen {
				unseen++
			}
		}
	}
	switch {
	case failed > 0:
		return &negative{fmt.Sprintf("%d of %s failed", failed, counted(len(list), "scenario", "scenarios"))}
	case unseen > 0:
		return &negative{fmt.Sprintf("missing: %d of %s", unseen, counted(expected, "expected alert", "expected alerts"))}
	}
	return nil
}

func (s *show) print(scenario *simulate.Scenario, performed *performed) error {
	text := scenario.Does
	if performed.Outcome != simulate.Done {
		text = performed.Reason
	}
	if performed.Off {
		text += offNote
	}
	p := newPage(s.out)
	p.performance(performed, "", text)
	return p.writeTo(s.out)
}

// performance adds a line about one.
func (p *page) performance(performed *performed, seen, text string) {
	color := green
	switch performed.Outcome {
	case simulate.Skipped:
		color = faint
	case simulate.Failed:
		color = red
	}
	outcome := p.paint(color, fmt.Sprintf("%-7s", strings.ToUpper(string(performed.Outcome))))
	p.line("%s  %-6s  %s  %s%s", performed.ID, performed.Way, outcome, seen, escaped(text))
}

// verify waits for the alerts that are expected, and says which there were.
func (s *show) verify(ctx context.Context, list []performed) error {
	var wanted []sighting
	for i := range list {
		if list[i].Expected {
			wanted = append(wanted, sighting{list[i].ID, list[i].IPCNamespace})
		}
	}
	if err := s.seen.await(ctx, wanted, s.timeout); err != nil {
		return err
	}
	p := newPage(s.out)
	p.line("EXPECTED  WAY     OUTCOME  SEEN")
	for i := range list {
		performed := &list[i]
		s.seen.judge(performed)
		seen, text := "-  ", performed.Reason
		switch {
		case performed.Outcome != simulate.Done:
		case performed.Seen:
			seen, text = p.paint(green, "yes"), fmt.Sprintf("after %s", time.Duration(performed.AfterNS).Round(time.Millisecond))
			if len(performed.Also) > 0 {
				text += ", also " + strings.Join(performed.Also, ", ")
			}
		case !performed.Expected:
			seen, text = p.paint(faint, "no "), strings.TrimSpace(offNote)
		default:
			seen, text = p.paint(red, "NO "), fmt.Sprintf("no alert within %s", s.timeout)
		}
		p.performance(performed, seen+"      ", text)
	}
	if s.asJSON {
		return nil
	}
	return p.writeTo(s.out)
}
