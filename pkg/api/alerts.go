// Package api is the local socket of a running ipcwarden, and its client: HTTP over
// a Unix socket that only the user can open as whom ipcwarden runs.
//
//	GET /v1/status                the state, a status.Status
//	GET /v1/alerts?last=N         the last N alerts, one JSON object a line; all without N
//	GET /v1/alerts?last=N&follow  the same, then those that come, until the client leaves
//
// A follower that is too slow misses alerts rather than delay anybody; where it has, it
// gets a line {"type":"missed","count":N}.
package api

import (
	"sync"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
)

const (
	// maxFollowers bounds what followers can take of the machine.
	maxFollowers = 16

	// followerQueue is how many alerts wait for a follower.
	followerQueue = 256
)

// Alerts keeps the last alerts, and hands new ones to followers. It is safe for
// concurrent use.
type Alerts struct {
	mu        sync.Mutex
	last      []*alert.Alert // a ring once it is full
	next      int            // where the next goes, which is the oldest
	followers map[*follower]struct{}
	dropped   uint64
}

// NewAlerts keeps the last n alerts.
func NewAlerts(n int) *Alerts {
	return &Alerts{last: make([]*alert.Alert, n), followers: map[*follower]struct{}{}}
}

// follower is a reader of alerts as they come.
type follower struct {
	alerts chan *alert.Alert
	missed uint64 // since it was told the last time; guarded by Alerts.mu
}

// Deliver keeps a. It never blocks and never fails.
func (l *Alerts) Deliver(a *alert.Alert) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) > 0 {
		l.last[l.next] = a
		l.next = (l.next + 1) % len(l.last)
	}
	for f := range l.followers {
		select {
		case f.alerts <- a:
		default:
			f.missed++
			l.dropped++
		}
	}
	return nil
}

// Last returns the last n alerts that are kept, the oldest first; all for n < 0.
func (l *Alerts) Last(n int) []*alert.Alert {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastLocked(n)
}

func (l *Alerts) lastLocked(n int) []*alert.Alert {
	var list []*alert.Alert
	for i := range l.last {
		if a := l.last[(l.next+i)%len(l.last)]; a != nil {
			list = append(list, a)
		}
	}
	if n >= 0 && n < len(list) {
		list = list[len(list)-n:]
	}
	return list
}

// follow returns the last n alerts and a follower that gets all that come after
// them; nil if there are too many. Whoever called it calls leave in the end.
func (l *Alerts) follow(n int) ([]*alert.Alert, *follower) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.followers) == maxFollowers {
		return nil, nil
	}
	f := &follower{alerts: make(chan *alert.Alert, followerQueue)}
	l.followers[f] = struct{}{}
	return l.lastLocked(n), f
}

func (l *Alerts) leave(f *follower) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.followers, f)
}

// missed returns once how many alerts f has missed.
func (l *Alerts) missed(f *follower) (n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, f.missed = f.missed, 0
	return n
}

// Counts returns how many follow, and how many alerts followers have missed.
func (l *Alerts) Counts() (followers int, dropped uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.followers), l.dropped
}
