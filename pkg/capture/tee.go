package capture

import (
	"errors"
	"os"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
	"github.com/ipcwarden/ipcwarden/pkg/pipeline"
)

// flushAfter is how old what was added becomes before it is written, once the source
// has nothing else to give.
const flushAfter = time.Second

// tee is a source that is recorded.
type tee struct {
	pipeline.Source
	writer  *Writer
	failed  func(error)
	flushed time.Time
}

// Tee is source, of which all that it yields is recorded. If that fails, failed is
// called once, and the source goes on without.
func Tee(source pipeline.Source, w *Writer, failed func(error)) pipeline.Source {
	return &tee{Source: source, writer: w, failed: failed, flushed: time.Now()}
}

// Next implements pipeline.Source.
func (t *tee) Next(e *event.Event) (*pipeline.Gap, error) {
	gap, err := t.Source.Next(e)
	if t.writer == nil {
		return gap, err
	}
	if failure := t.record(e, gap, err); failure != nil {
		t.writer = nil
		t.failed(failure)
	}
	return gap, err
}

func (t *tee) record(e *event.Event, gap *pipeline.Gap, err error) error {
	switch {
	case gap != nil:
		return t.writer.Gap(*gap)
	case err == nil:
		return t.writer.Event(e)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	}
	now := time.Now()
	if now.Sub(t.flushed) < flushAfter {
		return nil
	}
	t.flushed = now
	return t.writer.Flush()
}
