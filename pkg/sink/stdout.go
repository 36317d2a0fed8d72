package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// stdout writes each alert as a line.
type stdout struct {
	w      io.Writer
	render render
	line   []byte
	torn   bool // the last line was written in part
}

func newStdout(s *Settings, env Environment) (*stdout, error) {
	if env.Stdout == nil {
		return nil, errors.New("there is no stdout")
	}
	f, err := s.line(env.Color)
	return &stdout{w: env.Stdout, render: f}, err
}

func (s *stdout) Batch() int   { return 1 }
func (s *stdout) Close() error { return nil }

func (s *stdout) Deliver(_ context.Context, entries []*Entry) error {
	for _, e := range entries {
		line := s.line[:0]
		if s.torn { // so that the whole line, which comes now, is one
			line = append(line, '\n')
		}
		line, err := s.render(line, e)
		if err != nil {
			return &Rejected{err}
		}
		line = append(line, '\n')
		s.line = line
		n, err := s.w.Write(line)
		if err != nil {
			s.torn = s.torn && n == 0 || n > 0 && n < len(line)
			return fmt.Errorf("write: %w", err)
		}
		s.torn = false
	}
	return nil
}
