package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/simulate"
)

// show has scenarios performed, and says what became of each.
type show struct {
	out     io.Writer
	builtin map[string]*detect.Metadata
	asJSON  bool
}

// performed is a performance as --output json writes it.
type performed struct {
	simulate.Performance
	Off bool `json:"offByDefault,omitempty"` // the signature
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
	failed := 0
	for _, scenario := range scenarios {
		for _, way := range scenario.Ways {
			performance, err := stage.Perform(ctx, scenario, way)
			if err != nil {
				return err
			}
			p := performed{Performance: performance, Off: s.builtin[scenario.ID].Off}
			if list = append(list, p); p.Outcome == simulate.Failed {
				failed++
			}
			if s.asJSON {
				continue
			}
			if err := s.print(scenario, &p); err != nil {
				return err
			}
		}
	}
	if s.asJSON {
		if err := writeJSON(s.out, list); err != nil {
			return err
		}
	}
	if failed > 0 {
		return &negative{fmt.Sprintf("%d of %d scenarios failed", failed, len(list))}
	}
	return nil
}

func (s *show) print(scenario *simulate.Scenario, performed *performed) error {
	p := newPage(s.out)
	color, text := green, scenario.Does
	if performed.Outcome != simulate.Done {
		color, text = faint, performed.Reason
	}
	if performed.Outcome == simulate.Failed {
		color = red
	}
	if performed.Off {
		text += offNote
	}
	outcome := p.paint(color, fmt.Sprintf("%-7s", strings.ToUpper(string(performed.Outcome))))
	p.line("%s  %-6s  %s  %s", scenario.ID, performed.Way, outcome, escaped(text))
	return p.writeTo(s.out)
}
