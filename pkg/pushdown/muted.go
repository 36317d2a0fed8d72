package pushdown

import (
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/event"
)

// Muted is the calls of a process that the kernel counts instead of sending their events:
// they match clauses of one signature only, which had found the process already.
type Muted struct {
	Signature string // id
	HostPID   uint32
	Event     event.ID
}

// Counted is how many of them there were.
type Counted struct {
	Muted
	From, To time.Time
	Count    uint64
}
