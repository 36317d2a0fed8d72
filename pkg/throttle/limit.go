package throttle

import (
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/detect"
)

// limit is what one signature has given in the time that its limit is for.
type limit struct {
	id           string // of the signature
	begins, ends int64  // Unix nanoseconds
	passed       uint64
	left         uint64           // out
	last         time.Time        // that something was
	signature    *alert.Signature // of that
	severity     detect.Severity
}

// limits are in the order in which they end, which is that in which they began: all
// last equally long. There are not more of them than signatures.
type limits struct {
	byID  map[string]*limit
	order []*limit
}

func (ls *limits) add(l *limit) {
	ls.byID[l.id] = l
	ls.order = append(ls.order, l)
}

// oldest is nil if there is none.
func (ls *limits) oldest() *limit {
	if len(ls.order) == 0 {
		return nil
	}
	return ls.order[0]
}

func (ls *limits) removeOldest() {
	delete(ls.byID, ls.order[0].id)
	ls.order = ls.order[1:]
}

// limited hands a on if the limit of its signature allows that, at a time which follows
// from the events: not when somebody looked whether anything has ended.
func (t *Throttle) limited(a *alert.Alert, at int64) {
	if t.settings.Limit == 0 {
		t.pass(a)
		return
	}
	l := t.limits.byID[a.Signature.ID]
	if l == nil {
		l = &limit{id: a.Signature.ID, begins: at, ends: at + int64(t.settings.Every)}
		t.limits.add(l)
		t.wake = min(t.wake, l.ends)
	}
	if l.passed < t.settings.Limit {
		l.passed++
		t.pass(a)
		return
	}
	n := uint64(1)
	if a.Repeated != nil { // what it stands for has no alert either
		n = a.Repeated.Count
	}
	l.last, l.signature, l.severity = a.Time, a.Signature, a.Severity
	l.left += n
	t.count.Suppressed += n
}

// endLimit ends the oldest limit, and tells what it left out.
func (t *Throttle) endLimit() {
	l := t.limits.oldest()
	t.limits.removeOldest()
	if l.left == 0 {
		return
	}
	t.pass(t.factory.FromSuppressed(l.signature, l.severity, alert.Suppressed{
		Count: l.left, Limit: t.settings.Limit, From: time.Unix(0, l.begins), To: l.last,
	}))
}
