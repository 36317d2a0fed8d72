package signatures_test

import (
	"context"
	"fmt"

	"github.com/ipcwarden/ipcwarden/pkg/detect"
	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// hugeSegment finds segments of more than a number of bytes.
type hugeSegment struct{ atLeast uint64 }

var hugeSegmentMetadata = detect.Metadata{
	ID: "SITE-001", Title: "Huge segment created", Severity: detect.Low, Events: event.Of(event.Shmget),
}

func (hugeSegment) Metadata() *detect.Metadata { return &hugeSegmentMetadata }

func (s hugeSegment) Match(_ context.Context, in *detect.Input, found []detect.Finding) ([]detect.Finding, error) {
	if o := &in.Event().Object; o.Created && o.SegmentBytes >= s.atLeast {
		found = append(found, detect.Finding{Evidence: map[string]any{"bytes": o.SegmentBytes}})
	}
	return found, nil
}

// A whole signature, and what the engine does with it.
func Example() {
	var s detect.Signature = hugeSegment{atLeast: 1 << 30}
	var in detect.Input
	in.Reset(&event.Event{ID: event.Shmget, Object: event.Object{Kind: event.SharedMemory, Created: true, SegmentBytes: 8 << 30}})
	found, err := s.Match(context.Background(), &in, nil)
	fmt.Println(s.Metadata().ID, found[0].Evidence, err)
	// Output: SITE-001 map[bytes:8589934592] <nil>
}
