// Package throttle keeps floods of findings from flooding whoever reads the alerts: it
// makes one alert of findings that are alike, and leaves out what is beyond the limit
// of a signature. Both are counted, and alerts say how much that was.
//
// It reads no clock but that of the events, so that a replay gives the alerts of the
// live run.
package throttle

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
	"github.com/ipcwarden/ipcwarden/pkg/docpath"
	"github.com/ipcwarden/ipcwarden/pkg/setting"
)

// Settings say what is too much.
type Settings struct {
	// Window is how long after a finding others that are alike get no alert of their
	// own, but one together at its end. 0 for never.
	Window setting.Duration `yaml:"window" json:"window" doc:"how long after a finding others of the same signature and group get no alert of their own, but one together at the end of that time, with their number; 0s turns this off"`
	// GroupBy has what findings have to have in common to be alike, for signatures
	// without a group of their own.
	GroupBy []string `yaml:"group_by" json:"group_by" doc:"fields of the event that are equal in findings that are alike; signatures that correlate use the group of their correlation"`
	// Groups is how many are remembered; with more, the oldest ends before its time.
	Groups int `yaml:"groups" json:"groups" doc:"number of groups that are remembered at a time; with more the window of the oldest ends early"`
	// Limit is how many alerts a signature may give in Every. 0 for any number.
	Limit uint64 `yaml:"limit" json:"limit" doc:"number of alerts that one signature may give within the time every; what is beyond it is counted, and an alert of type suppressed tells how much that was; 0 turns this off"`
	// Every is the time that Limit is for.
	Every setting.Duration `yaml:"every" json:"every" doc:"time that limit is for"`
}

// Default turns both off, and has what else is needed to turn them on.
func Default() Settings {
	return Settings{
		GroupBy: []string{"hostProcessId", "processName", "executable.path", "eventName"}, Groups: 4096,
		Every: setting.Duration(time.Minute),
	}
}

// Validate tells what is wrong with the settings, all of it.
func (s *Settings) Validate() error {
	var errs []error
	for i, text := range s.GroupBy {
		if _, err := docpath.Parse(text); err != nil {
			errs = append(errs, setting.Under("group_by"+setting.Index(i), err))
		}
	}
	if s.Window > 0 && s.Groups < 1 {
		errs = append(errs, setting.Under("groups", fmt.Errorf("%d is too few for a window; take %d", s.Groups, Default().Groups)))
	}
	if s.Limit > 0 && s.Every <= 0 {
		errs = append(errs, setting.Under("every", errors.New("has to be more than 0s if there is a limit")))
	}
	return errors.Join(errs...)
}

// Counters is what became of the alerts.
type Counters struct {
	Passed     uint64 // handed on as they came
	Repeated   uint64 // that another alert stands for
	Suppressed uint64 // beyond the limit of their signature
	Evicted    uint64 // groups that made room for others before their time
}

// Throttle is for one goroutine.
type Throttle struct {
	settings Settings
	groupBy  []docpath.Path
	factory  *alert.Factory
	emit     func(*alert.Alert)

	groups groups
	limits limits
	now    int64 // the latest end of a call, Unix nanoseconds
	wake   int64 // when there is something to end
	count  Counters
}

// New makes a throttle that hands alerts to emit, which must not call it back. The
// factory makes those of type suppressed.
func New(settings Settings, factory *alert.Factory, emit func(*alert.Alert)) (*Throttle, error) {
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("throttle: %w", err)
	}
	t := &Throttle{
		settings: settings, factory: factory, emit: emit, groups: newGroups(),
		limits: limits{byID: map[string]*limit{}}, now: math.MinInt64, wake: math.MaxInt64,
	}
	for _, text := range settings.GroupBy {
		path, err := docpath.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("throttle: group_by: %w", err)
		}
		t.groupBy = append(t.groupBy, path)
	}
	return t, nil
}

// Take hands a on, keeps it for the end of its window, or counts it. Only findings are
// throttled: whatever tells of a loss is handed on at once.
func (t *Throttle) Take(a *alert.Alert) {
	if a.Type != alert.TypeFinding || a.Signature == nil {
		t.pass(a)
		return
	}
	at := a.Time
	t.Advance(at)
	if t.settings.Window > 0 && t.repeats(a, at) {
		return
	}
	t.limited(a, t.now)
}

// repeats tells whether a has a window already, and else opens one.
func (t *Throttle) repeats(a *alert.Alert, at time.Time) bool {
	key := t.key(a)
	if g := t.groups.get(key); g != nil {
		g.count++
		g.last = a
		t.count.Repeated++
		return true
	}
	for t.groups.len() >= t.settings.Groups {
		t.count.Evicted++
		t.endWindow(t.groups.oldest(), t.now)
	}
	// By the latest time and not by at, so that windows end in the order in which they
	// were opened.
	t.groups.add(&group{key: key, first: at, ends: t.now + int64(t.settings.Window)})
	t.sleep()
	return false
}

// key has the signature and the group, each with its length, so that no text can pass
// for another.
func (t *Throttle) key(a *alert.Alert) string {
	var b strings.Builder
	add := func(value any) {
		text := fmt.Sprint(value)
		fmt.Fprintf(&b, "%d:%s", len(text), text)
	}
	add(a.Signature.ID)
	if a.Correlation != nil {
		add(a.Correlation.Group) // package fmt sorts the keys of a map
		return b.String()
	}
	for _, path := range t.groupBy {
		value, _ := a.Field(path)
		add(value)
	}
	return b.String()
}

// Advance tells the time by the clock of the events: windows and limits that have
// ended by then are reported. A time before the latest changes nothing. The usual call
// is two comparisons.
func (t *Throttle) Advance(now time.Time) {
	ns := now.UnixNano()
	if ns <= t.now {
		return
	}
	t.now = ns
	if ns < t.wake {
		return
	}
	t.endUntil(t.now)
}

// Flush reports everything that waits, as if all time had passed.
func (t *Throttle) Flush() { t.endUntil(math.MaxInt64) }

// endUntil ends all windows and limits that end until then, in their order.
func (t *Throttle) endUntil(then int64) {
	for {
		g, l := t.groups.oldest(), t.limits.oldest()
		switch {
		case l != nil && l.ends <= then && (g == nil || l.ends <= g.ends):
			t.endLimit()
		case g != nil && g.ends <= then:
			t.endWindow(g, g.ends)
		default:
			t.sleep()
			return
		}
	}
}

// Counters is what became of the alerts so far.
func (t *Throttle) Counters() Counters { return t.count }

// endWindow makes one alert of the findings that were alike.
func (t *Throttle) endWindow(g *group, at int64) {
	t.groups.remove(g)
	if g.count == 0 {
		return
	}
	t.limited(t.factory.FromRepeated(g.last, alert.Repeated{Count: g.count, First: g.first, Last: g.last.Time}), at)
}

func (t *Throttle) pass(a *alert.Alert) {
	t.count.Passed++
	t.emit(a)
}

// sleep finds out when there is something to end next.
func (t *Throttle) sleep() {
	t.wake = math.MaxInt64
	if g := t.groups.oldest(); g != nil {
		t.wake = g.ends
	}
	if l := t.limits.oldest(); l != nil {
		t.wake = min(t.wake, l.ends)
	}
}
