package throttle

import (
	"container/list"
	"time"

	"github.com/ipcwarden/ipcwarden/pkg/alert"
)

// group is findings that are alike, from the first, which had an alert, to the end of
// its window.
type group struct {
	key   string
	first time.Time
	ends  int64        // Unix nanoseconds
	count uint64       // of the findings after the first
	last  *alert.Alert // of these
	place *list.Element
}

// groups are in the order in which their windows end.
type groups struct {
	byKey map[string]*group
	order *list.List
}

func newGroups() groups { return groups{map[string]*group{}, list.New()} }

func (gs *groups) len() int              { return len(gs.byKey) }
func (gs *groups) get(key string) *group { return gs.byKey[key] }

// oldest is nil if there is none.
func (gs *groups) oldest() *group {
	if front := gs.order.Front(); front != nil {
		return front.Value.(*group)
	}
	return nil
}

func (gs *groups) add(g *group) {
	gs.byKey[g.key] = g
	g.place = gs.order.PushBack(g)
}

func (gs *groups) remove(g *group) {
	delete(gs.byKey, g.key)
	gs.order.Remove(g.place)
}
